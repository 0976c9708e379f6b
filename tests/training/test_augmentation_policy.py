from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from painted import (
    assert_crowds_kept,
    assert_in_step,
    assert_same,
    assert_tight,
    assert_where_pure,
    many,
    scenes,
    seeds,
    white_on_black,
)

from mrcnn_al.config import ModelConfig, TrainingConfig
from mrcnn_al.errors import UserError
from mrcnn_al.instances import Instances
from mrcnn_al.training.augmentation import View
from mrcnn_al.training.augmentation_policy import augment
from mrcnn_al.training.examples import ExampleMaker, without_augmentation

policies = st.sampled_from(["each", "some_of"])
geometry = st.fixed_dictionaries(
    {
        "augmentation_policy": policies,
        "flips": st.booleans(),
        "vertical_flips": st.booleans(),
        "rotations": st.booleans(),
    }
)
COLOURS = {
    "brightness_jitter": (0.5, 2.0),
    "contrast_jitter": (0.5, 2.0),
    "saturation_jitter": (0.5, 2.0),
    "hue_jitter": 0.5,
}
NUCLEUS_SAMPLE = TrainingConfig.preset(
    "nucleus", augmentation_policy="some_of", vertical_flips=True, blur_sigma=(0.0, 5.0)
)
CORNERS = View(np.arange(12, dtype=np.uint8).reshape(2, 2, 3) * 10 + 100, Instances.empty(2, 2))


def random(seed):
    return np.random.default_rng(seed)


@many
@given(scenes() | scenes(square=True), geometry, seeds)
def test_mirrors_and_turns_keep_masks_on_their_pixels(scene, fields, seed):
    view = augment(View(*scene), TrainingConfig(**fields), random(seed))
    assert view.image.shape == scene[0].shape
    assert_in_step(view, scene[1].class_ids)
    assert_crowds_kept(view, scene[1])
    assert len(view.instances) == len(scene[1])


@many
@given(scenes() | scenes(square=True), geometry, seeds)
def test_with_colours_too(scene, fields, seed):
    """Under `each` the draws of place come first, so it is the same place without colours."""
    fields = {**fields, "augmentation_policy": "each"}
    training = TrainingConfig(**fields, **COLOURS)
    moved = augment(View(*scene), TrainingConfig(**fields), random(seed))
    view = augment(View(*scene), training, random(seed))
    assert_same(View(moved.image, view.instances), moved)
    for mask in view.instances.dense().transpose(2, 0, 1):
        assert (view.image[mask] == view.image[mask][0]).all()


@many
@given(
    scenes() | scenes(square=True),
    geometry,
    st.sampled_from(["crop", "square", "pad64", "none"]),
    st.tuples(st.floats(0.3, 1.0), st.floats(1.0, 3.0)),
    st.sampled_from([0.0, 1.0]),
    seeds,
)
def test_the_whole_way_to_the_network(scene, fields, mode, scales, foreground, seed):
    """Crop or resize, scale, mirror, turn: masks lie where the pixels are, boxes around them."""
    image, white = white_on_black(scene[1])
    training = TrainingConfig(**fields, scale_jitter=scales, foreground_crops=foreground)
    model = ModelConfig.preset(
        "cpu", image_resize_mode=mode, image_min_dim=64, image_max_dim=64, num_classes=9
    )
    view = ExampleMaker(model, training).view(image, white, random(seed))
    if mode in ("crop", "square"):
        assert view.image.shape == (64, 64, 3)
    if mode == "crop":
        assert_where_pure(view)
    else:
        assert_tight(view)
    assert_crowds_kept(view, white)


@many
@given(scenes(), geometry, seeds)
def test_an_image_as_large_as_its_crop_stays_exact(scene, fields, seed):
    image = np.zeros((64, 64, 3), np.uint8)
    height, width = scene[0].shape[:2]
    image[:height, 64 - width :] = scene[0]
    masks = np.zeros((64, 64, len(scene[1])), bool)
    masks[:height, 64 - width :] = scene[1].dense()
    instances = Instances.from_dense(masks, scene[1].class_ids, crowd=scene[1].crowd)
    model = ModelConfig.preset("cpu", image_min_dim=64, image_max_dim=64)
    view = ExampleMaker(model, TrainingConfig(**fields)).view(image, instances, random(seed))
    assert_in_step(view, instances.class_ids)
    assert len(view.instances) == len(instances)


def positions(training, draws=4000):
    rng = random(0)
    seen = Counter(augment(CORNERS, training, rng).image.tobytes() for _ in range(draws))
    return {key: count / draws for key, count in seen.items()}


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        (("flips",), 2),
        (("vertical_flips",), 2),
        (("rotations",), 4),
        (("flips", "vertical_flips"), 4),
        (("flips", "rotations"), 8),
        (("flips", "vertical_flips", "rotations"), 8),
    ],
)
def test_all_positions_are_equally_likely(fields, count):
    shares = positions(TrainingConfig(**dict.fromkeys(fields, True)))
    assert len(shares) == count
    assert all(share == pytest.approx(1 / count, abs=0.03) for share in shares.values())


def test_none_one_or_two_of_some():
    """Of flips (half of the time) and a brightness of 0.5."""
    training = TrainingConfig(
        augmentation_policy="some_of", flips=True, brightness_jitter=(0.5, 0.5)
    )
    rng = random(0)
    seen = Counter()
    for _ in range(6000):
        image = augment(CORNERS, training, rng).image
        dark = bool(image.max() < 120)
        seen[dark, bool(image[0, 0, 0] > image[0, 1, 0])] += 1 / 6000
    assert seen[True, True] == pytest.approx(1 / 6, abs=0.02)
    assert seen[True, False] == pytest.approx(1 / 3, abs=0.02)
    assert seen[False, True] == pytest.approx(1 / 12, abs=0.02)


def test_the_policy_of_the_nucleus_sample():
    """SomeOf((0, 2), [Fliplr(.5), Flipud(.5), OneOf(turns), Multiply, GaussianBlur])."""
    shares = positions(replace(NUCLEUS_SAMPLE, brightness_jitter=(1.0, 1.0), blur_sigma=(0, 0)))
    # With three to choose from: none 1/3, one 1/3, two 1/3.
    unmoved = CORNERS.image.tobytes()
    assert shares[unmoved] == pytest.approx(1 / 3 + 1 / 9 + 1 / 9 * 1 / 4, abs=0.03)
    shares = positions(NUCLEUS_SAMPLE, 3000)
    # Brightness or blur, both nearly always visible, act with a chance of 1/3 * 2/5 when one
    # acts, and unless both of two are among the three others, 3/10, when two do.
    moves = set(positions(TrainingConfig(flips=True, rotations=True)))
    visible = sum(share for key, share in shares.items() if key not in moves)
    assert visible == pytest.approx(1 / 3 * 2 / 5 + 1 / 3 * 7 / 10, abs=0.04)


def test_without_augmentation_only_the_crop_is_drawn():
    rng = random(0)
    image = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    training = TrainingConfig.preset("cpu", **{**COLOURS, "blur_sigma": (1, 2)})
    model = ModelConfig.preset("cpu", image_min_dim=64, image_max_dim=64)
    maker = ExampleMaker(model, without_augmentation(training))
    for _ in range(20):
        view = maker.view(image, Instances.empty(64, 64), rng)
        np.testing.assert_array_equal(view.image, image)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"blur_sigma": (2.0, 1.0)}, "blur_sigma"),
        ({"blur_sigma": (-1.0, 1.0)}, "blur_sigma"),
        ({"contrast_jitter": (0.0, 1.0)}, "contrast_jitter"),
        ({"saturation_jitter": (2.0, 1.0)}, "saturation_jitter"),
        ({"hue_jitter": 0.6}, "hue_jitter"),
        ({"augmentation_policy": "sometimes"}, "augmentation_policy"),
    ],
)
def test_impossible_settings(fields, complaint):
    with pytest.raises(UserError, match=complaint):
        TrainingConfig(**fields)
