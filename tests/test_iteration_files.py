import numpy as np
import pytest

from mrcnn_al.errors import UserError
from mrcnn_al.evaluation.pseudo_quality import PseudoQuality
from mrcnn_al.iteration_files import IterationFiles
from mrcnn_al.score_table import ScoreRecord
from mrcnn_al.strategies import Query
from mrcnn_al.uncertainty.image_features import ImageFeatures
from mrcnn_al.uncertainty.score_row import ScoreRow

SCORES_HEADER = (
    "image_id,detections,detected_passes,"
    "least_confident,least_confident_mean,least_confident_sum,"
    "entropy,entropy_mean,entropy_sum,margin,margin_mean,margin_sum,"
    "maskal,maskal_mean,maskal_sum,mask,mask_by_class,passes,zone,queried,reason"
)
GOOD_LINE = "a,1.5,2,0.1,0.1,0.1,0.2,0.2,0.2,0.3,0.3,0.3,0.4,0.4,0.4,3.0,1:3.0,10,low,1,zone:low"
EARLIER_HEADER = (
    "image_id,detections,detected_passes,least_confident,entropy,mask,mask_by_class,passes,"
    "zone,queried,reason"
)


OTHER_FLOATS = (
    *("least_confident_mean", "least_confident_sum", "entropy", "entropy_mean", "entropy_sum"),
    *("margin", "margin_mean", "margin_sum", "maskal", "maskal_mean", "maskal_sum"),
)


@pytest.fixture
def iteration(tmp_path):
    return IterationFiles(1, tmp_path / "iteration_001")


def test_json_files_survive(iteration):
    iteration.write_labelled(["b", "a"], ["c"])
    assert iteration.read_labelled() == (("b", "a"), ("c",))
    iteration.write_metrics({"AP": 0.1, "per_class": {"nucleus": None}})
    assert iteration.read_metrics() == {"AP": 0.1, "per_class": {"nucleus": None}}
    iteration.write_pseudo_labels([{"image_id": "c", "score": 0.9}])
    assert iteration.read_pseudo_labels() == [{"image_id": "c", "score": 0.9}]
    iteration.write_batch_classes(("cat", "dog"), {"x": [1, 0], "y": [0, 0]})
    assert iteration.read_batch_classes() == (("cat", "dog"), {"x": [1, 0], "y": [0, 0]})
    qualities = [PseudoQuality("c", 3, 2, 1, 0.1 + 0.2), PseudoQuality("d", 0, 1, 0, None)]
    iteration.write_pseudo_quality(qualities)
    assert iteration.read_pseudo_quality() == qualities
    query = Query(("x", "y"), ("zone:low", "random"))
    iteration.write_batch(query)
    assert iteration.read_batch() == query


def test_history_survives(iteration):
    epochs = [{"epoch": 1, "loss": 0.1 + 0.2}, {"epoch": 2, "loss": 1.0, "val_loss": float("inf")}]
    iteration.write_history(epochs)
    assert iteration.history_path.read_text().startswith("epoch,loss,val_loss\n1,0.3000")
    read = iteration.read_history()
    assert read == epochs
    assert isinstance(read[0]["epoch"], int)
    assert isinstance(read[1]["loss"], float)


def test_numpy_numbers_are_numbers(iteration):
    iteration.write_history([{"epoch": np.int64(1), "loss": np.float32(0.1)}])
    assert iteration.read_history() == [{"epoch": 1, "loss": float(np.float32(0.1))}]


def test_a_training_without_epochs_has_an_empty_history(iteration):
    iteration.write_history([])
    assert iteration.read_history() == []


def test_scores_survive_to_the_last_bit(iteration):
    rng = np.random.default_rng(0)
    awkward = [0.1 + 0.2, 5e-324, 1e308, -0.0, np.nextafter(1.0, 2.0), np.float32(0.1)]
    values = [*awkward, *rng.random(100), *(rng.random(100) * 1e-9)]
    records = [
        ScoreRecord(
            ScoreRow(
                image_id=f'train, "{index}"\n',
                detections=value,
                detected_passes=np.int64(index),
                least_confident=-value,
                **{name: value / (3 + place) for place, name in enumerate(OTHER_FLOATS)},
                mask=value / 7,
                mask_by_class=((1, value), (np.int32(80), value / 9)),
                passes=10,
            ),
            zone="high",
            reason="random" if index % 2 else "",
        )
        for index, value in enumerate(values)
    ]
    iteration.write_scores(records)
    read = iteration.read_scores()
    assert read == records
    assert [record.queried for record in read[:4]] == [False, True, False, True]
    # Equality does not tell -0.0 from 0.0.
    assert np.signbit(read[3].row.detections)


def test_scores_before_the_query(iteration):
    iteration.write_scores([ScoreRecord(ScoreRow("a", mask_by_class=((1, 12.5), (3, 7.0))))])
    assert iteration.scores_path.read_text() == (
        f"{SCORES_HEADER}\na,0.0,0,{'0.0,' * 13}1:12.5;3:7.0,0,,0,\n"
    )


def test_features_survive(iteration):
    values = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    iteration.write_features(ImageFeatures(("b", "a", "ü 12"), values))
    read = iteration.read_features()
    assert read.image_ids == ("b", "a", "ü 12")
    assert read.values.dtype == np.float32
    np.testing.assert_array_equal(read.values, values)
    assert [path.name for path in iteration.folder.iterdir()] == ["features.npz"]


@pytest.mark.parametrize("damage", ["", "no archive", "cut", "pickle", "other"])
def test_broken_features_are_named(iteration, damage):
    with pytest.raises(UserError, match=r"features\.npz does not exist"):
        iteration.read_features()
    iteration.write_features(ImageFeatures(("a",), np.zeros((1, 500), np.float32)))
    path = iteration.features_path
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-700])
    elif damage == "pickle":
        np.savez(path, image_ids=np.array(["a", None], object), features=np.zeros((2, 1)))
    elif damage == "other":
        np.savez(path, image_ids=np.array(["a"]), features=np.zeros((2, 1)))
    else:
        path.write_text(damage)
    with pytest.raises(UserError, match=r"features\.npz is broken"):
        iteration.read_features()


def test_an_empty_pool_has_an_empty_table(iteration):
    iteration.write_scores([])
    assert iteration.read_scores() == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 0: its columns must be image_id,"),
        ("mask,image_id\n1,a\n", "line 1: its columns"),
        (f"{EARLIER_HEADER}\n", "line 1: it lacks the columns least_confident_mean, .*Delete it"),
        (f"{SCORES_HEADER}\n{GOOD_LINE}\na,1.5\n", "line 3"),
        (f"{SCORES_HEADER}\n{GOOD_LINE.replace('1.5', 'much')}\n", "line 2: .*much"),
        (f"{SCORES_HEADER}\n{GOOD_LINE.replace('1:3.0', '1')}\n", "line 2"),
        (f"{SCORES_HEADER}\n{GOOD_LINE.replace(',1,', ',0,')}\n", "a reason exactly where"),
        (f'{SCORES_HEADER}\n"a', "line 2"),
    ],
)
def test_broken_scores_are_named(iteration, text, message):
    iteration.folder.mkdir()
    iteration.scores_path.write_text(text)
    with pytest.raises(UserError, match=rf"scores\.csv is broken: .*{message}"):
        iteration.read_scores()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labelled", '{"labelled": ["a"]}'),
        ("labelled", '{"labelled": ["a"], "pseudo_labelled": [1]}'),
        ("labelled", "[]"),
        ("history", "epoch,loss\n1,low\n"),
        ("metrics", "[]"),
        ("metrics", '{"AP": '),
        ("batch", '{"image_ids": ["a"], "reasons": []}'),
        ("pseudo_labels", "{}"),
        ("batch_classes", '{"class_names": ["a"]}'),
        ("batch_classes", '{"class_names": ["a"], "instances": {"x": [1, 2]}}'),
        ("batch_classes", '{"class_names": ["a"], "instances": {"x": ["1"]}}'),
        ("pseudo_quality", "{}"),
        ("pseudo_quality", "[1]"),
        ("pseudo_quality", '[{"image_id": "a", "labelled": 1}]'),
    ],
)
def test_broken_files_are_named(iteration, name, text):
    path = getattr(iteration, f"{name}_path")
    with pytest.raises(UserError, match=f"{path.name} does not exist"):
        getattr(iteration, f"read_{name}")()
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(UserError, match=path.name):
        getattr(iteration, f"read_{name}")()


def test_a_refused_value_leaves_the_old_file(iteration):
    iteration.write_metrics({"AP": 0.5})
    with pytest.raises(ValueError, match="JSON"):
        iteration.write_metrics({"AP": float("nan")})
    assert iteration.read_metrics() == {"AP": 0.5}
    assert [path.name for path in iteration.folder.iterdir()] == ["metrics.json"]
