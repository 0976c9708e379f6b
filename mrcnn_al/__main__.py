"""`python -m mrcnn_al` is `mrcnn-al`."""

from mrcnn_al.cli.main import main

main()
