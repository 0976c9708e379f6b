"""Numbers as a reader of a report wants them."""


def metric_text(value: float | None) -> str:
    """Three decimals; a dash for what is undefined."""
    return "–" if value is None else f"{value:.3f}"


def signed_text(value: float) -> str:
    """Three decimals with their sign."""
    return f"{value:+.3f}".replace("-", "−")


def thousands(value: int) -> str:
    """With separators."""
    return f"{value:,}"


def duration(seconds: float | None) -> str:
    """In the unit that fits; a dash for what is unknown."""
    if seconds is None:
        return "–"
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
