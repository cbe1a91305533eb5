"""Equal values written in one way."""

from typing import Any


def canonical(value: Any) -> Any:
    """The same with 0.0 for -0.0, which is the same number but would be a different run."""
    if isinstance(value, dict):
        return {key: canonical(part) for key, part in value.items()}
    if isinstance(value, list):
        return [canonical(part) for part in value]
    return value + 0.0 if isinstance(value, float) else value
