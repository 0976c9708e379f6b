"""How much is repeated for safety's sake: a little always, a lot where `--all` is given."""

import os

ALL = "MRCNN_AL_TEST_ALL"
REDUCED: dict[str, tuple[int, int]] = {}


def amount(what: str, few: int, many: int) -> int:
    """`few`, or `many` with `--all`; what is left out is told at the end of the tests.

    Args:
        what: that is repeated, in the plural.
        few: enough to find what the test is for.
        many: so that what is rare is found, too.
    """
    if os.environ.get(ALL):
        return many
    REDUCED[what] = (few, many)
    return few
