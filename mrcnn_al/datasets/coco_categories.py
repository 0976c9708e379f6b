"""COCO's categories to the names of classes."""

import unicodedata
from collections import Counter
from collections.abc import Callable

from mrcnn_al.datasets.shown import shown
from mrcnn_al.errors import UserError

_CONTROL_AND_SURROGATE = ("Cc", "Cs")


def class_table(categories: list[dict], error: Callable[[str], UserError]) -> dict[int, str]:
    """Names by category id, ascending: those of classes 1, 2, ...

    Where a name occurs twice, as in the exports of some tools, the id is added to it.

    Args:
        categories: the entries of the annotation file.
        error: makes an error that begins with the name of the file.

    Raises:
        UserError: an id or a name is missing, of the wrong kind, or occurs twice.
    """
    names: dict[int, str] = {}
    for category in categories:
        category_id, name = category.get("id"), category.get("name")
        if type(category_id) is not int:
            raise error(f'has a category whose "id" is no whole number: {shown(category)}')
        if not isinstance(name, str):
            raise error(f'has a category whose "name" is no text: {shown(category)}')
        if category_id in names:
            raise error(f"has two categories with the id {shown(category_id)}")
        if not name.strip() or any(
            unicodedata.category(letter) in _CONTROL_AND_SURROGATE for letter in name
        ):
            raise error(
                f"has a category without a name that can be printed: {shown(name)} "
                f"(id {shown(category_id)})"
            )
        names[category_id] = name
    times = Counter(names.values())
    return {
        category_id: name if times[name] == 1 else f"{name} ({category_id})"
        for category_id, name in sorted(names.items())
    }
