"""What the folder of a run tells a report; files that do not exist yet are left out."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from mrcnn_al.errors import UserError
from mrcnn_al.evaluation.learning_curve import CurvePoint, read_curve
from mrcnn_al.evaluation.pseudo_quality import PseudoQuality
from mrcnn_al.iteration_files import IterationFiles
from mrcnn_al.run_store import RunStore
from mrcnn_al.score_table import ScoreRecord
from mrcnn_al.strategies.base import ZONES, Query
from mrcnn_al.strategies.candidates import Candidates
from mrcnn_al.strategies.zones import assign_zones
from mrcnn_al.uncertainty.score_row import ScoreRow


@dataclass(frozen=True)
class IterationRecord:
    """One iteration, finished or not.

    Attributes:
        number: of the iteration.
        history: the losses by name for each epoch.
        metrics: of the evaluation, the seconds of each phase among them; empty before it.
        rows: the scores of the unlabelled images.
        zones: image id to the third of the mask-uncertainty ranking, low, medium or high, of the
            strategy's own cut where it has one; blank for images that were not scored.
        batch: the queried images, in order.
        reasons: why each of them was queried.
        class_names: of classes 1, 2, ...; empty before the batch is labelled.
        instances: queried image id to the instances of each class that the oracle found.
        pseudo_quality: of each pseudo-labelled image, where the truth is known.
    """

    number: int
    history: tuple[Mapping[str, float], ...]
    metrics: Mapping[str, Any]
    rows: tuple[ScoreRow, ...]
    zones: Mapping[str, str]
    batch: tuple[str, ...]
    reasons: tuple[str, ...]
    class_names: tuple[str, ...]
    instances: Mapping[str, Sequence[int]]
    pseudo_quality: tuple[PseudoQuality, ...]

    @property
    def seconds(self) -> Mapping[str, float]:
        """Phase to seconds."""
        return self.metrics.get("seconds", {})


@dataclass(frozen=True)
class RunRecord:
    """A run as its files tell it.

    Attributes:
        name: of its folder.
        config_text: config.yaml as it stands, empty without.
        config: its content.
        pool: pool.json; empty before the first iteration has finished.
        curve: one point for each evaluated iteration.
        iterations: ascending.
    """

    name: str
    config_text: str
    config: Mapping[str, Any]
    pool: Mapping[str, Any]
    curve: tuple[CurvePoint, ...]
    iterations: tuple[IterationRecord, ...]

    def setting(self, section: str, name: str) -> Any:
        """A value of the configuration; None where it is not there."""
        values = self.config.get(section)
        return values.get(name) if isinstance(values, dict) else None


def read_run(folder: str | os.PathLike) -> RunRecord:
    """Reads the folder of a run, one in progress included.

    Raises:
        UserError: the folder does not exist, or a file in it is broken.
    """
    store = RunStore(folder)
    if not store.folder.is_dir():
        raise UserError(f"The run {folder} does not exist.")
    config_text = _optional(store.config_path, store.read_config, "")
    return RunRecord(
        name=store.folder.resolve().name,
        config_text=config_text,
        config=_parse_config(store.config_path, config_text),
        pool=_optional(store.pool_path, lambda: store.read_pool().to_dict(), {}),
        curve=tuple(_optional(store.curve_path, lambda: read_curve(store.curve_path), [])),
        iterations=tuple(map(_read_iteration, store.iterations())),
    )


def _read_iteration(files: IterationFiles) -> IterationRecord:
    scores = _optional(files.scores_path, files.read_scores, [])
    query = _optional(files.batch_path, files.read_batch, Query((), ()))
    names, instances = _optional(files.batch_classes_path, files.read_batch_classes, ((), {}))
    quality = _optional(files.pseudo_quality_path, files.read_pseudo_quality, [])
    return IterationRecord(
        number=files.number,
        history=tuple(_optional(files.history_path, files.read_history, [])),
        metrics=_optional(files.metrics_path, files.read_metrics, {}),
        rows=tuple(record.row for record in scores),
        zones=_zones(scores),
        batch=query.image_ids,
        reasons=query.reasons,
        class_names=names,
        instances=instances,
        pseudo_quality=tuple(quality),
    )


def _zones(scores: Sequence[ScoreRecord]) -> dict[str, str]:
    """Of a strategy without zones those that it would have, for the figures that show them."""
    given = {record.row.image_id: record.zone for record in scores}
    if any(given.values()) or not any(record.row.passes for record in scores):
        return given
    rows = sorted((record.row for record in scores), key=attrgetter("image_id"))
    candidates = Candidates(rows, np.arange(len(rows)))
    zones = assign_zones(candidates, np.arange(len(rows)), "rank")
    return candidates.by_image_id(np.array(ZONES, object)[zones])


def _optional(path: Path, read: Callable[[], Any], default: Any) -> Any:
    return read() if path.is_file() else default


def _parse_config(path: Path, text: str) -> Mapping[str, Any]:
    import yaml

    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"The configuration {path} is not valid YAML: {error}.") from error
    return config if isinstance(config, dict) else {}
