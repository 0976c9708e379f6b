"""The first iteration of one run, taken over by another that would do the same."""

import os
import shutil
from pathlib import Path

from mrcnn_al import files
from mrcnn_al.run_store import RunStore


def take_first_iteration(source: RunStore, target: RunStore) -> None:
    """Gives a run the training and the evaluation of another's first iteration.

    A file of a run is never changed but replaced, so links to the same content do. The metrics
    come last: a run that has them has all; one that was left without goes on by itself from what
    it has, to the same end.

    Args:
        source: a run that has finished its first iteration.
        target: a run that has not, with the same settings but for its strategy; it must not be
            in use.
    """
    there, here = source.iteration(1), target.iteration(1)
    with target.lock():
        if here.metrics_path.exists():
            return
        pictures = sorted(source.figures_folder.glob(f"{there.folder.name}_test_*"))
        logs = sorted(path for path in there.log_folder.rglob("*") if path.is_file())
        pairs = [(there.labelled_path, here.labelled_path)]
        pairs += [(log, here.log_folder / log.relative_to(there.log_folder)) for log in logs]
        pairs += [(there.history_path, here.history_path), (there.weights_path, here.weights_path)]
        pairs += [(picture, target.figures_folder / picture.name) for picture in pictures]
        pairs += [(there.metrics_path, here.metrics_path)]
        for origin, place in pairs:
            if not place.exists():
                _link(origin, place)


def _link(origin: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(origin, place)
    except OSError:
        # Not every file system has hard links.
        with files.replacing(place) as temporary:
            shutil.copyfile(origin, temporary)
