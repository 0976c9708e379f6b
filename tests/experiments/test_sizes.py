import pytest

from mrcnn_al.errors import UserError
from mrcnn_al.experiments.sizes import Sizes, fit_sizes, image_steps
from mrcnn_al.experiments.table import EXPERIMENTS


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=list(EXPERIMENTS))
def test_unscaled_it_is_the_thesiss(experiment):
    sizes = fit_sizes(experiment)
    expected = (experiment.labelled, experiment.batch, experiment.iterations)
    assert (sizes.labelled, sizes.batch, sizes.iterations) == expected
    assert sizes.train == experiment.train
    assert sizes.labelled_at(sizes.iterations) == experiment.last_labelled


@pytest.mark.parametrize(
    ("name", "scale", "expected"),
    [
        ("fig5.1", 0.1, ("dsb", 48, 4, 4, 12)),
        ("fig5.1", 0.5, ("dsb", 240, 20, 20, 12)),
        ("fig5.1", 48, ("dsb", 48, 4, 4, 12)),
        ("fig5.1", 1, ("dsb", 480, 40, 40, 12)),
        ("fig5.2", 0.01, ("coco2", 504, 42, 42, 12)),
        # Ten classes, one image of each at least.
        ("fig5.3", 0.001, ("coco3", 68, 10, 10, 7)),
        # Five equal classes: 10.5 images are 10.
        ("fig5.4", 0.21, ("coco4", 2205, 10, 10, 20)),
        ("fig5.13", 0.5, ("dsb", 240, 5, 5, 15)),
        # Batches from three zones and one at random; in the end 31 % of the images as ever.
        ("fig5.13", 0.2, ("dsb", 96, 2, 4, 8)),
        ("fig5.13", 0.1, ("dsb", 48, 1, 4, 5)),
        # 9.5 % of the images, where each class is in the batch.
        ("fig5.4", 0.05, ("coco4", 525, 5, 5, 10)),
        ("fig5.4", 0.01, ("coco4", 105, 5, 5, 2)),
        ("fig5.14", 0.25, ("coco5", 760, 10, 10, 8)),
        ("fig5.17", 0.5, ("coco5", 1520, 20, 5, 8)),
    ],
)
def test_scaled(name, scale, expected):
    assert fit_sizes(EXPERIMENTS[name], scale=scale) == Sizes(*expected)


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=list(EXPERIMENTS))
@pytest.mark.parametrize("scale", [0.5, 0.2, 0.1, 0.05])
def test_in_the_end_the_thesiss_share_is_labelled(experiment, scale):
    sizes = fit_sizes(experiment, scale=scale)
    labelled = sizes.labelled_at(sizes.iterations)
    share = experiment.last_labelled / experiment.train
    # To half a batch; what is rounded in each iteration adds up.
    rounded = 0.5 * sizes.iterations
    assert abs(labelled - share * sizes.train) <= max(0.5 * sizes.batch, rounded) + 0.5


def test_a_pool_that_is_used_up_ends_the_iterations():
    sizes = fit_sizes(EXPERIMENTS["fig5.3"], scale=0.001)
    assert [sizes.labelled_at(i) for i in range(1, 8)] == [10, 20, 30, 40, 50, 60, 68]


def test_iterations_and_another_subset():
    assert fit_sizes(EXPERIMENTS["fig5.1"], iterations=3).iterations == 3
    # 64 of 480 images: 5.3 labelled at the start.
    assert fit_sizes(EXPERIMENTS["fig5.1"], "toy") == Sizes("toy", 64, 5, 5, 12)
    assert fit_sizes(EXPERIMENTS["fig5.14"], "toy") == Sizes("toy", 64, 3, 4, 2)
    assert fit_sizes(EXPERIMENTS["fig5.14"], "toy", iterations=8) == Sizes("toy", 64, 3, 4, 8)
    assert fit_sizes(EXPERIMENTS["fig5.1"], "toy", scale=32) == Sizes("toy", 32, 3, 3, 11)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"subset": "toys"}, "Unknown subset 'toys'. Did you mean 'toy'"),
        ({"scale": 0.0}, "scale 0 is out of range"),
        ({"scale": 481}, "scale 481 is out of range"),
        ({"iterations": 0}, "--iterations is 0"),
    ],
)
def test_out_of_range(options, words):
    with pytest.raises(UserError, match=words):
        fit_sizes(EXPERIMENTS["fig5.1"], **options)


def test_image_steps():
    experiment = EXPERIMENTS["fig5.1"]
    # Three lines, 25 epochs over 40, 80, ... 480 images.
    assert image_steps(experiment, fit_sizes(experiment)) == 3 * 25 * sum(range(40, 481, 40))
    frameworks = EXPERIMENTS["fig5.10"]
    added, replaced = sum(range(40, 481, 40)), 12 * 40
    assert image_steps(frameworks, fit_sizes(frameworks)) == 25 * (2 * added + 2 * replaced)
    few = fit_sizes(EXPERIMENTS["fig5.3"], scale=0.001)
    images = 10 + 20 + 30 + 40 + 50 + 60 + 68
    assert image_steps(EXPERIMENTS["fig5.3"], few) == 3 * 30 * images
