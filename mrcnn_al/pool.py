"""Which images are labelled, which are not yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mrcnn_al.errors import UserError


@dataclass(frozen=True)
class PoolState:
    """The pool as one iteration finds it.

    Attributes:
        iteration: that trains on this state, from 1.
        labelled: image ids in the order of labelling.
        unlabelled: image ids; together with `labelled` the whole pool.
        pseudo_labelled: those of `unlabelled` that predictions label for this training.
    """

    iteration: int
    labelled: tuple[str, ...]
    unlabelled: tuple[str, ...]
    pseudo_labelled: tuple[str, ...] = ()

    def __post_init__(self):
        for name in ("labelled", "unlabelled", "pseudo_labelled"):
            image_ids = tuple(getattr(self, name))
            object.__setattr__(self, name, image_ids)
            if len(set(image_ids)) < len(image_ids):
                raise ValueError(f"an image is twice in {name!r}")
        both = set(self.labelled) & set(self.unlabelled)
        if both:
            raise ValueError(f"image {min(both)!r} is labelled and unlabelled")
        strange = set(self.pseudo_labelled) - set(self.unlabelled)
        if strange:
            raise ValueError(f"pseudo-labelled image {min(strange)!r} is not unlabelled")
        if self.iteration < 1:
            raise ValueError(f"iteration {self.iteration}, but they count from 1")

    def label(self, image_ids: Sequence[str], pseudo_labelled: Sequence[str] = ()) -> "PoolState":
        """The state of the next iteration.

        Args:
            image_ids: what the oracle has labelled, in its order.
            pseudo_labelled: of the images that stay unlabelled, those labelled by predictions.

        Raises:
            ValueError: an id of either is not unlabelled, or occurs twice.
        """
        known = set(self.unlabelled)
        for image_id in image_ids:
            if image_id not in known:
                raise ValueError(f"image {image_id!r} is not unlabelled")
            known.remove(image_id)
        return PoolState(
            iteration=self.iteration + 1,
            labelled=(*self.labelled, *image_ids),
            unlabelled=tuple(image_id for image_id in self.unlabelled if image_id in known),
            pseudo_labelled=tuple(pseudo_labelled),
        )

    def to_dict(self) -> dict[str, Any]:
        """As `from_dict` reads it; ready for JSON."""
        return {
            "iteration": self.iteration,
            "labelled": list(self.labelled),
            "unlabelled": list(self.unlabelled),
            "pseudo_labelled": list(self.pseudo_labelled),
        }

    @classmethod
    def from_dict(cls, content: Any, source: str = "pool.json") -> "PoolState":
        """Reads what `to_dict` made.

        Args:
            content: parsed JSON.
            source: the file it comes from, for the message of an error.

        Raises:
            UserError: it is no pool state, or one that cannot be; `source` is named.
        """
        try:
            return cls(**_checked(content))
        except ValueError as error:
            raise UserError(f"The pool state {source} is broken: {error}.") from error


def _checked(content: Any) -> dict[str, Any]:
    expected = ("iteration", "labelled", "unlabelled", "pseudo_labelled")
    if not isinstance(content, dict) or set(content) != set(expected):
        raise ValueError(f"it must be an object of {', '.join(expected)}")
    if type(content["iteration"]) is not int:
        raise ValueError("'iteration' must be a whole number")
    for name in expected[1:]:
        image_ids = content[name]
        if not isinstance(image_ids, list) or not all(isinstance(i, str) for i in image_ids):
            raise ValueError(f"{name!r} must be a list of image ids")
    return content
