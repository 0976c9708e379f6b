import io

import numpy as np
import pytest
from PIL import Image

from mrcnn_al.datasets.image_file import check_image_file, read_image
from mrcnn_al.errors import UserError


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


@pytest.fixture
def colours() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (13, 17, 3), dtype=np.uint8)


def test_rgb_from_a_path_and_from_its_content(tmp_path, colours):
    path = tmp_path / "a.png"
    Image.fromarray(colours).save(path)
    for source in (path, str(path), path.read_bytes()):
        pixels = read_image(source)
        assert pixels.dtype == np.uint8
        np.testing.assert_array_equal(pixels, colours)


def test_alpha_is_dropped_whatever_it_says(colours):
    alpha = np.zeros((13, 17, 1), np.uint8)
    rgba = Image.fromarray(np.concatenate([colours, alpha], axis=2))
    np.testing.assert_array_equal(read_image(encoded(rgba)), colours)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_becomes_three_equal_channels(colours, mode):
    grey = Image.fromarray(colours[:, :, 0]).convert(mode)
    expected = np.repeat(colours[:, :, :1], 3, axis=2)
    np.testing.assert_array_equal(read_image(encoded(grey)), expected)


def test_black_and_white():
    bits = np.eye(5, dtype=bool)
    pixels = read_image(encoded(Image.fromarray(bits)))
    np.testing.assert_array_equal(pixels, np.where(bits, 255, 0)[:, :, None].repeat(3, axis=2))


@pytest.mark.parametrize("options", [{}, {"transparency": bytes([0, 128, 255])}])
def test_palette(options):
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8)).convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    pixels = read_image(encoded(image, **options))
    assert pixels.tolist() == [[[10, 20, 30], [40, 50, 60]], [[70, 80, 90], [40, 50, 60]]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_to_eight(kind):
    values = np.array([[0, 128, 129, 257], [32767, 65406, 65407, 65535]], np.uint16)
    pixels = read_image(encoded(Image.fromarray(values), kind))
    assert pixels[:, :, 0].tolist() == [[0, 0, 1, 1], [127, 254, 255, 255]]
    assert (pixels == pixels[:, :, :1]).all()


def test_floating_point_is_refused():
    image = encoded(Image.fromarray(np.zeros((4, 4), np.float32)), "TIFF")
    with pytest.raises(UserError, match=r"depth map cannot be read.*floating-point"):
        read_image(image, "depth map")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP"])
@pytest.mark.parametrize("part", [0, 0.02, 0.3, 0.6, 0.9])
def test_a_cut_off_file_is_named(kind, part):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    with pytest.raises(UserError, match=r"folder/broken\.img cannot be read"):
        read_image(content[: int(part * len(content))], "folder/broken.img")


def test_a_damaged_file_never_raises_anything_else():
    content = encoded(Image.effect_noise((40, 40), 60))
    rng = np.random.default_rng(1)
    failures = 0
    for _ in range(200):
        damaged = bytearray(content)
        damaged[rng.integers(len(content))] ^= int(rng.integers(1, 256))
        try:
            assert read_image(bytes(damaged)).dtype == np.uint8
        except UserError:
            failures += 1
    assert failures > 50


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.png does not exist"):
        read_image(tmp_path / "none.png")
    with pytest.raises(UserError, match="cannot be read"):
        read_image(tmp_path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF"])
def test_a_whole_file_passes_and_one_that_is_cut_off_does_not(tmp_path, kind):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 50, 3), np.uint8))
    whole, path = encoded(image, kind), tmp_path / "image"
    path.write_bytes(whole)
    assert check_image_file(path) == (60, 50)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="image cannot be read, it may be damaged or cut off"):
        check_image_file(path)


def test_a_file_with_something_behind_its_end_passes(tmp_path, colours):
    (tmp_path / "a.jpg").write_bytes(encoded(Image.fromarray(colours), "JPEG") + b"x" * 500)
    assert check_image_file(tmp_path / "a.jpg") == (13, 17)
