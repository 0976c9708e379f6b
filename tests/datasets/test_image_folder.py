import os
import re

import numpy as np
import pytest
from coco_files import write_images

from mrcnn_al.datasets import image_folder
from mrcnn_al.datasets.image_folder import ImageFolder, check_file_name

OUTSIDE = {
    "../secret.png": "leads out",
    "a/../../secret.png": "leads out",
    "sub/../ten.png": "leads out",
    "..": "leads out",
    "/etc/hostname": "leads out",
    "//host/share/a.png": "leads out",
    "C:\\photos\\a.png": "for Windows",
    "C:a.png": "for Windows",
    "c:/a.png": "for Windows",
    "..\\secret.png": "for Windows",
    "sub\\three.png": "for Windows",
    "": "names no file",
    ".": "names no file",
    "./.": "names no file",
    "a\0b.png": "characters",
    "\ud800.png": "characters",
}


@pytest.fixture
def folder(tmp_path):
    """images/ with links of all kinds, and files beside it."""
    images = tmp_path / "images"
    write_images(images, ["ten.png", "sub/three.png"])
    write_images(tmp_path, ["secret.png", "images2/secret.png"])
    (images / "good.png").symlink_to("ten.png")
    (images / "deep.png").symlink_to(images / "sub" / "three.png")
    (images / "same").symlink_to("sub")
    (images / "out.png").symlink_to("../secret.png")
    (images / "sibling.png").symlink_to(tmp_path / "images2" / "secret.png")
    (images / "outside").symlink_to("..")
    (images / "etc").symlink_to("/etc")
    (images / "loop.png").symlink_to("loop.png")
    (images / "dangling.png").symlink_to("nothing.png")
    os.mkfifo(images / "pipe.png")
    return images


@pytest.mark.parametrize(("name", "why"), OUTSIDE.items(), ids=map(repr, OUTSIDE))
def test_names_that_lead_out_are_refused_and_named(folder, name, why):
    with pytest.raises(ValueError, match=why) as caught:
        ImageFolder(folder).holds(name)
    assert repr(name) in str(caught.value)
    with pytest.raises(ValueError, match=why):
        check_file_name(name)


@pytest.mark.parametrize("name", ["out.png", "sibling.png", "outside/secret.png", "etc/passwd"])
def test_links_that_lead_out_are_refused(folder, name):
    with pytest.raises(ValueError, match=f"'{name}' is a link out of it"):
        ImageFolder(folder).holds(name)


@pytest.mark.parametrize(
    "name", ["ten.png", "./ten.png", "sub/three.png", "sub//three.png", "good.png", "deep.png"]
)
def test_what_is_there(folder, name):
    assert ImageFolder(folder).holds(name)


@pytest.mark.parametrize(
    "name",
    [
        *("gone.png", "sub", "sub/gone.png", "none/ten.png", "loop.png", "dangling.png"),
        *("pipe.png", "a" * 5000, "a/" * 3000 + "b", "ten.png/x", "~/ten.png", "$HOME"),
        "%2e%2e/secret.png",
    ],
)
def test_what_is_not(folder, name):
    assert not ImageFolder(folder).holds(name)


def test_out_by_a_link_and_back_again(folder):
    """The file is in the folder, whatever the way to it."""
    assert ImageFolder(folder).holds("outside/images/ten.png")


def test_a_linked_folder_inside_and_a_linked_root(folder, tmp_path):
    assert ImageFolder(folder).holds("same/three.png")
    (tmp_path / "root").symlink_to(folder)
    assert ImageFolder(tmp_path / "root").holds("sub/three.png")
    with pytest.raises(ValueError, match="link out"):
        ImageFolder(tmp_path / "root").holds("out.png")


def test_a_folder_that_is_not_there_holds_nothing(tmp_path):
    assert not ImageFolder(tmp_path / "none").holds("ten.png")


def test_names_that_pass_at_a_glance_pass_a_closer_look(monkeypatch):
    rng = np.random.default_rng(0)
    parts = ("a", "0", "-", ".", "..", "/", "\\", ":", "C:", " ", "é", "\0", "_", "x.jpg")
    names = ["".join(rng.choice(parts, rng.integers(0, 7))) for _ in range(20_000)]
    quick = {name for name in names if _passes(name)}
    monkeypatch.setattr(image_folder, "_HARMLESS", re.compile("(?!)"))
    assert quick == {name for name in names if _passes(name)}
    assert 0 < len(quick) < 20_000


def _passes(name: str) -> bool:
    try:
        check_file_name(name)
    except ValueError:
        return False
    return True
