"""Arguments that a run passes through to Lightning's ``Trainer``, such as ``trainer.deterministic=true``.

An argument that determines the weights belongs to ``train``, which is part of a run's identity, and some things this
program does itself: both are refused with the key to use instead. The rest is checked against the signature of
``Trainer``, which is read from its source, so that Lightning is not imported for it.
"""

import ast
import importlib.util
import logging
import typing
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from harness.config.schema import TrainerSettings
from harness.declarations.bounds import complaint
from harness.errors import Refused, echoed, unknown

STEPS = "it decides how long training takes: use train.steps"
BATCH = "it decides how many examples a step has: use train.batch"
CLIP = "it changes the gradient: use train.clip"
TESTED = "nothing is validated by Lightning: use lengths.test, lengths.step and evaluation.examples"
SHOWN = "progress and curves are the program's own: use logger=csv, logger=wandb or logger=tensorboard"

INSTEAD = {
    "max_steps": STEPS,
    "min_steps": STEPS,
    "max_epochs": STEPS,
    "min_epochs": STEPS,
    "max_time": STEPS,
    "fast_dev_run": STEPS,
    "limit_train_batches": STEPS,
    "overfit_batches": "it changes the training data, which is drawn anew for every step: use train.steps and seed",
    "reload_dataloaders_every_n_epochs": "training data is drawn anew for every step: use seed",
    "accumulate_grad_batches": BATCH,
    "gradient_clip_val": CLIP,
    "gradient_clip_algorithm": f"{CLIP}, which bounds the norm",
    "precision": "it changes the weights: use train.precision",
    "sync_batchnorm": "no network here normalises over batches: use train.batch",
    "num_nodes": "use trainer.nodes",
    "use_distributed_sampler": "the program divides batches among devices itself: use trainer.devices",
    "plugins": "they are the program's own: use trainer.strategy and train.precision",
    "callbacks": "use the group, callbacks=[mine] with --config-dir",
    "logger": "use the group, logger=wandb or logger=[wandb,tensorboard]",
    "log_every_n_steps": SHOWN,
    "enable_progress_bar": SHOWN,
    "enable_model_summary": "python -m harness show prints the network",
    "enable_autolog_hparams": SHOWN,
    "enable_checkpointing": "use trainer.checkpoint_every",
    "default_root_dir": "use results=folder",
    "model_registry": "weights are kept under results=folder",
    "inference_mode": TESTED,
    "limit_val_batches": TESTED,
    "limit_test_batches": TESTED,
    "limit_predict_batches": TESTED,
    "val_check_interval": TESTED,
    "check_val_every_n_epoch": TESTED,
    "num_sanity_val_steps": TESTED,
}
"""Arguments that are not passed through, each with the reason and the alternative."""


def is_argument(name: str) -> bool:
    """Whether this is an argument of ``Trainer`` and not one of this program's own settings."""
    return name not in TrainerSettings.model_fields and name in _signature()


def check(settings: TrainerSettings) -> None:
    """Raise :class:`Refused` for an argument that cannot be passed through."""
    for name, value in extra_arguments(settings).items():
        where = f"trainer.{echoed(name)}"
        if not is_argument(name):
            known = (*TrainerSettings.model_fields, *accepted())
            raise unknown("key", where, [f"trainer.{key}" for key in known], "keys")
        if name in INSTEAD:
            raise Refused(f"{where}: it is not handed on to Lightning: {INSTEAD[name]}")
        try:
            TypeAdapter(_signature()[name], config=ConfigDict(strict=True)).validate_python(value)
        except ValidationError as error:
            raise Refused(f"{where}={echoed(value)}: {complaint(error)}") from error


def accepted() -> list[str]:
    """The arguments that are passed through to Lightning."""
    return [name for name in _signature() if is_argument(name) and name not in INSTEAD]


def extra_arguments(settings: TrainerSettings) -> dict[str, Any]:
    """The arguments of a run to pass through."""
    return dict(settings.model_extra or {})


ALWAYS: dict[str, Any] = {
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "use_distributed_sampler": False,
}
"""Arguments of every run, because the program does these things itself."""


def silence_lightning() -> None:
    """Suppress Lightning's messages about devices, loaders and its other products, but not the output of profilers."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
        warnings.filterwarnings("ignore", module=name)
    logging.getLogger("pytorch_lightning.profilers").setLevel(logging.INFO)


_ANNOTATION_TYPES = {
    **{kind.__name__: kind for kind in (bool, int, float, str, list, dict)},
    "_LITERAL_WARN": typing.Literal["warn"],
}


class _AnnotationNames(Mapping[str, Any]):
    """The types that an annotation names. For classes and literals of Lightning, a config can give only the name."""

    def __getitem__(self, word: str) -> Any:
        return _ANNOTATION_TYPES[word] if word in _ANNOTATION_TYPES else getattr(typing, word, str)

    def __iter__(self) -> typing.Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@cache
def _signature() -> dict[str, Any]:
    """The arguments of ``Trainer`` with their types."""
    spec = importlib.util.find_spec("pytorch_lightning")
    assert spec is not None
    assert spec.submodule_search_locations
    tree = ast.parse((Path(spec.submodule_search_locations[0]) / "trainer" / "trainer.py").read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == "Trainer":
            made = next(item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__")
            return {argument.arg: _type(argument.annotation) for argument in made.args.kwonlyargs}
    raise AssertionError("Lightning has a Trainer")


def _type(annotation: ast.expr | None) -> Any:
    return Any if annotation is None else eval(ast.unparse(annotation), {"__builtins__": {}}, _AnnotationNames())  # noqa: S307
