"""The study of passes: numbers of the thesis, scoring, files, what is written."""

import math

import numpy as np
import pytest
from small_model import make_model

from mrcnn_al.datasets.toy import generate_toy
from mrcnn_al.errors import UserError
from mrcnn_al.experiments.passes import study_passes
from mrcnn_al.experiments.passes_ranking import Overlap, PassesResult, ranking_overlap
from mrcnn_al.experiments.passes_scores import read_scores, score_prefixes, write_scores
from mrcnn_al.experiments.passes_study import (
    REPORTED,
    overlap_chart,
    overlap_table,
    study_top,
    training_plan,
    write_passes,
)
from mrcnn_al.experiments.plans import Choices
from mrcnn_al.uncertainty.score import score_image

COUNTS, REFERENCE = (2, 3), 30


@pytest.fixture(scope="module")
def model():
    """Of which every pass finds something."""
    return make_model(post_nms_rois_inference=20, detection_max_instances=5, output_std=None)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return generate_toy(tmp_path_factory.mktemp("toys") / "toy", 0, 6, 64)


class Counted:
    """An inference that counts the passes it makes of each image."""

    def __init__(self, inference):
        self.inference, self.made, self.stop_after = inference, [], math.inf

    def sample(self, images, passes, seed, **options):
        if len(self.made) >= self.stop_after:
            raise KeyboardInterrupt
        self.made.append((passes, seed, options["keys"][0]))
        return self.inference.sample(images, passes, seed, **options)


def run(inference, dataset, folder, **changes):
    options = {"passes": COUNTS, "reference": REFERENCE, "top": 2, "seed": 5, "min_confidence": 0.3}
    image_ids = changes.pop("image_ids", dataset.image_ids)
    return study_passes(inference, dataset.load_image, image_ids, folder, **{**options, **changes})


@pytest.fixture(scope="module")
def study(model, dataset, tmp_path_factory):
    """A finished study: the counted inference, its folder and its result."""
    inference, folder = Counted(model.inference), tmp_path_factory.mktemp("study")
    return inference, folder, run(inference, dataset, folder)


def test_every_number_of_passes_has_its_own(study, dataset):
    inference, _, _ = study
    images = len(dataset.image_ids)
    # 30 are made in two halves, each of which fits into memory.
    made = [passes for passes, _, _ in inference.made]
    assert sorted(made) == sorted([2] * images + [3] * images + [15] * 2 * images)
    drawn = {(seed, key) for _, seed, key in inference.made}
    assert len(drawn) == 4 * images
    assert len({seed for _, seed, _ in inference.made}) == 4


def test_the_overlaps_are_those_of_the_scores(study, dataset):
    _, folder, result = study
    assert [overlap.passes for overlap in result.overlaps] == [2, 3]
    assert (result.reference, result.images, result.top) == (30, 6, 2)
    many = read_scores(folder / "scores_030.csv")
    best = [many[i][30] for i in dataset.image_ids]
    assert any(row.mask > 0 for row in best)
    assert result.undetected == sum(row.detected_passes == 0 for row in best)
    for overlap in result.overlaps:
        single = read_scores(folder / f"scores_{overlap.passes:03d}.csv")
        own = [single[i][overlap.passes] for i in dataset.image_ids]
        prefix = [many[i][overlap.passes] for i in dataset.image_ids]
        assert overlap.independent == ranking_overlap(own, best, 2)
        assert overlap.prefix == ranking_overlap(prefix, best, 2)
        assert [row.mask for row in own] != [row.mask for row in prefix]


def test_prefixes_are_scored_as_the_loop_scores(model, dataset):
    image_id = dataset.image_ids[1]
    image = dataset.load_image(image_id)
    passes = model.inference.sample([image], 6, 3, [9], min_confidence=0.3)[0]
    instances = [detections.instances for detections in passes]
    found = score_prefixes(image_id, instances, (2, 6))
    for count, row in found.items():
        distributions = [detections.probabilities for detections in passes[:count]]
        expected = score_image(image_id, instances[:count], distributions)
        assert (row.mask, row.detected_passes, row.passes) == (
            expected.mask,
            expected.detected_passes,
            expected.passes,
        )


def test_a_study_that_was_stopped_goes_on(model, dataset, study, tmp_path, monkeypatch):
    monkeypatch.setattr("mrcnn_al.experiments.passes._IMAGES_A_WRITE", 2)
    inference = Counted(model.inference)
    inference.stop_after = 9
    with pytest.raises(KeyboardInterrupt):
        run(inference, dataset, tmp_path)
    # Six images with two passes, and two of the three that had three; they are not made again.
    assert len(read_scores(tmp_path / "scores_003.csv")) == 2
    inference.stop_after = math.inf
    inference.made.clear()
    assert run(inference, dataset, tmp_path) == study[2]
    made = [passes for passes, _, _ in inference.made]
    assert (made.count(2), made.count(3), made.count(15)) == (0, 4, 12)
    for name in ("scores_002.csv", "scores_003.csv", "scores_030.csv"):
        ours, theirs = ((folder / name).read_text() for folder in (tmp_path, study[1]))
        assert sorted(ours.splitlines()) == sorted(theirs.splitlines())
    inference.made.clear()
    assert run(inference, dataset, tmp_path) == study[2]
    assert inference.made == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 6}, "study with other seed"),
        ({"about": {"weights": "another"}}, "other weights"),
        ({"reference": 31}, "other reference"),
        ({"min_confidence": 0.5}, "other min_confidence"),
        ({"passes": (2,)}, "other passes"),
        ({"passes": (2, 40)}, "below the 30"),
        ({"passes": (0, 2)}, "above 0"),
        ({"passes": ()}, "above 0"),
        ({"top": 7}, "from 1 to 6"),
        ({"top": 0}, "from 1 to 6"),
    ],
)
def test_what_is_refused(study, dataset, changes, words):
    with pytest.raises(UserError, match=words):
        run(study[0], dataset, study[1], **changes)


def test_other_images_are_refused(study, dataset):
    with pytest.raises(UserError, match="other images"):
        run(study[0], dataset, study[1], image_ids=dataset.image_ids[:4])


def test_scores_survive_a_file(tmp_path):
    scores = {"a,b": score_prefixes("a,b", [_nothing()] * 3, (1, 3)), "c": {}}
    write_scores(tmp_path / "scores.csv", scores)
    assert read_scores(tmp_path / "scores.csv") == {"a,b": scores["a,b"]}
    assert read_scores(tmp_path / "absent.csv") == {}


@pytest.mark.parametrize(
    "text", ["", "image_id,mask\n", "image_id,passes,detected_passes,mask\na,b,c,d\n"]
)
def test_a_broken_file_of_scores(tmp_path, text):
    path = tmp_path / "scores.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=r"scores\.csv is broken"):
        read_scores(path)


def _nothing():
    from mrcnn_al.instances import Instances

    return Instances(
        4, 4, np.zeros(0, np.int32), np.zeros((0, 4), np.int32), (), np.zeros(0, np.float32)
    )


def test_the_thesiss_numbers():
    assert REPORTED == {5: 0.75, 10: 0.845, 15: 0.87, 20: 0.865, 25: None, 30: 0.88}
    assert [study_top(n) for n in (1500, 750, 150, 3, 1)] == [200, 100, 20, 1, 1]


def test_the_model_that_is_trained():
    plan = training_plan(Choices(repeats=3))
    assert (plan.subset, plan.repeats, plan.full_data) == ("coco5", 1, False)
    assert [arm.name for arm in plan.arms] == ["random"]
    config = plan.config(plan.arms[0])
    assert (config.run.iterations, config.training.epochs, config.strategy.batch) == (8, 5, 40)


@pytest.fixture
def result():
    overlaps = (Overlap(5, 0.7, 0.8, None, 3), Overlap(25, 0.9, 0.95, 0.85, 2))
    return PassesResult(overlaps, 100, 1500, 200, 4)


def test_ours_beside_the_thesiss(result):
    table = overlap_table(result)
    assert table.rows == (
        ("5", "75.0 %", "70.0 %", "80.0 %", "–", "3"),
        ("25", "–", "90.0 %", "95.0 %", "85.0 %", "2"),
    )
    assert "By chance it would be 13.3 %" in table.note
    chart = overlap_chart(result)
    assert [(p.name, p.x, p.y) for p in chart.reported] == [("thesis", 5, 0.75)]
    assert [band.mean for band in chart.bands] == [(0.7, 0.9), (0.8, 0.95)]
    assert chart.references[0].y == pytest.approx(200 / 1500)


def test_the_page(result, tmp_path):
    page = write_passes(tmp_path, result, "weights.h5")
    assert (tmp_path / "passes.png").read_bytes().startswith(b"\x89PNG")
    text = page.read_text(encoding="utf-8")
    for words in ("weights.h5", "75.0 %", "70.0 %", "independent passes"):
        assert words in text
