"""The published weights files that `--weights imagenet` and `--weights coco` mean."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class KnownFile:
    """A published file.

    Attributes:
        name: it has in the weights folder.
        url: where it is published.
        md5: as published, in hexadecimal; None where no checksum is published.
        size: bytes; None where only the checksum is known.
    """

    name: str
    url: str
    md5: str | None = None
    size: int | None = None


# By backbone. That of ResNet-50 is the one of Matterport's get_imagenet_weights; for ResNet-101
# there is only keras.applications'. The checksums are those of the code that loads them.
IMAGENET_FILES = {
    "resnet50": KnownFile(
        "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "https://github.com/fchollet/deep-learning-models/releases/download/v0.2/"
        "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        md5="a268eb855778b3df3c7506639542a6af",
    ),
    "resnet101": KnownFile(
        "resnet101_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "https://storage.googleapis.com/tensorflow/keras-applications/resnet/"
        "resnet101_weights_tf_dim_ordering_tf_kernels_notop.h5",
        md5="88cf7a10940856eca736dc7b7e228a21",
    ),
}
COCO_FILE = KnownFile(
    "mask_rcnn_coco.h5",
    "https://github.com/matterport/Mask_RCNN/releases/download/v2.0/mask_rcnn_coco.h5",
    size=257_557_808,
)


def weights_folder() -> Path:
    """Where weights files lie: `$MRCNN_AL_WEIGHTS`, or `weights` in the current folder."""
    return Path(os.environ.get("MRCNN_AL_WEIGHTS") or "weights")
