"""A trained run, found by its record: its config, made a run again, and where its weights lie. Without PyTorch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from harness.config import fine_tuning, identity, instantiation, origins, saved_configs
from harness.config.schema import Origin, Run
from harness.errors import Refused, one_line
from harness.results import records
from harness.results.paths import RunPaths, run_paths
from harness.results.records import Record


def found(path: Path, words: Sequence[str], packages: Sequence[str] = ()) -> tuple[Run, Record, RunPaths]:
    """The run of a record, the record, and the places of its files. ``words`` and ``packages`` name packages: a record
    does not.

    Raises :class:`Refused` where there is no record of a run that can be made again from it.
    """
    if path.is_dir():
        raise Refused(
            f"{one_line(path)}: this is a folder, and the record of a run is a file, results/records/....json; "
            "architecture=huggingface reads the folder of a saved network"
        )
    record = records.read(path)
    results = path.absolute().parent.parent
    run = saved_configs.run(record.config, words, results=str(results), packages=packages, where=f"{one_line(path)}: ")
    if identity.run_name(run, instantiation.task(run)) != record.name:
        raise Refused(f"{one_line(path)}: its config is not that of its name, or its data is not what lies here")
    return run, record, run_paths(run.results, record.name, record.training_name)


def paths(origin: Origin) -> RunPaths:
    """The places of the files of an origin."""
    results = Path(origin.record).absolute().parent.parent
    return run_paths(results, Path(origin.record).stem, origin.training)


def lack(origin: Origin) -> str:
    """Why the weights of an origin are not to be had, empty if their file is there."""
    path = paths(origin).weights
    if path.exists():
        return ""
    try:
        record = records.read(Path(origin.record))
    except Refused:
        return f"the weights of that run are not here, {path} is missing: its command trains them"
    if record.status == "failed":
        return f"that run failed ({record.reason}) and has no weights"
    return f"the weights of that run are not here, {path} is missing: its command with force=true trains them again"


def with_origin(run: Run, planned: Mapping[str, Run | Refused] = MappingProxyType({})) -> Run:
    """The same run with what the record says that ``weights_from`` names, unless this is known already. ``planned`` are
    runs that may not have been done yet, or why they are impossible, by the records that they will have.

    Raises :class:`Refused` where no weights could come from there.
    """
    origin = run.weights_from
    if origin is None or origin.training:
        return run
    before = planned.get(origin.record) or _finished(origin.record, run.packages)
    if isinstance(before, Refused):
        raise Refused(f"the run whose weights it goes on from is impossible: {before}") from before
    task = instantiation.task(before)
    layout = instantiation.layout(before, task)
    known = Origin(
        record=origin.record,
        training=identity.training_name(before, task),
        method=identity.method(identity.training(before, task)),
        steps=before.train.steps,
        length=before.lengths.train,
        tokens=layout.span(task, before.lengths.train),
        built_for=origins.built_for(before, task, layout),
        extended=origins.extended(before, task, layout),
        network=fine_tuning.network(before, task),
    )
    return run.model_copy(update={"weights_from": known})


def _finished(path: str, packages: Sequence[str]) -> Run:
    """The run of a record, which has to be finished."""
    try:
        before, record, _ = found(Path(path), [f"packages=[{','.join(packages)}]"])
    except Refused as refusal:
        raise Refused(f"weights_from={refusal}") from refusal
    if record.status != "finished":
        raise Refused(f"weights_from={path}: that run failed ({record.reason}) and has no weights")
    return before
