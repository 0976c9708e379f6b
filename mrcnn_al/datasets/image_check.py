"""A look at all image files before work that would stop at a broken one."""

from mrcnn_al.datasets.base import Dataset
from mrcnn_al.datasets.shown import first_few
from mrcnn_al.errors import UserError
from mrcnn_al.progress import progress


def check_images(dataset: Dataset) -> None:
    """Looks at every image file, see `Dataset.check_image`.

    Raises:
        UserError: some cannot be used; the message names the first of them.
    """
    problems = []
    with progress("looking at the images", len(dataset.image_ids), "images") as advance:
        for image_id in dataset.image_ids:
            try:
                dataset.check_image(image_id)
            except UserError as error:
                problems.append(str(error).removesuffix("."))
            advance()
    if problems:
        raise UserError(
            f"{len(problems)} of {len(dataset.image_ids)} images cannot be used: "
            f"{first_few(problems)}. Correct this, or leave out what is broken (--skip-broken); "
            "`mrcnn-al datasets stats` lists all of it."
        )
