"""The files of one iteration."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from mrcnn_al import files
from mrcnn_al.errors import UserError
from mrcnn_al.evaluation.pseudo_quality import PseudoQuality
from mrcnn_al.score_table import RECORD_COLUMNS, ScoreRecord, record_from_line, record_to_line
from mrcnn_al.strategies.base import Query
from mrcnn_al.uncertainty.image_features import ImageFeatures


@dataclass(frozen=True)
class IterationFiles:
    """The files of one iteration, whether they exist or not.

    Every reader raises UserError, naming the file, where it is missing or broken. Every
    writer replaces its file atomically.

    Attributes:
        number: from 1.
        folder: `iteration_001`, ...
    """

    number: int
    folder: Path

    @property
    def labelled_path(self) -> Path:
        """The image ids trained on."""
        return self.folder / "labelled.json"

    @property
    def weights_path(self) -> Path:
        """The weights after training."""
        return self.folder / "weights.h5"

    @property
    def checkpoint_path(self) -> Path:
        """Where a training that was interrupted goes on; gone when its weights are there."""
        return self.folder / "checkpoint.npz"

    @property
    def log_folder(self) -> Path:
        """Event files for TensorBoard, where they are asked for."""
        return self.folder / "logs"

    @property
    def history_path(self) -> Path:
        """The losses of each epoch."""
        return self.folder / "history.csv"

    @property
    def metrics_path(self) -> Path:
        """How good the model is, and what it cost."""
        return self.folder / "metrics.json"

    @property
    def scores_path(self) -> Path:
        """What the strategy saw of each unlabelled image, and made of it."""
        return self.folder / "scores.csv"

    @property
    def scored_path(self) -> Path:
        """The scores so far, while the pool is scored; gone when `scores_path` is there."""
        return self.folder / "scored.jsonl"

    @property
    def features_path(self) -> Path:
        """What the backbone makes of each image, where the strategy asks for it."""
        return self.folder / "features.npz"

    @property
    def batch_path(self) -> Path:
        """The queried images."""
        return self.folder / "batch.json"

    @property
    def pseudo_labels_path(self) -> Path:
        """The predictions taken for labels, as COCO results."""
        return self.folder / "pseudo_labels.json"

    @property
    def batch_classes_path(self) -> Path:
        """What the oracle found in the queried images."""
        return self.folder / "batch_classes.json"

    @property
    def pseudo_quality_path(self) -> Path:
        """How good the pseudo-labels are, where an experiment knows."""
        return self.folder / "pseudo_quality.json"

    def write_labelled(self, labelled: Sequence[str], pseudo_labelled: Sequence[str]) -> None:
        """Writes the image ids trained on, in the order of labelling."""
        content = {"labelled": list(labelled), "pseudo_labelled": list(pseudo_labelled)}
        files.write_json(self.labelled_path, content)

    def read_labelled(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The labelled and the pseudo-labelled image ids."""
        return _read_text_lists(self.labelled_path, "labelled", "pseudo_labelled")

    def write_history(self, epochs: Sequence[Mapping[str, float]]) -> None:
        """Writes one line for each epoch; columns in the order of their first appearance."""
        columns = list(dict.fromkeys(name for epoch in epochs for name in epoch))
        lines = ({name: _number_text(epoch[name]) for name in epoch} for epoch in epochs)
        _write_csv(self.history_path, columns, lines)

    def read_history(self) -> list[dict[str, float]]:
        """One dict for each epoch, equal to what was written."""
        return _read_csv(
            self.history_path,
            lambda line: {name: _number(text) for name, text in line.items() if text},
        )

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Writes anything that JSON can hold; ValueError for NaN and infinity."""
        files.write_json(self.metrics_path, dict(metrics))

    def read_metrics(self) -> dict[str, Any]:
        """Equal to what was written."""
        return _read_json(self.metrics_path, dict, "an object")

    def write_scores(self, records: Sequence[ScoreRecord]) -> None:
        """Writes one line for each unlabelled image."""
        _write_csv(self.scores_path, RECORD_COLUMNS, map(record_to_line, records))

    def read_scores(self) -> list[ScoreRecord]:
        """Equal to what was written, floats to the last bit."""
        return _read_csv(self.scores_path, record_from_line, RECORD_COLUMNS)

    def write_features(self, features: ImageFeatures) -> None:
        """Writes the features of the pool's images as arrays `image_ids` and `features`."""
        image_ids = np.array(features.image_ids, str)
        with files.replacing(self.features_path) as temporary, open(temporary, "wb") as file:
            np.savez(file, image_ids=image_ids, features=features.values)

    def read_features(self) -> ImageFeatures:
        """Equal to what was written."""
        try:
            with open(self.features_path, "rb") as file, np.load(file) as stored:
                image_ids, values = stored["image_ids"], stored["features"]
            return ImageFeatures(tuple(image_ids.tolist()), values)
        except FileNotFoundError:
            raise UserError(f"The file {self.features_path} does not exist.") from None
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise _broken(self.features_path, error) from error

    def write_batch(self, query: Query) -> None:
        """Writes the queried images and the reasons; utilities are not kept."""
        content = {"image_ids": list(query.image_ids), "reasons": list(query.reasons)}
        files.write_json(self.batch_path, content)

    def read_batch(self) -> Query:
        """The query, without utilities."""
        image_ids, reasons = _read_text_lists(self.batch_path, "image_ids", "reasons")
        if len(image_ids) != len(reasons):
            raise _broken(self.batch_path, "there must be one reason for each image")
        return Query(image_ids, reasons)

    def write_pseudo_labels(self, results: Sequence[Any]) -> None:
        """Writes a list, of COCO results as a rule."""
        files.write_json(self.pseudo_labels_path, list(results))

    def read_pseudo_labels(self) -> list[Any]:
        """Equal to what was written."""
        return _read_json(self.pseudo_labels_path, list, "a list")

    def write_batch_classes(
        self, class_names: Sequence[str], counts: Mapping[str, Sequence[int]]
    ) -> None:
        """Writes the names of classes 1, 2, ... and, by image id, the instances of each."""
        content = {"class_names": list(class_names), "instances": dict(counts)}
        files.write_json(self.batch_classes_path, content)

    def read_batch_classes(self) -> tuple[tuple[str, ...], dict[str, list[int]]]:
        """The class names, and the instances of each class by image id."""
        (names,) = _read_text_lists(self.batch_classes_path, "class_names")
        counts = _read_json(self.batch_classes_path, dict, "an object").get("instances")
        if not isinstance(counts, dict) or not all(
            _are_counts(values, len(names)) for values in counts.values()
        ):
            reason = f"'instances' must hold {len(names)} counts for each image"
            raise _broken(self.batch_classes_path, reason)
        return names, counts

    def write_pseudo_quality(self, qualities: Sequence[PseudoQuality]) -> None:
        """Writes one entry for each pseudo-labelled image."""
        files.write_json(self.pseudo_quality_path, [quality.to_dict() for quality in qualities])

    def read_pseudo_quality(self) -> list[PseudoQuality]:
        """Equal to what was written."""
        content = _read_json(self.pseudo_quality_path, list, "a list")
        try:
            return [PseudoQuality.from_dict(entry) for entry in content]
        except (KeyError, TypeError, ValueError) as error:
            raise _broken(self.pseudo_quality_path, error) from error


def _broken(path: Path, reason: str | Exception) -> UserError:
    return UserError(f"The file {path} is broken: {reason}.")


def _read_json(path: Path, kind: type, kind_name: str) -> Any:
    content = files.read_json(path, "file")
    if not isinstance(content, kind):
        raise _broken(path, f"it must hold {kind_name}")
    return content


def _are_counts(values: Any, length: int) -> bool:
    whole = isinstance(values, list) and all(isinstance(value, int) for value in values)
    return whole and len(values) == length


def _read_text_lists(path: Path, *names: str) -> tuple[tuple[str, ...], ...]:
    content = _read_json(path, dict, "an object")
    for name in names:
        values = content.get(name)
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise _broken(path, f"{name!r} must be a list of texts")
    return tuple(tuple(content[name]) for name in names)


def _write_csv(path: Path, columns: Sequence[str], lines: Iterable[Mapping[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    files.write_text(path, text.getvalue())


def _read_csv(
    path: Path, parse: Callable[[dict[str, str]], Any], columns: Sequence[str] | None = None
) -> list[Any]:
    reader = csv.reader(io.StringIO(files.read_text(path), newline=""), strict=True)
    try:
        header = next(reader, [])
        if columns is not None and header != list(columns):
            raise ValueError(_wrong_columns(header, columns))
        return [parse(dict(zip(header, line, strict=True))) for line in reader]
    except (ValueError, csv.Error) as error:
        raise _broken(path, f"line {reader.line_num}: {error}") from error


def _wrong_columns(header: Sequence[str], columns: Sequence[str]) -> str:
    missing = [name for name in columns if name not in header]
    if header and [name for name in columns if name in header] == header:
        return (
            f"it lacks the columns {', '.join(missing)}; it may be of an earlier version of this "
            "package. Delete it: a run that needs it makes it again"
        )
    return f"its columns must be {', '.join(columns)}"


def _number_text(value: float) -> str:
    return str(int(value)) if isinstance(value, Integral) else repr(float(value))


def _number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)
