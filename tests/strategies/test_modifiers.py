"""What works with every strategy: balanced, skip_undetected, shuffle."""

import itertools
from collections import Counter

import numpy as np
import pytest
from template import ask, tied_pool, undetected_pool, varied_pool

from mrcnn_al.strategies import make_strategy, strategy_names
from mrcnn_al.strategies.balance import class_shares
from mrcnn_al.strategies.candidates import Candidates
from mrcnn_al.uncertainty.score_row import ScoreRow

RANKINGS = ("entropy", "least-confident", "margin", "maskal")


def predicting(image_id, *class_ids, entropy=0.1):
    by_class = tuple((class_id, 1.0) for class_id in class_ids)
    return ScoreRow(image_id, 1.0, 10, entropy=entropy, mask_by_class=by_class, passes=10)


@pytest.mark.parametrize("name", strategy_names())
@pytest.mark.parametrize("others", list(itertools.product([False, True], repeat=2)))
def test_skipped_images_come_last(name, others):
    balanced, shuffle = others
    strategy = make_strategy(name, skip_undetected=True, balanced=balanced, shuffle=shuffle)
    rows = varied_pool(30)
    detected = {row.image_id for row in rows if not row.undetected}
    assert 5 < len(detected) < 30
    for batch_size in (5, 30):
        query = ask(strategy, rows, batch_size, np.random.default_rng(1), return_utilities=True)
        places = min(batch_size, len(detected))
        assert set(query.image_ids[:places]) <= detected
        assert set(query.reasons[places:]) <= {"undetected:fill"}
        least = min(query.utilities[image_id] for image_id in detected)
        assert all(query.utilities[row.image_id] < least for row in rows if row.undetected)


@pytest.mark.parametrize("name", strategy_names())
@pytest.mark.parametrize("others", list(itertools.product([False, True], repeat=2)))
def test_balanced_batches_have_as_many_of_each_class(name, others):
    skip_undetected, shuffle = others
    strategy = make_strategy(name, balanced=True, skip_undetected=skip_undetected, shuffle=shuffle)
    rows = varied_pool(200)
    predicted = {row.image_id: row.predicted_classes for row in rows}
    query = ask(strategy, rows, 11, np.random.default_rng(1))
    assert all(reason.startswith("class:") for reason in query.reasons)
    # Three classes and 11 images: the two rarest classes, 7 and 2, get one more.
    classes = [int(reason.split(":")[1]) for reason in query.reasons]
    assert Counter(classes) == {7: 4, 2: 4, 1: 3}
    for image_id, class_id in zip(query.image_ids, classes, strict=True):
        assert class_id in predicted[image_id]


@pytest.mark.parametrize("name", RANKINGS)
@pytest.mark.parametrize("seed", range(5))
def test_balanced_rankings_take_the_top_of_each_class(name, seed):
    """DESIGN: the k/C most uncertain images of each predicted class."""
    strategy = make_strategy(name, balanced=True)
    rows = varied_pool(150, seed)
    query = ask(strategy, rows, 9, np.random.default_rng(0), return_utilities=True)
    by_wish = sorted(query.utilities, key=lambda image_id: (-query.utilities[image_id], image_id))
    predicted = {row.image_id: row.predicted_classes for row in rows}
    sizes = Counter(class_id for classes in predicted.values() for class_id in classes)
    expected = []
    for class_id in sorted(sizes, key=lambda class_id: (sizes[class_id], class_id)):
        of_class = [i for i in by_wish if class_id in predicted[i] and i not in expected]
        expected.extend(of_class[:3])
    assert list(query.image_ids) == expected


def test_what_a_class_is_short_of_comes_from_the_ranking():
    rows = [
        predicting("only", 4),
        *(predicting(f"many-{index}", 1, entropy=index / 100) for index in range(20)),
        ScoreRow("nothing", passes=10),
    ]
    query = make_strategy("entropy", balanced=True).query(rows, 6, np.random.default_rng(0))
    assert query.image_ids == ("only", "many-19", "many-18", "many-17", "nothing", "many-16")
    assert query.reasons == (
        *("class:4:top", "class:1:top", "class:1:top", "class:1:top", "undetected", "top"),
    )


def test_fewer_images_than_classes_go_to_the_rarest():
    rows = [predicting("a", 1), predicting("b", 1), predicting("c", 1, 2), predicting("d", 3)]
    shares = class_shares(Candidates(rows, np.arange(4)), np.arange(4), 2)
    assert [(class_id, images.tolist(), share) for class_id, images, share in shares] == [
        (2, [2], 1),
        (3, [3], 1),
        (1, [0, 1, 2], 0),
    ]


def test_shares_are_of_the_images_that_may_be_chosen():
    rows = [predicting("a", 1), predicting("b", 2), predicting("c", 1)]
    shares = class_shares(Candidates(rows, np.array([2, 0, 1])), np.array([0, 1]), 4)
    assert [(class_id, images.tolist(), share) for class_id, images, share in shares] == [
        (1, [0, 1], 4)
    ]


@pytest.mark.parametrize("name", RANKINGS)
@pytest.mark.parametrize("make_pool", [tied_pool, undetected_pool])
def test_shuffled_ties_are_broken_by_chance(name, make_pool):
    rows = make_pool(10)
    in_order = ask(make_strategy(name), rows, 2, np.random.default_rng(0))
    assert list(in_order.image_ids) == sorted(row.image_id for row in rows)[:2]
    shuffling, drawn = make_strategy(name, shuffle=True), Counter()
    for seed in range(400):
        drawn.update(ask(shuffling, rows, 2, np.random.default_rng(seed)).image_ids)
    # 400 draws of two in ten: 80 expected, standard deviation 8.
    assert len(drawn) == 10
    assert all(48 < count < 112 for count in drawn.values())


@pytest.mark.parametrize("name", RANKINGS)
def test_shuffling_changes_nothing_without_ties(name):
    rows = [row for row in varied_pool(50) if not row.undetected]
    one, other = (
        ask(make_strategy(name, shuffle=shuffle), rows, 9, np.random.default_rng(0))
        for shuffle in (False, True)
    )
    assert one.image_ids == other.image_ids


@pytest.mark.parametrize(
    ("name", "options", "uses_scores"),
    [
        ("random", {}, False),
        ("random", {"shuffle": True}, False),
        ("random", {"balanced": True}, True),
        ("random", {"skip_undetected": True}, True),
        ("core-set", {}, False),
        ("core-set", {"balanced": True}, True),
        ("random-balanced", {}, True),
        ("entropy", {}, True),
    ],
)
def test_passes_are_saved_where_nobody_looks_at_them(name, options, uses_scores):
    assert make_strategy(name, **options).uses_scores is uses_scores
