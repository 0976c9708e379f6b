"""The command line in a process that ends with the one that started it.

`python -m mrcnn_al.cli.child COMMAND ...` does what `mrcnn-al COMMAND ...` does. Its standard
input is the reading end of a pipe. However the other process ends, SIGKILL included, the
operating system closes the writing end, and this one ends, too.
"""

import os
import sys
import threading

from mrcnn_al.cli.main import main


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    # Files are written so that they outlive this at any moment.
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv[0] = "mrcnn-al"
    main()
