"""A check on how images are scaled, which the networks' settings share."""

from mrcnn_al.errors import UserError

_SIDE_OF_MODE = {"square": "image_max_dim", "crop": "image_min_dim"}


def check_sides(config) -> None:
    """Makes sure that the images of training and of inference can be halved six times.

    Args:
        config: a ModelConfig or a UNetConfig.

    Raises:
        UserError: a side is not divisible by 64.
    """
    for mode in (config.image_resize_mode, config.image_resize_mode_inference):
        name = _SIDE_OF_MODE.get(mode)
        if name is not None and getattr(config, name) % 64:
            raise UserError(
                f"{name} is {getattr(config, name)}; it must be divisible by 64 where images are "
                f"resized by {mode!r}."
            )
