"""What Hydra and OmegaConf say is wrong, in one line, and the keys that could have been meant."""

from omegaconf import DictConfig, OmegaConf


def keys_of(composed: DictConfig, prefix: str = "") -> dict[str, list[str]]:
    """The keys of every part of a config; ``""`` is the whole."""
    known = {prefix: [str(key) for key in composed if key not in ("hydra", "_target_", "presets")]}
    for key in known[prefix]:
        if isinstance(part := OmegaConf.select(composed, key), DictConfig):
            known |= keys_of(part, f"{prefix}.{key}" if prefix else key)
    return known


def first_line(error: BaseException) -> str:
    """The first line of an error of Hydra or OmegaConf, with the key that it concerns."""
    said = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    if said.startswith("Error merging override") and error.__cause__:
        return first_line(error.__cause__)
    key = getattr(error, "full_key", None)
    return f"{key}: {said}" if key and key not in said else said
