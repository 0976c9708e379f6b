"""Draws one synthetic microscopy image with exact masks.

Only additions, multiplications, divisions and square roots of floats are used, which IEEE 754
defines to the last bit: the same generator state gives the same pixels on every machine.
"""

from dataclasses import astuple, dataclass

import numpy as np

from mrcnn_al.instances import Instances, tight_box

CLASS_NAMES = ("lymphocyte", "fibroblast", "tumour cell")
MIN_PIXELS = 25
REACH = 24

# Haematoxylin and eosin: optical density in red, green and blue of one unit of stain.
HAEMATOXYLIN = np.array([0.60, 0.76, 0.28])
EOSIN = np.array([0.09, 0.62, 0.28])


@dataclass(frozen=True)
class _Look:
    """How a nucleus looks; in the table of classes each field is a (low, high) range."""

    radius: float  # of a circle of the same area, pixels
    aspect: float  # long axis over short axis
    irregular: float  # departure of the outline from an ellipse, relative to the radius
    bend: float  # of the long axis
    density: float  # of chromatin, so brightness in fluorescence, darkness when stained
    texture: float  # contrast of chromatin clumps, relative to the density
    rim: float  # how much denser the outline is than the inside


# The ranges overlap: size, shape, density and texture tell a class only together.
_CLASSES = (
    _Look((4.0, 6.8), (1.0, 1.35), (0.02, 0.1), (0.0, 0.1), (0.75, 1.15), (0.1, 0.3), (0.0, 0.2)),
    _Look((4.6, 7.6), (1.7, 3.8), (0.03, 0.12), (0.0, 0.3), (0.55, 1.0), (0.1, 0.4), (0.0, 0.3)),
    _Look((5.8, 12.5), (1.0, 1.6), (0.08, 0.24), (0.0, 0.1), (0.4, 0.85), (0.35, 0.9), (0.1, 0.6)),
)  # fmt: skip


@dataclass(frozen=True)
class _Nucleus:
    class_id: int
    mask: np.ndarray  # bool [2 REACH + 1, 2 REACH + 1]
    density: np.ndarray  # float64 of the same shape


def draw_image(rng: np.random.Generator, size: int) -> tuple[np.ndarray, Instances]:
    """Draws nuclei of three classes, bright on dark or stained.

    Args:
        rng: decides everything about the image.
        size: height and width, pixels.

    Returns:
        RGB, uint8 [size, size, 3], and 2 to 25 instances without overlap, each of at least
        `MIN_PIXELS` pixels; nuclei at the border are cut off.
    """
    labels, chromatin, class_ids = _place_nuclei(rng, size)
    blurred = _blur(chromatin, int(rng.integers(1, 6)))
    stained = rng.random() < 0.5
    pixels = _stained(rng, blurred) if stained else _fluorescent(rng, blurred)
    grain = _uniform(rng, 0.006, 0.035)
    noise = _bell_noise(rng, pixels.shape if stained else (size, size, 1))
    pixels = pixels + noise * grain * (0.35 + np.sqrt(pixels))
    quantised = np.floor(np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)
    return quantised, _instances(labels, class_ids)


def _place_nuclei(rng, size):
    labels = np.zeros((size, size), np.int32)
    chromatin = np.zeros((size, size))
    class_ids: list[int] = []
    centres: list[tuple[float, float]] = []
    wanted = int(rng.integers(2, 26))
    crowding = rng.random() * 0.7
    mixture = np.cumsum(rng.random(3) + 0.1)
    # A dense tissue may leave no room; two cells always fit.
    attempts = 0
    while len(class_ids) < wanted and (attempts < 6 * wanted or len(class_ids) < 2):
        attempts += 1
        class_index = int(np.searchsorted(mixture, rng.random() * mixture[-1]))
        nucleus = _nucleus(rng, class_index)
        if centres and rng.random() < crowding:
            y, x = centres[int(rng.integers(len(centres)))]
            step = _direction(rng)
        else:
            y, x = rng.random(2) * size
            step = np.zeros(2)
        position = _free_position(labels, nucleus.mask, np.array([y, x]), step)
        if position is None:
            continue
        canvas, patch = _windows(position, size)
        inside = nucleus.mask[patch]
        if np.count_nonzero(inside) < MIN_PIXELS:
            continue
        class_ids.append(nucleus.class_id)
        centres.append(position)
        labels[canvas][inside] = len(class_ids)
        chromatin[canvas][inside] = nucleus.density[patch][inside]
    return labels, chromatin, class_ids


def _free_position(labels, mask, start, step):
    """Moves from `start` by `step` until nothing is covered, so that the two cells touch."""
    size = len(labels)
    for distance in range(2 * REACH if step.any() else 1):
        y, x = np.floor(start + distance * step).astype(int).tolist()
        if not (0 <= y < size and 0 <= x < size):
            return None
        canvas, patch = _windows((y, x), size)
        if not labels[canvas][mask[patch]].any():
            return y, x
    return None


def _windows(position, size):
    """Where a patch around `position` meets the image, in the image and in the patch."""
    canvas, patch = [], []
    for centre in position:
        low, high = max(centre - REACH, 0), min(centre + REACH + 1, size)
        canvas.append(slice(low, high))
        patch.append(slice(low - centre + REACH, high - centre + REACH))
    return tuple(canvas), tuple(patch)


def _nucleus(rng, class_index):
    look = _draw_look(rng, class_index)
    if rng.random() < 0.12:
        # Some cells are halfway to another class, as pathologists know them.
        other = _draw_look(rng, int(rng.integers(len(_CLASSES))))
        look = _Look(*((a + b) / 2 for a, b in zip(astuple(look), astuple(other), strict=True)))
    axis = np.arange(-REACH, REACH + 1, dtype=float)
    y, x = axis[:, None], axis[None, :]
    sine, cosine = _direction(rng)
    stretch = np.sqrt(look.aspect)
    u = (x * cosine + y * sine) / (look.radius * stretch)
    v = (y * cosine - x * sine) * stretch / look.radius
    v = v - look.bend * stretch * (u * u - 0.3)
    distance = np.sqrt(u * u + v * v)
    distance = distance / (1 + look.irregular * _outline(rng, u, v, distance))
    side = 2 * REACH + 1
    clumps = _smooth_noise(rng, side, 16) - 0.5
    squared = distance * distance
    # The rim grows with the fourth power of the distance, the dome falls with the second.
    profile = 1 - 0.25 * squared + look.rim * (squared * squared - 0.5)
    density = look.density * (profile + 1.6 * look.texture * clumps)
    return _Nucleus(class_index + 1, distance < 1, np.clip(density, 0.08, None))


def _draw_look(rng, class_index):
    return _Look(*(_uniform(rng, low, high) for low, high in astuple(_CLASSES[class_index])))


def _outline(rng, u, v, distance):
    """A smooth random function of the direction: cosines and sines of 2 to 4 times the angle."""
    safe = np.where(distance > 0, distance, 1)
    real, imaginary = u / safe, v / safe
    power = (real, imaginary)
    total = np.zeros_like(distance)
    for harmonic in range(2, 5):
        power = (
            power[0] * real - power[1] * imaginary,
            power[0] * imaginary + power[1] * real,
        )
        weights = (rng.random(2) * 2 - 1) * (2.4 / harmonic)
        total = total + weights[0] * power[0] + weights[1] * power[1]
    return np.clip(total, -2, 2)


def _fluorescent(rng, chromatin):
    size = len(chromatin)
    exposure = _uniform(rng, 0.22, 0.85)
    lamp = 0.65 + 0.7 * _smooth_noise(rng, size, 2)
    haze = _uniform(rng, 0.01, 0.10) * (0.5 + _smooth_noise(rng, size, 3))
    # Light from cells out of focus glows around the sharp ones.
    glow = _uniform(rng, 0.02, 0.25) * _blur(chromatin, 40)
    grey = lamp * exposure * (chromatin + glow) + haze
    tint = np.ones(3)
    if rng.random() < 0.3:
        tint = np.array([0.25, 0.45, 1.0]) if rng.random() < 0.6 else np.array([0.3, 1.0, 0.4])
    return np.clip(grey, 0, 1)[:, :, None] * tint


def _stained(rng, chromatin):
    size = len(chromatin)
    fibres = 0.6 * _smooth_noise(rng, size, 7) + 0.4 * _smooth_noise(rng, size, 24)
    gaps = np.clip((_smooth_noise(rng, size, 5) - 0.2) * 6, 0, 1)
    eosin = _uniform(rng, 0.35, 0.85) * gaps * (0.35 + 0.9 * fibres)
    # Nuclei displace the cytoplasm around them only partly, and stain some of it.
    haematoxylin = _uniform(rng, 0.75, 1.35) * (chromatin + 0.10 * _blur(chromatin, 24))
    haematoxylin = haematoxylin + 0.10 * fibres * gaps
    covered = np.clip(chromatin, 0, 1)
    eosin = eosin * (1 - 0.6 * covered)
    density = haematoxylin[:, :, None] * HAEMATOXYLIN + eosin[:, :, None] * EOSIN
    density = density * (0.85 + 0.3 * _smooth_noise(rng, size, 2))[:, :, None]
    # The reciprocal of exp's series to the third power; exp itself differs between libraries.
    passed = 1 / (1 + density * (1 + density * (0.5 + density / 6)))
    return 0.96 * passed


def _instances(labels, class_ids):
    boxes, masks = [], []
    for index in range(1, len(class_ids) + 1):
        inside = labels == index
        box = tight_box(inside)
        boxes.append(box)
        masks.append(inside[box[0] : box[2], box[1] : box[3]].copy())
    return Instances(*labels.shape, np.array(class_ids), np.array(boxes), tuple(masks))


def _uniform(rng, low, high):
    return low + (high - low) * rng.random()


def _direction(rng):
    """A unit vector of random direction, without trigonometry."""
    while True:
        vector = rng.random(2) * 2 - 1
        length = vector[0] * vector[0] + vector[1] * vector[1]
        if 0.01 < length < 1:
            return vector / np.sqrt(length)


def _smooth_noise(rng, size, cells):
    """Random values in 0..1 on a lattice of `cells` x `cells`, smoothly between: [size, size]."""
    lattice = rng.random((cells + 1, cells + 1))
    position = np.arange(size) * (cells / size)
    low = position.astype(int)
    part = position - low
    part = part * part * (3 - 2 * part)
    rows = lattice[low] * (1 - part)[:, None] + lattice[low + 1] * part[:, None]
    return rows[:, low] * (1 - part) + rows[:, low + 1] * part


def _bell_noise(rng, shape):
    """Nearly Gaussian noise of variance 1: sums of four uniform values."""
    total = np.zeros(shape)
    for _ in range(4):
        total = total + (rng.random(shape) - 0.5)
    return total * np.sqrt(3.0)


def _blur(image, passes):
    """Binomial blur of standard deviation sqrt(passes / 2) pixels."""
    for _ in range(passes):
        padded = np.pad(image, 1, mode="edge")
        rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
        image = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 16
    return image
