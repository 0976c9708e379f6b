"""What a user gets wrong ends with one message and exit code 2, before anything is done."""

import io
import json
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image
from tiny_run import TINY

from mrcnn_al.cli.main import main
from mrcnn_al.config import Config
from mrcnn_al.datasets.dsb import DsbDataset
from mrcnn_al.run_store import RunStore


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Runs a command that must be refused, in an empty folder; the message.

    Nothing that was there may change, and nothing new may appear but the cache.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MRCNN_AL_WEIGHTS", str(tmp_path / "weights"))

    def snapshot():
        paths = [p for p in tmp_path.rglob("*") if p.is_file()]
        kept = [p for p in paths if not {"cache", ".cache"} & set(p.parts)]
        return {path: path.read_bytes() for path in kept}

    def call(*arguments) -> str:
        before = snapshot()
        monkeypatch.setattr(sys, "argv", ["mrcnn-al", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        message = capsys.readouterr().err
        assert ended.value.code == 2, message
        assert "Traceback" not in message
        assert sum(line.startswith(("mrcnn-al: ", "Error: ")) for line in message.splitlines()) == 1
        assert snapshot() == before
        assert not list(tmp_path.glob("runs/[!.]*"))
        return message

    return call


@pytest.fixture
def quickly_built(monkeypatch):
    """A model around a small backbone, where one is made before its weights are looked at."""
    from small_model import use_small_backbone

    use_small_backbone(monkeypatch)


def png(height=20, width=20, mode="RGB"):
    content = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(content, "PNG")
    return content.getvalue()


def dsb_zip(path, changes=()):
    """Three images with a mask each, in Kaggle's layout, some of the files changed or left out."""
    files = {}
    for name in "abc":
        files[f"{name}/images/{name}.png"] = png()
        files[f"{name}/masks/1.png"] = png(mode="L")
    files.update(changes)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            if content is not None:
                archive.writestr(f"stage1_train/{name}", content)
    return path


def test_data_that_is_not_there(refused):
    message = refused("train", "--subset", "dsb", "--data", "nowhere/stage1_train.zip")
    assert "nowhere/stage1_train.zip does not exist" in message


def test_data_that_is_not_named(refused):
    assert "pass Kaggle's stage1_train.zip" in refused("train", "--subset", "dsb")


def test_data_that_is_no_zip(refused, tmp_path):
    (tmp_path / "data.zip").write_bytes(b"something else")
    message = refused("train", "--subset", "dsb", "--data", "data.zip")
    assert "data.zip is not a whole zip archive" in message


def test_a_zip_without_masks(refused, tmp_path):
    data = dsb_zip(tmp_path / "data.zip", {f"{name}/masks/1.png": None for name in "abc"})
    assert "data.zip has no masks" in refused("train", "--subset", "dsb", "--data", data)


def test_too_few_images(refused, tmp_path):
    message = refused("train", "--subset", "dsb", "--data", dsb_zip(tmp_path / "data.zip"))
    assert "need 664 images" in message


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("b/images/b.png", png()[:200], "b/images/b.png cannot be read"),
        ("b/masks/1.png", png(mode="L")[:200], "b/masks/1.png cannot be read"),
        ("b/masks/1.png", png(20, 21, "L"), "b/masks/1.png is 20 x 21"),
        ("b/masks/1.png", None, "b has no masks"),
    ],
    ids=["truncated image", "truncated mask", "mask of another size", "image without masks"],
)
def test_a_broken_image_is_named_or_left_out(refused, tmp_path, name, content, words):
    data = dsb_zip(tmp_path / "data.zip", {name: content})
    message = refused("train", "--subset", "dsb", "--data", data)
    assert words in message
    assert "1 broken" in message
    dataset = DsbDataset(data, tmp_path / "cache", skip_broken=True)
    assert dataset.image_ids == ("a", "c")
    assert len(dataset.skipped) == 1


def test_skip_broken_goes_on(refused, tmp_path):
    """To the next problem: that there are too few."""
    data = dsb_zip(tmp_path / "data.zip", {"b/images/b.png": b""})
    message = refused("train", "--subset", "dsb", "--data", data, "--skip-broken")
    assert "but there are 2" in message


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--epochs", "-1", "epochs is -1; it must be from 0 to"),
        ("--iterations", "0", "iterations is 0"),
        ("--labelled", "0", "labelled is 0"),
        ("--labelled", "65", "give 1 to 64"),
        ("--scale", "0", "scale 0 is out of range"),
        ("--scale", "-1", "scale is -1.0; it must be from 0 to"),
        ("--scale", "nan", "scale is nan"),
        ("--scale", "65", "a whole number of training images up to 64"),
        ("--subset", "coco5", "coco5 needs data: pass the folder of COCO 2017"),
        ("--batch", "0", "batch is 0"),
        ("--passes", "0", "passes is 0"),
        ("--images-per-batch", "0", "images_per_batch is 0"),
        ("--steps-per-epoch", "0", "steps_per_epoch is 0"),
        ("--min-confidence", "1.5", "min_confidence is 1.5; it must be from 0.0 to 1.0"),
        ("--learning-rate", "-0.1", "learning_rate is -0.1"),
        ("--learning-rate", "nan", "learning_rate is nan"),
        ("--pseudo-threshold", "-1", "pseudo_threshold is -1"),
        ("--pseudo-from", "0", "pseudo_from is 0"),
        ("--seed", "-1", "seed is -1"),
        ("--layers", "2+", "layers is '2+'; it must be one of 'heads', '3+'"),
        ("--backbone", "vgg", "backbone is 'vgg'"),
        ("--zones", "thirds", "zones is 'thirds'"),
        ("--aggregate", "median", "aggregate is 'median'"),
        ("--epochs", "many", "'many' is not a valid integer"),
        ("--preset", "gpu", "'gpu' is not one of"),
        ("--set", "model.image_min_dim=100", "must be divisible by 64"),
        ("--set", "model.rpn_channels=wide", "rpn_channels is 'wide'"),
        ("--set", "model.image_min_dimm=64", "Did you mean 'image_min_dim'?"),
        ("--set", "modle.image_min_dim=64", "the sections are run, model, unet, training"),
        ("--set", "image_min_dim=64", "not of the form section.field=value"),
        ("--set", "model.image_min_dim", "not of the form section.field=value"),
        ("--set", "model.image_min_dim=[", "is not YAML"),
        ("--subset", "toys", "Unknown subset 'toys'. Known are: coco2, coco3, coco4, coco5"),
        ("--strategy", "maks", "Did you mean 'mask'?"),
    ],
)
def test_a_value_out_of_range(refused, option, value, words):
    assert words in refused("train", "--out", "run", option, value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--strategy", "random", "--zones", "rank"), "random would ignore --zones"),
        (("--strategy", "entropy", "--set", "strategy.zones=rank"), "for mask, mask-class, semi"),
        (("--strategy", "mask", "--pseudo-threshold", "50"), "mask would ignore --pseudo-thr"),
        (("--strategy", "core-set", "--pseudo-from", "1"), "core-set would ignore --pseudo-from"),
        (("--strategy", "mask-class", "--pseudo-labels", "keep"), "which is for semi"),
        (("--strategy", "random", "--aggregate", "max"), "entropy, least-confident, margin"),
        (("--aggregate", "max"), "semi would ignore --aggregate"),
        (("--learner", "unet", "--backbone", "resnet50"), "model.backbone is a setting of the"),
        (("--learner", "unet", "--layers", "heads"), "training.layers is for the learner mask_"),
        (("--set", "unet.filters=8"), "unet.filters is a setting of the learner unet"),
        (("--set", "unet.num_classes=8"), "unet.num_classes follows from the image set"),
        (("--learner", "unett"), "learner is 'unett'"),
        (("--new-labels", "append"), "new_labels is 'append'"),
        (("--pseudo-labels", "all"), "pseudo_labels is 'all'"),
        (("--learner", "unet", "--weights", "imagenet"), "no weights 'imagenet' for a U-Net"),
        (("--learner", "unet", "--exclude-heads"), "nothing to exclude from --weights none"),
        (("--learner", "unet", "--weights", "absent.h5"), "absent.h5 does not exist"),
        (("--learner", "unet", "--weights", "absent.h5", "--exclude-heads"), "no heads"),
    ],
)
def test_what_would_be_ignored_is_refused(refused, arguments, words):
    small = ("--set", "unet.filters=4", "--set", "unet.depth=2") if "unet" in arguments else ()
    assert words in refused("train", "--out", "run", *arguments, *small)


def test_no_command_or_option_of_that_name(refused):
    assert "No such option" in refused("train", "--epoch-count", "3")
    assert "No such command" in refused("learn")


def test_a_folder_that_holds_a_run(refused, tmp_path):
    RunStore.create(tmp_path / "run", Config.for_subset("cpu", "toy").to_yaml())
    message = refused("train", "--out", "run")
    assert "run holds a run already. Continue it with --resume" in message


@pytest.mark.parametrize("resume", [(), ("--resume",)])
def test_a_folder_that_holds_other_files(refused, tmp_path, resume):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("Introduction")
    assert "thesis holds other files" in refused("train", "--out", "thesis", *resume)


def test_a_file_in_place_of_a_folder(refused, tmp_path):
    (tmp_path / "run").write_text("a file")
    assert "run is a file" in refused("train", "--out", "run")


def test_resume_without_a_folder(refused):
    assert "--resume needs --out" in refused("train", "--resume")


def test_a_damaged_run(refused, tmp_path):
    RunStore.create(tmp_path / "run", "model: [")
    assert "config.yaml is not valid YAML" in refused("train", "--out", "run", "--resume")


def test_lists_of_a_resumed_run_are_the_same_lists(refused, tmp_path):
    """The settings are not what is wrong here."""
    given = {"training": {"scale_jitter": (0.5, 1.0)}, "run": {"data": "nowhere"}}
    RunStore.create(tmp_path / "run", Config.for_subset("cpu", "dsb", **given).to_yaml())
    options = ("--out", "run", "--resume", "--set", "training.scale_jitter=[0.5, 1.0]")
    assert "nowhere does not exist" in refused("train", *options)


def test_weights_of_another_number_of_classes(refused, tmp_path):
    from mrcnn_al.config import ModelConfig
    from mrcnn_al.model import MaskRCNN

    config = Config.for_subset("cpu", "toy")
    model = MaskRCNN(ModelConfig.from_dict({**config.model.to_dict(), "num_classes": 9}))
    model.save_weights(tmp_path / "nine.h5")
    message = refused("train", "--out", "run", "--weights", "nine.h5")
    assert "nothing was loaded" in message
    assert "another number of classes, exclude the heads" in message


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ("text.h5", "text.h5 is not readable as HDF5"),
        ("absent.h5", "absent.h5 does not exist"),
        ("coco", "weights do not fit, nothing was loaded. mask_rcnn_coco.h5"),
        ("last", "no weights of an earlier run"),
    ],
)
@pytest.mark.usefixtures("quickly_built")
def test_weights_that_cannot_be_loaded(refused, tmp_path, weights, words):
    (tmp_path / "text.h5").write_text("no weights")
    assert words in refused("train", "--out", "run", *TINY, "--weights", weights)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "either --run FOLDER or --weights FILE"),
        (("--run", "a", "--weights", "b"), "either --run FOLDER or --weights FILE"),
        (("--weights", "absent.h5"), "absent.h5 does not exist"),
        (("--run", "absent"), "There is no run in absent"),
        (("--run", "begun"), "begun has no trained iteration"),
        (("--run", "begun", "--iteration", "3"), "no trained iteration 3"),
        (("--run", "begun", "--set", "model.colour=red"), "has no field 'colour'"),
    ],
)
@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_no_trained_model(refused, tmp_path, command, arguments, words):
    RunStore.create(tmp_path / "begun", Config.for_subset("cpu", "toy").to_yaml())
    (tmp_path / "image.png").write_bytes(png())
    images = ("image.png", "--out", "found") if command == "predict" else ()
    assert words in refused(command, *images, *arguments)


@pytest.mark.parametrize("name", ["absent.png", "empty"])
def test_nothing_to_predict_on(refused, tmp_path, name):
    (tmp_path / "empty").mkdir()
    assert name in refused("predict", name, "--out", "found", "--run", "begun")


def test_a_report_of_no_run(refused):
    assert "There is no run in absent" in refused("report", "absent")


def own_images(folder, count, annotated):
    """A COCO folder of images, of which the first are annotated."""
    (folder / "images").mkdir(parents=True)
    for number in range(count):
        (folder / "images" / f"{number}.png").write_bytes(png())
    names = range(1, count + 1)
    content = {
        "images": [
            {"id": n, "file_name": f"{n - 1}.png", "height": 20, "width": 20} for n in names
        ],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "segmentation": [[2, 2, 9, 2, 9, 9, 2, 9]]}
            for n in names[:annotated]
        ],
    }
    (folder / "coco.json").write_text(json.dumps(content))


def test_a_cut_off_image_is_found_before_any_training(refused, tmp_path):
    own_images(tmp_path / "own", 12, 12)
    path = tmp_path / "own/images/7.png"
    path.write_bytes(path.read_bytes()[:300])
    message = refused("train", "--data", "own", "--out", "run")
    assert "1 of 12 images cannot be used" in message
    assert "7.png cannot be read, it may be damaged or cut off" in message


@pytest.mark.usefixtures("quickly_built")
def test_images_that_may_only_not_be_labelled_are_told(tmp_path, monkeypatch, capsys):
    """What comes after it fails here, to save the training."""
    own_images(tmp_path / "own", 12, 9)
    options = ("--weights", "absent.h5", "--cache", tmp_path / "cache")
    arguments = ("train", "--data", tmp_path / "own", "--out", tmp_path / "run", *options)
    monkeypatch.setattr(sys, "argv", ["mrcnn-al", *map(str, arguments)])
    with pytest.raises(SystemExit):
        main()
    assert "3 of 12 images have no annotations and count as" in capsys.readouterr().out


@pytest.mark.usefixtures("quickly_built")
def test_weights_of_another_network(refused, tmp_path):
    message = refused("train", "--out", "run", "--weights", "coco")
    assert "They are of another network: choose the preset and backbone" in message
    assert "0 layers fit" in message


@pytest.mark.usefixtures("quickly_built")
def test_a_mistyped_name_of_weights(refused):
    message = refused("train", "--out", "run", "--weights", "imagnet")
    assert "There are no weights 'imagnet'" in message
    assert "Did you mean 'imagenet'?" in message


@pytest.mark.usefixtures("quickly_built")
def test_resuming_what_is_not_there_is_told(tmp_path, monkeypatch, capsys):
    arguments = ("train", "--resume", "--out", tmp_path / "tyop", "--weights", "absent.h5")
    monkeypatch.setattr(sys, "argv", ["mrcnn-al", *map(str, arguments)])
    with pytest.raises(SystemExit):
        main()
    assert "tyop to resume: a new one begins" in capsys.readouterr().out


def test_images_without_any_annotation_are_refused(refused, tmp_path):
    own_images(tmp_path / "own", 12, 0)
    message = refused("train", "--data", "own", "--out", "run")
    assert "No image has an annotation that can be used" in message
