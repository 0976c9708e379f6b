"""Images to what the network sees, and the way back for boxes (NumPy)."""

from dataclasses import dataclass

import numpy as np

from mrcnn_al.ops.boxes import norm_boxes, norm_scale


@dataclass(frozen=True)
class Geometry:
    """Where an image lies inside the network's input.

    Attributes:
        original: height and width of the image, pixels.
        padded: height and width of the input, pixels.
        window: (y1, x1, y2, x2) of the scaled image inside the input, pixels.
        scale: scaled size / original size.
    """

    original: tuple[int, int]
    padded: tuple[int, int]
    window: tuple[int, int, int, int]
    scale: float

    def norm_window(self) -> np.ndarray:
        """The window, normalised to the input, float32 [4]."""
        return norm_boxes(np.array(self.window, np.float32), *self.padded)

    def cover(self, cell: int) -> np.ndarray:
        """The share of each cell of the input that lies in the window, float32 [h, w].

        Args:
            cell: side of the square cells, pixels of the input.
        """
        shares = []
        for low, high, extent in zip(self.window[:2], self.window[2:], self.padded, strict=True):
            starts = np.arange(0, extent, cell)
            covered = np.minimum(starts + cell, high) - np.maximum(starts, low)
            shares.append(np.maximum(covered, 0) / cell)
        return np.outer(*shares).astype(np.float32)

    def to_original(self, boxes: np.ndarray) -> np.ndarray:
        """Normalised boxes of the input to float pixels of the image (unmold_detections).

        The reference goes through coordinates normalised to the window, so pixel centres at
        the borders of both coincide.
        """
        y1, x1, y2, x2 = self.norm_window()
        shift = np.array([y1, x1, y1, x1])
        scale = np.array([y2 - y1, x2 - x1, y2 - y1, x2 - x1])
        scale_out, shift_out = norm_scale(*self.original)
        return (boxes - shift) / scale * scale_out + shift_out

    def to_original_half_pixel(self, boxes: np.ndarray) -> np.ndarray:
        """The same, with pixel borders at the borders of both coinciding."""
        scale, shift = norm_scale(*self.padded)
        top, left, bottom, right = self.window
        factor = np.array([(bottom - top), (right - left)]) / np.array(self.original)
        pixels = boxes * scale + shift - np.array([top, left, top, left])
        return pixels / np.concatenate([factor, factor])


def plan_resize(
    height: int, width: int, mode: str, min_dim: int, max_dim: int, min_scale: float
) -> Geometry:
    """How an image is scaled and padded (Matterport's resize_image, modes of inference).

    Args:
        height: of the image.
        width: of the image.
        mode: `none`; `square`: padded to max_dim x max_dim; `pad64`: to multiples of 64.
        min_dim: the short side is scaled up to it.
        max_dim: in mode square the long side is limited to it.
        min_scale: the least factor; 0 for none.
    """
    if mode == "none":
        return Geometry((height, width), (height, width), (0, 0, height, width), 1)
    scale = max(1, min_dim / min(height, width))
    scale = max(scale, min_scale)
    if mode == "square" and round(max(height, width) * scale) > max_dim:
        scale = max_dim / max(height, width)
    new_height, new_width = (max(1, round(extent * scale)) for extent in (height, width))
    if mode == "square":
        padded = (max_dim, max_dim)
    else:
        padded = (-(-new_height // 64) * 64, -(-new_width // 64) * 64)
    top, left = (padded[0] - new_height) // 2, (padded[1] - new_width) // 2
    window = (top, left, top + new_height, left + new_width)
    return Geometry((height, width), padded, window, scale)


def scale_image(image: np.ndarray, height: int, width: int, reference: bool) -> np.ndarray:
    """Scales a uint8 image [H, W, 3] bilinearly.

    Args:
        image: uint8.
        height: of the result.
        width: of the result.
        reference: no anti-aliasing, zeros beyond the borders, truncation, as Matterport's
            resize; off: Pillow's filter, which averages when it shrinks.
    """
    if image.shape[:2] == (height, width):
        return image
    if reference:
        return _warp(image, height, width).astype(np.uint8)
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def place_image(image: np.ndarray, geometry: Geometry, reference: bool) -> np.ndarray:
    """Scales and pads a uint8 image as planned; padding is 0."""
    top, left, bottom, right = geometry.window
    result = np.zeros((*geometry.padded, 3), np.uint8)
    result[top:bottom, left:right] = scale_image(image, bottom - top, right - left, reference)
    return result


def mold_image(image: np.ndarray, mean_pixel, pixel_scale: float = 1.0) -> np.ndarray:
    """(RGB - mean) * scale, float32 (Matterport's mold_image)."""
    return ((image.astype(np.float32) - np.asarray(mean_pixel)) * pixel_scale).astype(np.float32)


def fit_image(image: np.ndarray, config) -> tuple[np.ndarray, Geometry]:
    """An image as a network takes it in inference, and where it lies there.

    Args:
        image: uint8 RGB [H, W, 3].
        config: of the network, a ModelConfig or a UNetConfig.

    Returns:
        float32 [H', W', 3], and its geometry.
    """
    geometry = plan_resize(
        *image.shape[:2],
        config.image_resize_mode_inference or config.image_resize_mode,
        config.image_min_dim,
        config.image_max_dim,
        config.image_min_scale,
    )
    placed = place_image(image, geometry, config.reference_resampling)
    return mold_image(placed, config.mean_pixel, config.pixel_scale), geometry


def _warp(image, height, width):
    """As scikit-image's resize where it truncates to whole grey levels afterwards.

    The map is written down instead of estimated from corners, as in scikit-image 0.16: the last
    bits of an estimate depend on the processor, and a truncated grey level on the last bits.
    """
    from skimage.transform import AffineTransform, warp

    factors = np.array([image.shape[1] / width, image.shape[0] / height])
    return warp(
        image,
        AffineTransform(scale=factors, translation=factors / 2 - 0.5),
        output_shape=(height, width),
        order=1,
        mode="constant",
        cval=0,
        clip=True,
        preserve_range=True,
    )
