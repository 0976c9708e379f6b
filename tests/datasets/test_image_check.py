import pytest
from coco_files import write_coco

from mrcnn_al.datasets.image_check import check_images
from mrcnn_al.datasets.own_data import open_own_dataset
from mrcnn_al.errors import UserError


def test_all_broken_images_are_found_at_once(tmp_path):
    names = write_coco(tmp_path / "coco.json", tmp_path / "images", 6)
    dataset = open_own_dataset(tmp_path)
    check_images(dataset)
    whole = (tmp_path / "images" / names[1]).read_bytes()
    (tmp_path / "images" / names[1]).write_bytes(whole[: len(whole) // 2])
    (tmp_path / "images" / names[4]).write_text("no image")
    with pytest.raises(
        UserError, match=r"2 of 6 images .*1\.png cannot be .*4\.png cannot .*--skip-broken"
    ):
        check_images(dataset)
    skipped = open_own_dataset(tmp_path, skip_broken=True)
    assert skipped.image_ids == ("1", "3", "4", "6")
    check_images(skipped)
