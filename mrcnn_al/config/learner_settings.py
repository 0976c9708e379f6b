"""Which settings are whose, where there are several learners."""

from collections.abc import Collection, Mapping

from mrcnn_al.errors import UserError

LEARNER_SECTIONS = {"mask_rcnn": "model", "unet": "unet"}
_OF_MASK_RCNN = (
    *("layers", "rpn_class_loss_weight", "rpn_bbox_loss_weight", "mrcnn_class_loss_weight"),
    *("mrcnn_bbox_loss_weight", "mrcnn_mask_loss_weight"),
)


def check_learner_settings(learner: str, given: Mapping[str, Collection[str]]) -> None:
    """Refuses settings that a learner would ignore.

    Args:
        learner: a key of LEARNER_SECTIONS.
        given: names of the fields that the user asked for, by section.

    Raises:
        UserError: one of them is of another learner; it is named.
    """
    own = LEARNER_SECTIONS[learner]
    for other, section in LEARNER_SECTIONS.items():
        for name in given.get(section, ()):
            if section != own:
                raise UserError(
                    f"{section}.{name} is a setting of the learner {other}, which {learner} would "
                    f"ignore. Leave it out; the settings of {learner} are in the section {own}."
                )
    if learner == "mask_rcnn":
        return
    for name in given.get("training", ()):
        if name in _OF_MASK_RCNN:
            raise UserError(
                f"training.{name} is for the learner mask_rcnn; {learner} would ignore it. "
                "Leave it out."
            )
