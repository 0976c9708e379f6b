"""`mrcnn-al`: the commands, each in its own file and imported when it is called."""

import importlib
import os
import sys

import click

from mrcnn_al.errors import UserError

_COMMANDS = {
    "train": "Run the active learning loop.",
    "compare": "Run several strategies several times, with statistics.",
    "reproduce": "Run an experiment of the thesis and draw its figure.",
    "evaluate": "COCO mAP of trained weights.",
    "predict": "Find instances in images: overlays and COCO results.",
    "report": "Write the HTML report of a run again.",
    "datasets": "Look at an image set: counts, sizes, annotated thumbnails.",
    "weights": "Look at weights files and convert them.",
}


class _Commands(click.Group):
    """Knows its commands by name; imports one when it is needed."""

    def list_commands(self, ctx):
        return list(_COMMANDS)

    def get_command(self, ctx, name):
        if name not in _COMMANDS:
            return None
        return getattr(importlib.import_module(f"mrcnn_al.cli.{name}"), name)

    def format_commands(self, ctx, formatter):
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mrcnn-al")
def cli():
    """Label images for instance segmentation, the most useful ones first.

    Trains a Mask R-CNN on the labelled images there are, finds those it would learn most
    from, gets them labelled, labels the certain ones by itself, and goes round again.
    """


def main() -> None:
    """The console script: errors of the user end with one message and exit code 2."""
    # TensorFlow reads these when it starts. Set later they reach nothing but the processes that
    # this one begins, whose scores would then differ from its own.
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    try:
        cli()
    except UserError as error:
        click.echo(f"mrcnn-al: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        click.echo(f"mrcnn-al: a file or folder cannot be used: {error}", err=True)
        sys.exit(2)
