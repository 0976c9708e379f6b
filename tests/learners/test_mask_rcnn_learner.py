import pytest
from learner_case import LearnerCase
from small_model import use_small_backbone

SMALL = {
    "image_min_dim": 64,
    "image_max_dim": 64,
    "top_down_pyramid_size": 16,
    "rpn_channels": 16,
    "fpn_classif_fc_layers_size": 32,
    "mask_head_channels": 8,
    "mask_head_convolutions": 1,
    "pre_nms_limit": 100,
    "post_nms_rois_training": 40,
    "post_nms_rois_inference": 20,
    "train_rois_per_image": 16,
    "max_gt_instances": 20,
    "detection_max_instances": 5,
    "detection_min_confidence": 0.0,
}


@pytest.fixture(scope="module", autouse=True)
def small_backbone():
    with pytest.MonkeyPatch.context() as patch:
        use_small_backbone(patch)
        yield


@pytest.mark.slow
class TestMaskRCNN(LearnerCase):
    settings = {"run": {"weights": "none"}, "model": SMALL}  # noqa: RUF012
