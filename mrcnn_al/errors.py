"""The one exception that users are meant to read."""


class UserError(Exception):
    """Something the user gave cannot be used.

    The message says what was wrong, where, and what to do. The command line prints it
    without a traceback and exits with code 2.
    """
