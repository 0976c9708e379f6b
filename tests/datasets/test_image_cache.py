from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mrcnn_al.datasets.image_cache import cached_images

SIDES = {"small": 10, "other": 10, "third": 10, "large": 40}
ROOM = 2 * 10 * 10 * 3


@pytest.fixture
def loaded():
    return []


@pytest.fixture
def load(loaded):
    def load_image(image_id):
        loaded.append(image_id)
        return np.full((SIDES[image_id], SIDES[image_id], 3), len(image_id), np.uint8)

    return cached_images(load_image, ROOM)


def test_what_fits_is_loaded_once(load, loaded):
    first, *_, again = [load(image_id) for image_id in ("small", "other", "small")]
    assert again is first
    assert loaded == ["small", "other"]


def test_what_was_used_last_stays(load, loaded):
    for image_id in ("small", "other", "small", "third", "small", "other"):
        load(image_id)
    assert loaded == ["small", "other", "third", "other"]


def test_an_image_larger_than_the_room_pushes_nothing_out(load, loaded):
    for image_id in ("small", "large", "large", "small"):
        assert load(image_id).shape[0] == SIDES[image_id]
    assert loaded == ["small", "large", "large"]


def test_threads(load):
    with ThreadPoolExecutor(8) as threads:
        for image_id, image in zip([*SIDES] * 50, threads.map(load, [*SIDES] * 50), strict=True):
            assert (image == len(image_id)).all()


def test_an_image_that_cannot_be_read_is_asked_for_again():
    answers = iter([OSError("busy"), np.zeros((1, 1, 3), np.uint8)])

    def load_image(image_id):
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    load = cached_images(load_image)
    with pytest.raises(OSError, match="busy"):
        load("a")
    assert load("a").shape == (1, 1, 3)
