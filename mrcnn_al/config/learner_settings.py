"""Which learners there are, and which settings are whose."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING

from mrcnn_al.errors import UserError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

PLUGINS = "mrcnn_al.learners"
LEARNER_SECTIONS = {"mask_rcnn": "model", "unet": "unet"}
_CLASSES = {
    "mask_rcnn": "mrcnn_al.learners.mask_rcnn:MaskRCNNLearner",
    "unet": "mrcnn_al.learners.unet:UNetLearner",
}
_OF_MASK_RCNN = (
    *("layers", "rpn_class_loss_weight", "rpn_bbox_loss_weight", "mrcnn_class_loss_weight"),
    *("mrcnn_bbox_loss_weight", "mrcnn_mask_loss_weight"),
)


@cache
def learner_classes() -> "dict[str, EntryPoint]":
    """Where the class of each learner is, by name; nothing is imported for it.

    Besides the package's own these are the learners of other installed packages, which name
    theirs as entry points of the group `mrcnn_al.learners`.

    Raises:
        UserError: two of them have the same name.
    """
    from importlib.metadata import EntryPoint, entry_points

    own = [EntryPoint(name, path, PLUGINS) for name, path in _CLASSES.items()]
    found: dict[str, EntryPoint] = {}
    for point in (*own, *entry_points(group=PLUGINS)):
        if point.name in found and found[point.name].value != point.value:
            raise UserError(
                f"Two learners are called {point.name!r}: {found[point.name].value} and "
                f"{point.value}. Uninstall the package of one of them."
            )
        found[point.name] = point
    return found


def learner_names() -> tuple[str, ...]:
    """What `run.learner` may be."""
    return tuple(learner_classes())


def check_learner_settings(learner: str, given: Mapping[str, Collection[str]]) -> None:
    """Refuses settings that a learner would ignore.

    Args:
        learner: its name.
        given: names of the fields that the user asked for, by section.

    Raises:
        UserError: one of them is of another learner; it is named.
    """
    own = LEARNER_SECTIONS.get(learner)
    where = f"the settings of {learner} are in the section {own}" if own else f"{learner} has none"
    for other, section in LEARNER_SECTIONS.items():
        for name in given.get(section, ()):
            if section != own:
                raise UserError(
                    f"{section}.{name} is a setting of the learner {other}, which {learner} would "
                    f"ignore. Leave it out; {where}."
                )
    if learner == "mask_rcnn":
        return
    for name in given.get("training", ()):
        if name in _OF_MASK_RCNN:
            raise UserError(
                f"training.{name} is for the learner mask_rcnn; {learner} would ignore it. "
                "Leave it out."
            )
