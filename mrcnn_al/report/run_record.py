"""What the folder of a run tells a report; files that do not exist yet are left out."""

import csv
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrcnn_al.errors import UserError
from mrcnn_al.evaluation.learning_curve import CurvePoint, read_curve
from mrcnn_al.files import read_json, read_text
from mrcnn_al.uncertainty.score_row import ScoreRow


@dataclass(frozen=True)
class IterationRecord:
    """One iteration, finished or not.

    Attributes:
        number: of the iteration.
        history: the losses by name for each epoch.
        metrics: of the evaluation, the seconds of each phase among them; empty before it.
        rows: the scores of the unlabelled images.
        zones: image id to zone, blank without.
        reasons: why each image of the batch was queried.
    """

    number: int
    history: tuple[Mapping[str, float], ...]
    metrics: Mapping[str, Any]
    rows: tuple[ScoreRow, ...]
    zones: Mapping[str, str]
    reasons: tuple[str, ...]

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

    def setting(self, section: str, name: str) -> str:
        """A value of the configuration for people; a dash where it is not there."""
        values = self.config.get(section)
        value = values.get(name) if isinstance(values, dict) else None
        return "–" if value is None else str(value)


def read_run(folder: str | os.PathLike) -> RunRecord:
    """Reads the folder of a run, one in progress included.

    Raises:
        UserError: the folder does not exist, or a file in it is broken.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"The run {folder} does not exist.")
    config_text = _optional(folder / "config.yaml", read_text, "")
    folders = [path for path in folder.glob("iteration_*") if path.is_dir()]
    numbered = {path.name.removeprefix("iteration_"): path for path in folders}
    return RunRecord(
        name=folder.resolve().name,
        config_text=config_text,
        config=_parse_config(folder / "config.yaml", config_text),
        pool=_optional(folder / "pool.json", _read_object, {}),
        curve=tuple(_optional(folder / "curve.csv", read_curve, [])),
        iterations=tuple(
            _read_iteration(int(number), numbered[number])
            for number in sorted((n for n in numbered if n.isdecimal()), key=int)
        ),
    )


def _read_iteration(number: int, folder: Path) -> IterationRecord:
    scores = _optional(folder / "scores.csv", _read_scores, [])
    return IterationRecord(
        number=number,
        history=tuple(_optional(folder / "history.csv", _read_history, [])),
        metrics=_optional(folder / "metrics.json", _read_object, {}),
        rows=tuple(row for row, _ in scores),
        zones={row.image_id: zone for row, zone in scores},
        reasons=tuple(_optional(folder / "batch.json", _read_object, {}).get("reasons", ())),
    )


def _optional(path: Path, read: Callable[[Path], Any], default: Any) -> Any:
    return read(path) if path.is_file() else default


def _read_object(path: Path) -> dict[str, Any]:
    value = read_json(path)
    if not isinstance(value, dict):
        raise UserError(f"{path} holds a {type(value).__name__} instead of a JSON object.")
    return value


def _parse_config(path: Path, text: str) -> Mapping[str, Any]:
    import yaml

    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"The configuration {path} is not valid YAML: {error}.") from error
    return config if isinstance(config, dict) else {}


def _read_scores(path: Path) -> list[tuple[ScoreRow, str]]:
    return _read_table(path, _read_score)


def _read_score(line: Mapping[str, str]) -> tuple[ScoreRow, str]:
    row = ScoreRow(
        image_id=line["image_id"],
        detected_passes=int(line["detected_passes"]),
        mask=float(line["mask"]),
        passes=int(line["passes"]),
    )
    return row, line["zone"]


def _read_history(path: Path) -> list[dict[str, float]]:
    return _read_table(path, lambda line: {name: float(line[name]) for name in line if line[name]})


def _read_table(path: Path, parse: Callable[[Mapping[str, str]], Any]) -> list:
    lines = csv.DictReader(read_text(path, "table").splitlines())
    result = []
    for number, line in enumerate(lines, start=2):
        try:
            result.append(parse(line))
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"Line {number} of {path} cannot be used: {error!r}.") from error
    return result
