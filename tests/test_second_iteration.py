"""What the second iteration need not do again: compile a program, score a scored image."""

import keras
import pytest
from small_model import MODEL, use_small_backbone

from mrcnn_al.config import Config
from mrcnn_al.datasets.base import Subset
from mrcnn_al.datasets.toy import generate_toy
from mrcnn_al.loop import ActiveLearning
from mrcnn_al.oracle import HiddenTruthOracle
from mrcnn_al.run_store import RunStore
from mrcnn_al.strategies.factory import strategy_from_config
from mrcnn_al.uncertainty.pool_scorer import PoolScorer

# At most eight masks at a time, which JAX compiles one program for.
PASSES, DETECTIONS = 2, 4
LEARNERS = {
    "mask_rcnn": {
        "model": {
            **{name: getattr(MODEL, name) for name in ("image_min_dim", "image_max_dim")},
            **{"top_down_pyramid_size": 12, "rpn_channels": 12, "fpn_classif_fc_layers_size": 24},
            **{"mask_head_channels": 6, "mask_head_convolutions": 1, "max_gt_instances": 12},
            **{"post_nms_rois_training": 40, "post_nms_rois_inference": 20},
            **{"train_rois_per_image": 16, "detection_max_instances": DETECTIONS},
        },
        "run": {"learner": "mask_rcnn", "carry_weights": False},
    },
    "unet": {
        "unet": {"image_min_dim": 64, "image_max_dim": 64, "filters": 4, "depth": 2},
        "run": {"learner": "unet", "carry_weights": True},
    },
    "quick": {"run": {"learner": "quick"}},
}


@pytest.fixture(autouse=True)
def quickly_compiled(monkeypatch):
    use_small_backbone(monkeypatch)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return generate_toy(tmp_path_factory.mktemp("toy"), seed=0, count=14, size=64)


def make_learning(dataset, folder, learner, iterations=2, say=lambda line: None):
    """A run on 10 images with pseudo-labels, or what is left of it to do."""
    sections = LEARNERS[learner]
    config = Config.preset(
        "cpu",
        **{
            **sections,
            "run": {**sections["run"], "iterations": iterations, "weights": "none", "labelled": 2},
            "strategy": {"name": "semi", "batch": 2, "pseudo_threshold": 1e9},
            "sampling": {"passes": PASSES, "min_confidence": 0.0},
            "training": {
                **{"epochs": 1, "images_per_batch": 2, "learning_rate": 1e-4, "warmup_steps": 2},
                "early_stopping_patience": 3,
            },
        },
    ).fitted_to(dataset.class_names)
    ids = dataset.image_ids
    subset = Subset("toy", dataset, ids[:10], ids[:2], ids[10:12], ids[12:])
    store = RunStore(folder)
    if not store.config_path.exists():
        store = RunStore.create(folder, config.to_yaml())
    oracle = HiddenTruthOracle(dataset)
    return ActiveLearning(config, subset, strategy_from_config(config.strategy), oracle, store, say)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="there is nothing to compile")
@pytest.mark.parametrize(
    "learner", ["mask_rcnn", pytest.param("unet", marks=pytest.mark.repetition)]
)
def test_nothing_is_compiled_again(dataset, tmp_path, monkeypatch, learner):
    """Python runs the layers when a model is made and when a program is traced, and never else.

    The second iteration has other labelled and pseudo-labelled images, and more of them.
    """
    calls, ended = [], []
    call = keras.layers.Layer.__call__
    monkeypatch.setattr(
        keras.layers.Layer,
        "__call__",
        lambda self, *a, **k: calls.append(self) or call(self, *a, **k),
    )
    learning = make_learning(dataset, tmp_path / "run", learner)
    commit = learning._commit
    learning._commit = lambda *arguments: (commit(*arguments), ended.append(len(calls)))[0]
    assert len(learning.run()) == 2
    first, second = ended
    assert first > 50
    assert [layer.name for layer in calls[first:]] == []
    assert second == first
    labelled = [files.read_labelled() for files in learning.store.iterations()]
    assert [len(ids) for ids, _ in labelled] == [2, 4]
    before, after = (len(ids) for _, ids in labelled)
    # What an untrained Mask R-CNN finds may have no pixel.
    assert before == 0 < after <= 6
    assert learner != "unet" or after == 6


def test_scored_images_are_not_scored_again(dataset, tmp_path, monkeypatch):
    """A run that is interrupted while it scores goes on with the images that are left."""
    whole = make_learning(dataset, tmp_path / "whole", "quick", 1)
    whole.run()
    scored, said = [], []
    score = PoolScorer.row

    def row(self, image_id, seed):
        if len(scored) == 5:
            raise KeyboardInterrupt
        scored.append(image_id)
        return score(self, image_id, seed)

    monkeypatch.setattr(PoolScorer, "row", row)
    with pytest.raises(KeyboardInterrupt):
        make_learning(dataset, tmp_path / "run", "quick", 1).run()
    (files,) = RunStore(tmp_path / "run").iterations()
    assert scored == list(dataset.image_ids[2:7])
    assert len(files.scored_path.read_bytes().splitlines()) == 5
    del scored[:]
    learning = make_learning(dataset, tmp_path / "run", "quick", 1, said.append)
    learning.run()
    assert scored == list(dataset.image_ids[7:10])
    assert "[1] 5 images are scored already" in said
    assert not files.scored_path.exists()
    (expected,) = whole.store.iterations()
    assert files.scores_path.read_bytes() == expected.scores_path.read_bytes()
