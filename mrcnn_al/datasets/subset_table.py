"""The image sets that are known by name, as the thesis describes them."""

import math
from dataclasses import dataclass, replace

from mrcnn_al.datasets.splits import Counts
from mrcnn_al.datasets.toy_image import CLASS_NAMES
from mrcnn_al.errors import UserError

TRAIN, VAL = "train2017", "val2017"


@dataclass(frozen=True)
class SubsetRow:
    """What one line of the table says.

    Attributes:
        source: `coco` for a COCO 2017 folder, `dsb`, or `toy`.
        classes: by name; annotations of others are dropped.
        counts: images in each split, of all classes together.
        validation_from: the part of COCO 2017 that the validation images come from; those for
            training and test come from train2017.
        equal: the splits with as many images of one class as of another. If any is named, no
            image shows two of the classes, and a split that is not named is as equal as the
            images allow; where they are too few for it, those with two classes fill up.
    """

    source: str
    classes: tuple[str, ...]
    counts: Counts
    validation_from: str = TRAIN
    equal: tuple[str, ...] = ()

    def scaled(self, scale: float | None) -> Counts:
        """The counts of a smaller set of the same proportions.

        Each split, and what of it is labelled at the start, has at least as many images as there
        are classes, which is one of each where they are equal. At least one image for training,
        where they are equal one of each class, is not labelled at the start.

        Args:
            scale: a fraction above 0 and up to 1, or a whole number of training images, of
                which as many are used as are equal for each class; None for all.

        Raises:
            UserError: `scale` is neither, or too few or many images.
        """
        full = self.counts
        if scale is None or scale == 1:
            return full
        if not (0 < scale < 1 or (float(scale).is_integer() and 1 < scale <= full.train)):
            raise UserError(
                f"The scale {scale:g} is out of range: give a fraction above 0 and up to 1, or a "
                f"whole number of training images up to {full.train:,}."
            )
        fraction = scale if scale < 1 else scale / full.train
        labelled = self._count("labelled", fraction, len(self.classes))
        least = labelled + self._unit("train")
        counts = Counts(
            train=self._count("train", fraction, least),
            labelled=labelled,
            validation=self._count("validation", fraction, len(self.classes)),
            test=self._count("test", fraction, len(self.classes)),
        )
        if scale < 1:
            return counts
        if scale < least:
            raise UserError(
                f"{scale:g} training images are too few: {labelled} are labelled at the start, so "
                f"give at least {least}."
            )
        return replace(counts, train=int(scale) - int(scale) % self._unit("train"))

    def steps(self) -> range:
        """The numbers of training images that `scaled` can give, ascending."""
        unit, smallest = self._unit("train"), self.scaled(math.ulp(0.0)).train
        return range(smallest, self.counts.train + 1, unit)

    def _unit(self, split: str) -> int:
        return len(self.classes) if split in (*self.equal, "labelled") and self.equal else 1

    def _count(self, split: str, fraction: float, least: int) -> int:
        unit = self._unit(split)
        units = math.floor(fraction * getattr(self.counts, split) / unit + 0.5)
        return max(least, unit * units)


_TEN = (
    *("person", "car", "airplane", "boat", "dog"),
    *("elephant", "stop sign", "pizza", "toilet", "clock"),
)

# Subsets 1 to 5 of the thesis, and one for trying out. Of subset 5 the thesis gives 1,520, 363
# and 800 images for each class; 363 of both together could not be equal. Of subset 4 it gives
# 727 images for validation, which is no multiple of five, and val2017 has fewer airplanes than
# a fifth of that: these are as equal as val2017 allows.
SUBSETS = {
    "dsb": SubsetRow("dsb", ("nucleus",), Counts(480, 40, 51, 133)),
    "coco2": SubsetRow("coco", ("person",), Counts(50_400, 4_200, 2_688, 13_715), VAL),
    "coco3": SubsetRow("coco", _TEN, Counts(68_145, 6_195, 3_436, 13_629), VAL),
    "coco4": SubsetRow(
        "coco",
        ("airplane", "train", "cat", "surfboard", "toilet"),
        Counts(5 * 2_100, 5 * 10, 727, 5 * 800),
        VAL,
        equal=("train", "test"),
    ),
    "coco5": SubsetRow(
        "coco",
        ("bicycle", "motorcycle"),
        Counts(2 * 1_520, 2 * 20, 2 * 363, 2 * 800),
        TRAIN,
        equal=("train", "validation", "test"),
    ),
    "toy": SubsetRow("toy", CLASS_NAMES, Counts(64, 12, 10, 24)),
}
