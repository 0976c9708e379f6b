"""Where people keep COCO annotation files, and the images that belong to them."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from mrcnn_al.datasets.image_folder import check_file_name
from mrcnn_al.datasets.shown import shown
from mrcnn_al.errors import UserError

# The first pattern that finds files is the one that counts.
_PATTERNS = (
    "annotations/instances*.json",
    "annotations/*.json",
    "*/_annotations.coco.json",
    "*.json",
    "*/*.json",
)
# What COCO's archives hold beside the instances.
_OTHER_KINDS = ("captions", "person_keypoints", "image_info", "panoptic", "stuff")
_ROLES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
# Beside such a folder, not in it, are the images.
_ANNOTATION_FOLDERS = ("annotations", "annotation", "labels", "json")
_NOISE = re.compile(r"^(instances|annotations|coco|labels)[_.-]+|[_.-]+(annotations|coco|labels)$")
_LOOKED_AT = 200


def find_annotation_files(folder: str | os.PathLike) -> dict[str, Path]:
    """The COCO annotation files of a folder, by what they are for.

    Looked for are, in this order: `annotations/instances*.json`, any JSON file in `annotations/`,
    `*/_annotations.coco.json` as Roboflow exports it, JSON files in the folder itself, and in
    the folders within it. Names that contain train, val or test say what a file is for.

    Returns:
        One file, as `all`; or several, as `train` and `val`, `test` or both.

    Raises:
        UserError: there is none, or it is not clear which ones are meant; they are listed.
    """
    folder = Path(folder)
    for pattern in _PATTERNS:
        found = sorted(path for path in folder.glob(pattern) if _may_hold_instances(path))
        if found:
            return _by_role(folder, found)
    raise UserError(
        f"There is no COCO annotation file in {folder}: looked for {', '.join(_PATTERNS)}. "
        "Pass the folder that holds one, or the file itself."
    )


def find_image_folder(annotation_json: str | os.PathLike, file_names: Sequence[str]) -> Path:
    """The folder that the images of an annotation file lie in.

    Beside the file and, if it is in a folder `annotations` or `labels`, beside this, these are
    tried: `train2017/` for `instances_train2017.json`, `images/train2017/`, `train2017/images/`,
    `images/`, and no folder at all. The one that holds the most of the images is taken. If none
    holds any, every other folder there is tried.

    Args:
        annotation_json: the annotation file.
        file_names: of its images, relative to the folder in question.

    Raises:
        UserError: no folder holds an image, or two others hold the same number of them.
    """
    # In full, since from within annotations/ the name of the folder would not be in it.
    annotation_json = Path(os.path.abspath(annotation_json))
    bases = [annotation_json.parent]
    if bases[0].name.lower() in _ANNOTATION_FOLDERS:
        bases.append(bases[0].parent)
    split = _split_name(annotation_json)
    inside = (split, f"images/{split}", f"{split}/images", "images", ".")
    usual = [base / name for base in bases for name in inside if name.strip("/")]
    sample = _sample(file_names)
    best = max(usual, key=lambda folder: _count(folder, sample))
    if _count(best, sample):
        return best
    others = sorted(path for base in bases for path in base.glob("*/") if path not in usual)
    counts = {folder: _count(folder, sample) for folder in others}
    most = max(counts.values(), default=0)
    chosen = [folder for folder, count in counts.items() if count == most]
    if not most:
        raise UserError(
            f"No image that {annotation_json} names was found, such as {shown(file_names[0])}. "
            f"Put the images into {annotation_json.parent / 'images'}; looked into "
            f"{', '.join(map(str, usual))}."
        )
    if len(chosen) > 1:
        raise UserError(
            f"The images of {annotation_json} may be those in {' or '.join(map(str, chosen))}. "
            f"Rename the right folder to {annotation_json.parent / 'images'}."
        )
    return chosen[0]


def _may_hold_instances(path: Path) -> bool:
    name = path.name.lower()
    return path.is_file() and not name.startswith((".", *_OTHER_KINDS))


def _by_role(folder: Path, found: list[Path]) -> dict[str, Path]:
    if len(found) == 1:
        return {"all": found[0]}
    roles = [_role(path, folder) for path in found]
    if len(set(roles)) == len(roles) and None not in roles and "train" in roles:
        return dict(zip(roles, found, strict=True))
    raise UserError(
        f"{folder} holds {len(found)} annotation files, and their names do not say which is for "
        f"training and which for validation or the test: {', '.join(map(str, found))}. "
        f"Pass one of them instead of the folder, such as --data {found[0]}."
    )


def _role(path: Path, folder: Path) -> str | None:
    """What the name of the file says, or else that of the folder it is in."""
    names = [path.stem] if path.parent == folder else [path.stem, path.parent.name]
    for name in names:
        words = re.findall("[a-z]+", name.lower())
        roles = {_ROLES[word] for word in words if word in _ROLES}
        if roles:
            return roles.pop() if len(roles) == 1 else None
    return None


def _split_name(path: Path) -> str:
    """`train2017` of `instances_train2017.json`, empty for `annotations.json`."""
    name, before = path.stem, None
    while name != before:
        name, before = _NOISE.sub("", name), name
    return name if name not in ("instances", "annotations", "_annotations") else ""


def _sample(file_names: Sequence[str]) -> list[str]:
    """Some of the names, from all over, without those that lead anywhere else."""
    sample = []
    for name in file_names[:: max(1, len(file_names) // _LOOKED_AT)]:
        try:
            check_file_name(name)
        except ValueError:
            continue
        sample.append(name)
    return sample


def _count(folder: Path, names: list[str]) -> int:
    return sum(os.path.isfile(os.path.join(folder, name)) for name in names)
