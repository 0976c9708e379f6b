"""Changes of brightness, contrast, colour and sharpness; masks stay where they are."""

from dataclasses import replace

import numpy as np
from PIL import Image, ImageFilter

from mrcnn_al.training.augmentation import View

_GREY = np.array([0.299, 0.587, 0.114], np.float32)


def change_brightness(view: View, factor: float) -> View:
    """Multiplies all values, clipped to 0..255."""
    return _with_values(view, view.image.astype(np.float32) * factor)


def change_contrast(view: View, factor: float) -> View:
    """Multiplies the distance of all values from the mean grey of the image."""
    image = view.image.astype(np.float32)
    return _with_values(view, _away_from((image @ _GREY).mean(), image, factor))


def change_saturation(view: View, factor: float) -> View:
    """Multiplies the distance of each pixel from its own grey (luma of ITU-R BT.601)."""
    image = view.image.astype(np.float32)
    return _with_values(view, _away_from((image @ _GREY)[..., None], image, factor))


def turn_hue(view: View, part: float) -> View:
    """Turns the hue by a part of the colour circle, in steps of 1/256; greys stay."""
    hue, *others = Image.fromarray(view.image).convert("HSV").split()
    steps = round(part * 256)
    hue = hue.point([(value + steps) % 256 for value in range(256)])
    image = Image.merge("HSV", (hue, *others)).convert("RGB")
    return replace(view, image=np.array(image))


def blur(view: View, sigma: float) -> View:
    """A Gaussian blur (Pillow's, three box blurs); beyond the border its pixels go on.

    Args:
        view: what is blurred.
        sigma: standard deviation, pixels.
    """
    image = Image.fromarray(view.image).filter(ImageFilter.GaussianBlur(sigma))
    return replace(view, image=np.array(image))


def _away_from(centre, image, factor):
    return centre + (image - centre) * factor


def _with_values(view, image):
    return replace(view, image=np.clip(image + 0.5, 0, 255).astype(np.uint8))
