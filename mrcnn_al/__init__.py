"""Images to labelled data: what to label next for instance segmentation, and why."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrcnn_al.config import ModelConfig
    from mrcnn_al.model import MaskRCNN

__version__ = "0.1.0"
__all__ = ["MaskRCNN", "ModelConfig", "__version__"]


def __getattr__(name: str):
    # Keras and its backend take seconds to import; `mrcnn-al --help` must not wait for them.
    if name == "MaskRCNN":
        from mrcnn_al.model import MaskRCNN

        return MaskRCNN
    if name == "ModelConfig":
        from mrcnn_al.config import ModelConfig

        return ModelConfig
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
