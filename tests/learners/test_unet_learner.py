import pytest
from learner_case import LearnerCase

from mrcnn_al.errors import UserError

SMALL = {"filters": 6, "depth": 2, "image_min_dim": 64, "image_max_dim": 64}


class TestUNet(LearnerCase):
    settings = {"run": {"learner": "unet"}, "unet": SMALL}  # noqa: RUF012

    def test_pixels_are_measured_too(self, learner, dataset):
        metrics = learner.evaluate(dataset, dataset.image_ids[4:], "evaluating")
        assert 0 <= metrics["mIoU"] <= metrics["Dice"] <= 1
        assert set(metrics["pixels"]) == {"background", *dataset.class_names}

    def test_the_truth_is_loaded_once(self, learner, dataset, monkeypatch):
        loaded, load = [], dataset.load_instances
        monkeypatch.setattr(dataset, "load_instances", lambda i: loaded.append(i) or load(i))
        learner.evaluate(dataset, dataset.image_ids[4:], "evaluating")
        assert loaded == list(dataset.image_ids[4:])

    def test_it_starts_from_a_file_of_its_own(self, learner, make, tmp_path):
        learner.save_weights(tmp_path / "weights.h5")
        run = {"learner": "unet", "weights": str(tmp_path / "weights.h5")}
        other = make(seed=1, run=run)
        assert other.start_report.complete

    @pytest.mark.parametrize("weights", ["imagenet", "coco"])
    def test_weights_of_a_mask_rcnn_are_refused(self, make, weights):
        with pytest.raises(UserError, match=f"no weights '{weights}' for a U-Net"):
            make(run={"learner": "unet", "weights": weights})
