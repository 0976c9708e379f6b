"""How long it takes to make the synthetic images, and to open the Data Science Bowl 2018.

python benchmarks/image_sets.py --data stage1_train.zip

Prints one JSON line: processor seconds of 90 synthetic images, of opening the real set for the
first time, when each mask is decoded, and of opening it again.
"""

import json
import tempfile
import time
from pathlib import Path

import click

from mrcnn_al.datasets.dsb import DsbDataset
from mrcnn_al.datasets.toy import generate_toy


@click.command()
@click.option("--data", type=click.Path(exists=True), help="Kaggle's stage1_train.zip.")
@click.option("--images", default=90, show_default=True, help="Synthetic ones.")
def main(data, images):
    """Measures in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        toy, cache = Path(folder, "toy"), Path(folder, "cache")
        result = {"toy": {"images": images, "seconds": seconds(generate_toy, toy, 0, images)}}
        if data:
            first, again = (seconds(DsbDataset, data, cache) for _ in range(2))
            result["dsb"] = {"first_seconds": first, "again_seconds": again}
    click.echo(json.dumps(result))


def seconds(function, *arguments):
    """Of processor time."""
    begin = time.process_time()
    function(*arguments)
    return round(time.process_time() - begin, 2)


if __name__ == "__main__":
    main()
