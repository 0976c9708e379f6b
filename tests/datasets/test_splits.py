import pytest

from mrcnn_al.datasets.splits import Counts, rank_ids, split_ids, take_turns
from mrcnn_al.errors import UserError

IDS = [f"image{index}" for index in range(100)]
COUNTS = Counts(train=60, labelled=7, validation=11, test=20)


def test_sizes_and_disjoint():
    splits = split_ids(IDS, COUNTS, seed=0)
    assert [len(split) for split in splits] == [60, 7, 11, 20]
    apart = [*splits.train, *splits.validation, *splits.test]
    assert len(set(apart)) == 91
    assert set(apart) <= set(IDS)
    assert set(splits.labelled) <= set(splits.train)


def test_the_seed_alone_decides():
    splits = split_ids(IDS, COUNTS, seed=1)
    assert split_ids(reversed(IDS), COUNTS, seed=1) == splits
    other = split_ids(IDS, COUNTS, seed=2)
    for one, two in zip(splits, other, strict=True):
        assert set(one) != set(two)


def test_the_splits_are_those_of_every_machine():
    assert split_ids(IDS[:6], Counts(3, 1, 1, 2), seed=0) == (
        ("image0", "image3", "image1"),
        ("image0",),
        ("image2",),
        ("image4", "image5"),
    )


def test_the_number_labelled_moves_nothing_else():
    few, many = (split_ids(IDS, Counts(60, count, 11, 20), seed=3) for count in (1, 60))
    assert few.train == many.train == many.labelled
    assert few.test == many.test
    assert few.labelled == many.labelled[:1]


def test_an_image_left_out_keeps_the_others_in_place():
    whole = split_ids(IDS, COUNTS, seed=4)
    lost = whole.train[30]
    rest = [image_id for image_id in IDS if image_id != lost]
    splits = split_ids(rest, COUNTS.shrunk_to(90), seed=4)
    assert splits.test == whole.test
    assert splits.validation == whole.validation
    assert splits.labelled == whole.labelled
    assert splits.train == tuple(image_id for image_id in whole.train if image_id != lost)[:59]


def test_every_image_is_as_likely_as_any_other():
    times = dict.fromkeys(IDS, 0)
    for seed in range(200):
        for image_id in split_ids(IDS, COUNTS, seed).test:
            times[image_id] += 1
    # 200 draws of probability 0.2: mean 40, standard deviation 5.7.
    assert all(15 < count < 65 for count in times.values())


def test_too_few_images():
    with pytest.raises(UserError, match=r"need 91 images \(60 .*11 .*20 .*there are 90"):
        split_ids(IDS[:90], COUNTS, seed=0)


@pytest.mark.parametrize("labelled", [-1, 0, 61])
def test_labelled_out_of_range(labelled):
    with pytest.raises(UserError, match="give 1 to 60"):
        split_ids(IDS, Counts(60, labelled, 11, 20), seed=0)


def test_shrunk_to():
    assert COUNTS.shrunk_to(200) == COUNTS
    assert COUNTS.shrunk_to(80) == Counts(train=49, labelled=7, validation=11, test=20)
    assert COUNTS.shrunk_to(10).train == 0


def test_ranks_are_those_of_the_splits():
    ranked = rank_ids(IDS, 3)
    assert sorted(ranked) == sorted(IDS)
    assert ranked != IDS
    assert rank_ids(IDS[::2], 3) == [image_id for image_id in ranked if image_id in set(IDS[::2])]
    assert split_ids(IDS, COUNTS, 3).test == tuple(ranked[:20])


def test_taking_turns():
    assert take_turns([["a", "b", "c"], [], ["d"], ["e", "f"]]) == ["a", "d", "e", "b", "f", "c"]
    assert take_turns([]) == []
