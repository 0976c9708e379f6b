"""The first iteration of one run, taken over by another that would do the same."""

import os
import shutil
from pathlib import Path

from mrcnn_al import files
from mrcnn_al.iteration_files import IterationFiles
from mrcnn_al.run_store import RunStore
from mrcnn_al.score_journal import ScoreJournal


def take_first_iteration(source: RunStore, target: RunStore, scores: bool) -> None:
    """Gives a run the training, evaluation and scores of another's first iteration.

    A file of a run is never changed but replaced, so links to the same content do. The metrics
    come last: a run that has them has all; one that was left without goes on by itself from what
    it has, to the same end.

    Args:
        source: a run that has finished its first iteration.
        target: a run that has not, with the same settings but for its strategy; it must not be
            in use.
        scores: whether the target's strategy asks for scores; they are taken if there are any.
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
        for origin, place in pairs:
            if not place.exists():
                _link(origin, place)
        taken = ["train", "evaluate"]
        if scores:
            _take_scores(there, here)
            taken.append("score")
        _take_metrics(there, here, taken)


def _take_scores(there: IterationFiles, here: IterationFiles) -> None:
    """As those of a run that was ended when all images were scored."""
    rows = [record.row for record in there.read_scores() if record.row.passes]
    if not rows:
        return
    with files.replacing(here.scored_path) as temporary, ScoreJournal(temporary) as journal:
        for row in rows:
            journal.add(row)


def _take_metrics(there: IterationFiles, here: IterationFiles, phases: list[str]) -> None:
    """With the seconds of these phases alone."""
    metrics = there.read_metrics()
    seconds = {name: metrics["seconds"][name] for name in phases if name in metrics["seconds"]}
    here.write_metrics({**metrics, "seconds": seconds})


def _link(origin: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(origin, place)
    except OSError:
        # Not every file system has hard links.
        with files.replacing(place) as temporary:
            shutil.copyfile(origin, temporary)
