"""What loading a weights file did, and what it could not do."""

from dataclasses import dataclass, field


@dataclass
class WeightsReport:
    """Layer by layer, what became of a weights file.

    Attributes:
        source: the file.
        loaded: layers whose weights were taken.
        missing: layers of the model that the file does not have.
        unexpected: layers of the file that the model does not have.
        mismatched: (weight, shape in the file, shape in the model); for a weight under
            another name than expected, the two names.
        excluded: layers left alone because the user said so.
    """

    source: str
    loaded: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    mismatched: list[tuple[str, object, object]] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether model and file correspond, but for what was excluded."""
        return not (self.missing or self.unexpected or self.mismatched)

    def __str__(self) -> str:
        lines = [f"{self.source}: {len(self.loaded)} layers {'loaded' if self.complete else 'fit'}"]
        if self.excluded:
            lines[0] += f", {len(self.excluded)} excluded ({_some(self.excluded)})"
        if self.missing:
            lines.append(f"{len(self.missing)} layers missing in the file: {_some(self.missing)}")
        if self.unexpected:
            lines.append(
                f"{len(self.unexpected)} layers of the file unknown to the model: "
                f"{_some(self.unexpected)}"
            )
        if self.mismatched:
            shown = [
                f"{name} is {theirs} in the file, {ours} in the model"
                for name, theirs, ours in self.mismatched
            ]
            lines.append(f"{len(shown)} weights that do not fit: {_some(shown, '; ')}")
        return "\n".join(lines)


def _some(names: list[str], separator: str = ", ", most: int = 8) -> str:
    text = separator.join(names[:most])
    return text if len(names) <= most else f"{text}{separator}and {len(names) - most} more"
