"""What several tests need."""

import copy
import importlib
import importlib.util
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.results import records
from harness.results.records import Record
from harness.system import provenance

ROOT = Path(__file__).resolve().parents[1]
QUICK = (
    "model=nano",
    "train=quick",
    "train.steps=60",
    "train.warmup=5",
    "evaluation.examples=8",
    "trainer=cpu",
    "launcher.threads=1",
)
"""Overrides that make a run take seconds."""


def choices(group: str) -> list[str]:
    """The choices that conf/ lists: a new file is tested the moment it exists."""
    return sorted(path.stem for path in (ROOT / "conf" / group).glob("*.yaml"))


def node(group: str, name: str) -> dict[str, Any]:
    """What the file of a choice says of its component, which may be a key of a file about the whole run, after what it
    includes of a file beside the groups.
    """
    content = yaml.safe_load((ROOT / "conf" / group / f"{name}.yaml").read_text())
    defaults = [line for line in content.pop("defaults", []) if isinstance(line, str) and "@" in line]
    included = [
        yaml.safe_load((ROOT / "conf" / f"{line.strip('/').partition('@')[0]}.yaml").read_text()) for line in defaults
    ]
    own = content[group] if isinstance(content.get(group), dict) else content
    return {key: value for part in [*included, own] for key, value in part.items()}


def component(group: str, name: str, *arguments: Any, **options: Any) -> Any:
    """What conf/ calls by this name, made with these options: also where no run of the program could have it."""
    content = node(group, name)
    module, _, cls = content.pop("_target_").rpartition(".")
    return getattr(importlib.import_module(module), cls)(*arguments, **{**content, **options})


def layers(dimensions: Any, encoding: Callable[[int], Any], name: str = "standard") -> Any:
    """The layers of a network with attention in each: ``encoding`` gives that of a layer, by its number, which goes on
    counting in a second stack. What layers share there is a copy.
    """
    from harness.mixers.attention import Attention
    from harness.models.base import Layers

    numbers = itertools.count()

    def encodings() -> Any:
        copies: dict[int, Any] = {}
        for number in numbers:
            own = encoding(number)
            yield copies.setdefault(id(own), copy.deepcopy(own) if number >= dimensions.n_layers else own)

    return Layers(dimensions, encodings, lambda here: component("logit", name, here), [Attention])


def page_script(script: str, folder: str = "docs") -> Any:
    """A script that writes pages, as a module."""
    spec = importlib.util.spec_from_file_location(script, ROOT / folder / f"{script}.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def written_page(script: str) -> str:
    """The page that a script of docs/ writes."""
    return page_script(script).page()


def held(claim: Callable[[Any], object], subject: Any) -> None:
    """Check one claim of harness/checks/batteries; skip where it does not apply."""
    import pytest

    from harness.checks.claims import DoesNotApply

    try:
        claim(subject)
    except DoesNotApply as reason:
        pytest.skip(str(reason))


def environment(**extra: str) -> dict[str, str]:
    """The environment of a child: nothing of a tracker's account, few threads."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}
    return {**kept, "OMP_NUM_THREADS": "1", "WANDB_MODE": "offline", **extra}


def sample(run: Run, **changes: Any) -> Record:
    """A finished record with made-up scores."""
    task = instantiation.task(run)
    tested = identity.tested_lengths(run, task)
    counts = [
        {
            "length": n,
            "examples": 10,
            "exact": 10 if n <= 20 else 3,
            "tokens": 100,
            "correct": 100 if n <= 20 else 60,
            "nats": 5.0,
        }
        for n in tested
    ]
    values: dict[str, Any] = {
        "name": identity.run_name(run, task),
        "training_name": identity.training_name(run, task),
        "status": "finished",
        "task": {"name": run.task.name, "version": task.version, "metric": task.metric},
        "train_length": run.lengths.train,
        "seed": run.seed,
        "science": identity.science(run, task),
        "config": run.model_dump(mode="json", exclude={"results", "force", "retry"}),
        "scores": [{**row, "extension": name} for name in run.extension for row in counts],
        "blind": [{**row, "exact": 0, "correct": 20} for row in counts],
        "final_loss": 0.1,
        "cost": {
            "parameters": 1,
            "steps": run.train.steps,
            "examples": run.train.steps * run.train.batch,
            "training_seconds": 1.0,
            "evaluation_seconds": 1.0,
            "peak_memory_bytes": 1,
        },
        "started": provenance.now(),
        "finished": provenance.now(),
        "provenance": provenance.collect(),
        **changes,
    }
    return Record.model_validate(values)


def record(run: Run, exact: Callable[[int], int], **changes: object) -> Record:
    """A record in which ``exact(length)`` of ten answers are right."""
    made = sample(run)
    rows = [
        row.model_copy(update={"exact": exact(row.length), "correct": 10 * exact(row.length)}) for row in made.scores
    ]
    return made.model_copy(update={"scores": rows, **changes})


def unsealed(record: Record) -> Record:
    """The same without the seal that its file has."""
    return record.model_copy(update={"seal": ""})


def near_only(length: int) -> int:
    return 10 if length <= 20 else 0


def put(record: Record, folder: Path) -> Path:
    """Write a record where the program would."""
    path = folder / "records" / f"{record.name}.json"
    records.write(record, path)
    return path
