"""Suggestions for arguments that cannot be understood. Every suggestion can be typed as it is printed."""

from __future__ import annotations

import pkgutil
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import zip_longest
from pathlib import Path
from typing import Any

from harness.config import catalogue
from harness.config.schema import COMPONENT_GROUPS, LISTED_GROUPS, PLACE_GROUPS, SETTING_GROUPS
from harness.errors import Refused, closest_match, echoed, normalized

KEYS = {
    "lr": "train.learning_rate",
    "max_lr": "train.learning_rate",
    "step_size": "train.learning_rate",
    "wd": "train.weight_decay",
    "decay": "train.weight_decay",
    "batch_size": "train.batch",
    "bs": "train.batch",
    "steps": "train.steps",
    "max_steps": "train.steps",
    "num_steps": "train.steps",
    "iterations": "train.steps",
    "epochs": "train.steps",
    "max_epochs": "train.steps",
    "num_epochs": "train.steps",
    "warmup_steps": "train.warmup",
    "grad_clip": "train.clip",
    "gradient_clip_val": "train.clip",
    "max_grad_norm": "train.clip",
    "dtype": "train.precision",
    "n_layers": "model.layers",
    "n_layer": "model.layers",
    "num_layers": "model.layers",
    "num_hidden_layers": "model.layers",
    "depth": "model.layers",
    "n_heads": "model.heads",
    "n_head": "model.heads",
    "num_heads": "model.heads",
    "num_attention_heads": "model.heads",
    "d_model": "model.dimension",
    "dim": "model.dimension",
    "hidden_size": "model.dimension",
    "hidden_dim": "model.dimension",
    "n_embd": "model.dimension",
    "embed_dim": "model.dimension",
    "width": "model.dimension",
    "train_length": "lengths.train",
    "max_train_length": "lengths.train",
    "test_length": "lengths.test",
    "max_test_length": "lengths.test",
    "original_length": "lengths.original",
    "extension": "train_extension",
    "from": "weights_from",
    "init_from": "weights_from",
    "initial_weights": "weights_from",
    "resume_from": "weights_from",
    "finetune_from": "weights_from",
    "checkpoint": "weights_from",
    "gpus": "trainer.devices",
    "num_gpus": "trainer.devices",
    "device": "trainer.accelerator",
    "threads": "launcher.threads",
    "num_workers": "launcher.slots",
    "random_seed": "seed",
    "output_dir": "results",
    "output": "results",
    "out": "results",
    "pos": "positions",
    "pe": "encoding",
    "pos_encoding": "encoding",
    "position_encoding": "encoding",
    "positional_encoding": "encoding",
    "pos_emb": "encoding",
    "dataset": "task",
    "arch": "architecture",
    "wandb": "logger",
}
"""Names that other programs use for our keys. The aliases of a choice are in its file, after ``# Also called:``."""

MISREAD = frozenset(("true", "false", "null", "nan", "inf"))
"""Words that Hydra's grammar takes for something else than text."""

FIRST = ("lengths", *SETTING_GROUPS, *PLACE_GROUPS)
"""The groups in which a key without its group is searched first."""

LONGEST = 300
"""Characters of the longest argument for which a correction is tried."""

TYPED = (*catalogue.GROUPS, "lengths", "weights_from", "seed", "results", "packages", "force", "retry")
"""What an argument can begin with."""


def unknown_key(key: str, keys: Mapping[str, Sequence[str]], folders: Sequence[Path]) -> Refused:
    """``keys`` gives the keys of every part of a run; ``""`` is the whole."""
    parent, _, last = key.rpartition(".")
    close = _meant_key(parent, last, keys, folders)
    guess = f"; did you mean '{close}'?" if close else "."
    of = parent if parent in keys else ""
    known = ", ".join(sorted(f"{of}.{one}" if of else one for one in keys[of])) or "none"
    return Refused(f"unknown key '{echoed(key)}'{guess} {f'Keys of {of}' if of else 'Keys'}: {known}")


def _meant_key(parent: str, last: str, keys: Mapping[str, Sequence[str]], folders: Sequence[Path]) -> str | None:
    if parent in catalogue.GROUPS and (chosen := _choice(parent, last, folders)):
        return chosen
    full = {f"{group}.{key}" if group else key for group, inside in keys.items() for key in inside}
    siblings = keys.get(parent, ())
    synonym = {normalized(name): one for name, one in KEYS.items()}.get(normalized(last))
    close = next((one for one in siblings if normalized(one) == normalized(last)), None)
    if not close and synonym in full:
        return synonym
    if close := close or closest_match(last, siblings, {}):
        return f"{parent}.{close}" if parent else close
    if parent and parent not in keys and (group := closest_match(parent, keys[""], {})) and f"{group}.{last}" in full:
        return f"{group}.{last}"
    if parent not in (*COMPONENT_GROUPS, *LISTED_GROUPS):
        for groups in (FIRST, COMPONENT_GROUPS):
            found = [
                f"{group}.{one}"
                for group in groups
                for one in keys.get(group, ())
                if normalized(one) == normalized(last)
            ]
            if len(found) == 1:
                return found[0]
    if last in keys[""]:
        return last
    return None if parent else next(choices_named(last, folders), None)


def choices_named(word: str, folders: Sequence[Path]) -> Iterator[str]:
    """The choices of this name, as ``group=name``."""
    for group in catalogue.GROUPS:
        if chosen := _choice(group, word, folders):
            yield chosen


def _choice(group: str, word: str, folders: Sequence[Path]) -> str | None:
    also = {normalized(name): choice for name, choice in catalogue.aliases(group, folders).items()}
    also |= {normalized(name): name for name in catalogue.names(folders)[group]}
    return f"{group}={also[normalized(word)]}" if normalized(word) in also else None


def unreadable(
    argument: str, following: Sequence[str], folders: Sequence[Path], accepted: Callable[[str], bool]
) -> Refused:
    """The error for an argument that does not parse. ``following`` are those after it; ``accepted`` says whether a
    correction would work.
    """
    said = echoed(argument)
    for wanted in _repaired(argument, following) if len(argument) <= LONGEST and argument.isprintable() else ():
        if accepted(wanted):
            why = "a value with such characters needs quotes of its own" if wanted[-1] in "'\"" else "this is written"
            return Refused(f"{said}: {why}: {shell_quoted(wanted)}")
    if "=" in argument:
        return Refused(f"{said}: this cannot be read as key=value")
    if choices := list(choices_named(argument, folders)):
        return Refused(f"{said}: did you mean {' or '.join(map(shell_quoted, choices))}?")
    if argument in catalogue.names():
        return Refused(f"{said}: a choice is written {said}=NAME; python -m harness ls {said} lists them")
    commands = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parents[1] / "commands")])]
    close = get_close_matches(argument[:100], commands, n=1)
    written = f"{said}: a choice is written group=name, a value key=value"
    if close:
        return Refused(f"{written}; did you mean the command '{close[0]}'?")
    every = [name for names in catalogue.names(folders).values() for name in names]
    if meant := get_close_matches(argument[:100], every, n=1):
        return Refused(f"{written}; did you mean {' or '.join(choices_named(meant[0], folders))}?")
    return Refused(f"{written}. Commands: {', '.join(commands)}")


def _repaired(argument: str, following: Sequence[str]) -> Iterator[str]:
    """Possible corrections of an argument that does not parse."""
    key, equals, value = (part.strip() for part in argument.partition("="))
    if not equals:
        for separator in ":", ".", " ":
            key, found, value = argument.strip().partition(separator)
            if found:
                yield f"{key.strip()}={value.strip()}"
        if rest := [word for word in following[:2] if word != "="]:
            yield f"{key}={rest[0].lstrip('=')}"
        return
    value = value.lstrip("= ")
    yield f"{key}={value}"
    if bare := value.strip("'\"()[]{}, "):
        yield f"{key}={bare}"
    for mark in "'\"":
        if mark not in value and not value.endswith("\\"):
            yield f"{key}={mark}{value}{mark}"
    yield f"{key}={quote_value(value)}"


def quote_value(text: str) -> str:
    """Any text quoted for Hydra's grammar, in which only quotes and the backslashes before them are escaped."""
    return "'" + re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), text) + "'"


def written(value: Any) -> str:
    """A value of a config as Hydra's grammar reads it."""
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{quote_value(key)}:{written(part)}' for key, part in value.items())}}}"
    if isinstance(value, str):
        plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", value) and value.casefold() not in MISREAD
        return value if plain else quote_value(value)
    return "null" if value is None else str(value).lower()


def shell_quoted(argument: str) -> str:
    """An argument quoted for a shell."""
    if shlex.quote(argument) == argument or "'" not in argument:
        return shlex.quote(argument)
    return shlex.quote(argument) if re.search(r'["$`\\!]', argument) else f'"{argument}"'


def check_flags(arguments: Sequence[str], flags: Collection[str]) -> None:
    """Raise :class:`Refused` for a key that is written like a flag, such as ``--task=copy`` or ``-task copy``.

    ``flags`` are the existing ones.
    """
    for argument, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        key, equals, value = argument.lstrip("-").partition("=")
        if not argument.startswith("-") or argument.partition("=")[0] in flags:
            continue
        key = key if key in TYPED or key.partition(".")[0] in TYPED else KEYS.get(key.replace("-", "_"), "")
        if key:
            value = value if equals else following
            wanted = shell_quoted(f"{key}={value}") if value and not value.startswith("-") else f"{key}=..."
            raise Refused(f"unknown flag '{echoed(argument)}'; did you mean {wanted}?")
