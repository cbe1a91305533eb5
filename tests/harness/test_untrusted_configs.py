"""What somebody else wrote is data on every path: a record, a config, a study, the folder one happens to be in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import untrusted
from support import put, sample
from untrusted import refused

from harness.config import identity, saved_configs
from harness.config.schema import Run
from harness.errors import Refused
from harness.files import sealed_json
from harness.results import records
from harness.results.records import Record

TARGETS = {
    "os.system": {"command": "touch PWNED"},
    "posix.system": {"command": "touch PWNED"},
    "subprocess.Popen": {"args": ["touch", "PWNED"]},
    "subprocess.getoutput": {"cmd": "touch PWNED"},
    "builtins.open": {"file": "PWNED", "mode": "w"},
    "builtins.exec": {"source": "open('PWNED', 'w')"},
    "pathlib.Path": {},
    "beside.Trap": {},
    "beside": {},
    "antigravity.webbrowser": {},
    "harness.atomic.write": {"path": "PWNED", "content": "x"},
    "harness.atomic.Path": {},
    "harness.config.instantiation.make": {},
    "harness.layouts.Causal": {},
    "harness.encodings.base.Encoding": {},
    "harness.__main__.main": {},
    "tasks.language.corpora.local_files": {"patterns": ["/etc/hostname"]},
    "tasks.base.Task": {},
    "tasks.copying.reverse.Reverse": {},
    "harness.nowhere.Copy": {},
    ".Copy": {},
    "": {},
    "Copy": {},
    "tasks..copying.copy.Copy": {},
    "tasks.copying.copy.Copy.__init__": {},
    "tasks.copying.copy.Copy\n": {},
}
"""Classes that a file may name where a task should stand, with options that would do harm."""


@pytest.fixture
def record(composed: Callable[..., Run]) -> Record:
    return sample(composed("model=nano"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return untrusted.folder(tmp_path, monkeypatch)


def forged(record: Record, change: Callable[[dict[str, Any]], object], folder: Path, *, resealed: bool = True) -> Path:
    """The record changed by somebody who takes the trouble to rename and to seal it anew."""
    value = json.loads(record.model_dump_json())
    change(value)
    if resealed:
        training = value["science"]["training"]
        prefix = f"{training['task']['name']}-{training['encoding']['name']}-seed{training['seed']}"
        value["name"] = f"{prefix}-{identity.digest(value['science'])}"
        value["training_name"] = f"{prefix}-{identity.digest(training)}"
        value["seal"] = sealed_json.seal(value)
    path = folder / "results" / "records" / f"{value['name']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    weights = folder / "results" / "runs" / value["training_name"] / "weights.safetensors"
    weights.parent.mkdir(parents=True, exist_ok=True)
    weights.write_bytes(b"")
    return path


@pytest.mark.parametrize(
    "packages", [[], ["os", "subprocess", "builtins", "beside", "posix", "pathlib", "antigravity"]]
)
@pytest.mark.parametrize("target", TARGETS)
def test_no_file_says_what_is_called(
    target: str, packages: list[str], record: Record, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(value: dict[str, Any]) -> None:
        value["config"]["task"].update(target=target, options=TARGETS[target])
        value["config"]["packages"] = packages

    def everywhere(value: dict[str, Any]) -> None:
        change(value)
        value["science"]["training"]["task"].update(target=target, options=TARGETS[target])

    def under_a_name_of_its_own(value: dict[str, Any]) -> None:
        everywhere(value)
        for where in (value["science"]["training"]["task"], value["config"]["task"], value["task"]):
            where["name"] = "far"

    ways = [change, everywhere, under_a_name_of_its_own]
    for how in ways[:2] if target == "tasks.copying.reverse.Reverse" else ways:  # which a choice of one's own may be
        path = forged(record, how, folder)
        refused(capsys, "inspect", "--record", str(path))
        job = folder / "job.json"
        job.write_text(json.dumps(json.loads(path.read_text())["config"]))
        refused(capsys, "--job", str(job))
        path.unlink()
    assert not (folder / "results" / "runs" / record.training_name / "training.csv").exists()


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "subprocess.Popen",
        "builtins.open",
        "pathlib.Path",
        "json.dumps",
        "harness.config.instantiation.make",
    ],
)
def test_a_named_package_gives_classes_of_the_right_kind_only(
    target: str, record: Record, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever names ``os`` gets no function of it called."""
    config = json.loads(record.model_dump_json())["config"]
    config["task"].update(name="far", target=target, options={})
    (folder / "job.json").write_text(json.dumps(config))
    refused(capsys, "--job", "job.json", f"packages=[{target.partition('.')[0]}]")


def test_a_package_is_named_by_whoever_starts_the_program(folder: Path, composed: Callable[..., Run]) -> None:
    (folder / "own_far.py").write_text("from harness.encodings.alibi import ALiBi\n\n\nclass Far(ALiBi):\n    pass\n")
    run = composed("encoding=alibi")
    config = run.model_dump(mode="json")
    config["encoding"].update(name="far", target="own_far.Far", options={})
    config["packages"] = ["own_far"]
    with pytest.raises(Refused, match="other packages provide classes only if packages="):
        saved_configs.run(config, [], results="results")
    assert saved_configs.run(config, ["packages=[own_far]"], results="results").encoding.target == "own_far.Far"


def test_a_sweep_hands_on_what_its_configs_do_not_say(composed: Callable[..., Run]) -> None:
    run = composed("packages=[numpy]", "results='a b=[c]'", "force=true")
    config = json.loads(run.model_dump_json())
    again = saved_configs.run(config, saved_configs.words(run), results="results", allowed=saved_configs.ALLOWED)
    assert again == run
    assert saved_configs.run(config, [], results="elsewhere") == run.model_copy(
        update={"results": "elsewhere", "packages": [], "force": False}
    )


def altered(key: str, value: Any) -> Callable[[dict[str, Any]], object]:
    def change(document: dict[str, Any]) -> None:
        *parents, last = key.split(".")
        node: Any = document
        for parent in parents:
            node = node[int(parent)] if isinstance(node, list) else node[parent]
        node[int(last) if isinstance(node, list) else last] = value

    return change


CLAIMS = {
    "the loss at length 1 is beyond": altered("scores.0.nats", 1e308),
    "the loss at length 1 is beyond what": altered("blind.0.nats", 1e300),
    "final_loss": altered("final_loss", 1e308),
    "final_loss:": altered("final_loss", -1.0),
    "which is in the future": altered("finished", "9999-01-01T00:00:00+00:00"),
    "before it started": altered("started", "9999-01-01T00:00:00+00:00"),
    "not in UTC": altered("started", "2026-11-21T17:28:48"),
    "not in UTC ": altered("started", "2026-11-21T17:28:48+05:00"),
    "Invalid isoformat": altered("finished", "yesterday"),
    "another encoding": altered("config.encoding", {"name": "alibi", "target": "harness.encodings.alibi.ALiBi"}),
    "encoding=rope is harness.encodings.rope.RoPE": altered("config.encoding.target", "harness.encodings.alibi.ALiBi"),
    "extension=extrapolate is": altered("config.extension.extrapolate.target", "harness.extensions.ntk.NTK"),
    "other options of encoding": altered("config.encoding.options.base", 3.0),
    "other options of task": altered("config.task.options.symbols", 3),
    "another train": altered("config.train.steps", 3),
    "another model": altered("config.model.layers", 9),
    "another evaluation": altered("config.evaluation.examples", 9),
    "another seed": altered("config.seed", 9),
    "another lengths": altered("config.lengths.shortest", 2),
    "tests other lengths": altered("config.lengths.step", 100),
    "its config is not that of a run": altered("config", {}),
    "its config is not that of a run: surprise": altered("config.surprise", 1),
    "right answers contradict": altered("scores.0.exact_given_length", 3),
    "right answers contradict each": altered("scores.0.exact_given_length", 30),
    "other test examples": altered("scores.0.examples", 11),
    "other test examples than": altered("scores.0.tokens", 101),
    "names extensions that it does not have": altered("novelty", {"yarn": ["all"]}),
    "its cost is not that of its training": altered("cost.steps", 1),
    "its cost is not": altered("cost.examples", 1),
    "more training examples than there were": altered("training_compared", 10**9),
    "training_seconds": altered("cost.training_seconds", 1e300),
}  # fmt: skip


@pytest.mark.parametrize("reason", CLAIMS)
def test_what_contradicts_itself_is_refused_though_it_is_sealed(reason: str, record: Record, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="not a record") as refusal:
        records.read(forged(record, CLAIMS[reason], tmp_path))
    assert reason.strip() in str(refusal.value)


def test_a_name_that_belongs_to_another_class_is_refused(record: Record, tmp_path: Path) -> None:
    def change(value: dict[str, Any]) -> None:
        for where in (value["science"]["training"], value["config"]):
            where["encoding"] = {"name": "nope", "target": "harness.encodings.alibi.ALiBi", "options": {}}

    with pytest.raises(Refused, match=r"encoding=nope is harness.encodings.nope.NoPE and nothing else"):
        records.read(forged(record, change, tmp_path))


@pytest.mark.parametrize(
    "change",
    [
        altered("scores.3.exact", 9),
        altered("scores.3.nats", 4.5),
        altered("provenance.device", "a better one"),
        altered("finished", "2026-11-22T00:00:00+00:00"),
        altered("reason", "none"),
        altered("cost.parameters", 2),
        lambda value: value.pop("novelty"),
    ],
)
def test_a_seal_shows_what_was_changed(
    change: Callable[[dict[str, Any]], object], record: Record, tmp_path: Path
) -> None:
    path = put(record.model_copy(update={"started": "2026-11-21T00:00:00+00:00"}), tmp_path)
    assert records.read(path).seal
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value, indent=3, sort_keys=True))
    with pytest.raises(Refused, match="its seal does not belong to what it says"):
        records.read(path)


def test_a_seal_is_of_what_is_said_and_not_of_how(record: Record, tmp_path: Path) -> None:
    path = put(record, tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()), indent=None, sort_keys=True))
    assert records.read(path).seal


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"a": 1, "a": 2}', "it says a twice"),
        ("[" * 100_000 + "]" * 100_000, "nested too deep"),
        ('{"a": 1e999}', "finite number"),
        ('{"a": ' + "9" * 5000 + "}", "Invalid JSON"),
        ('{"\\u001b[31m": 1}', "Field required"),
    ],
)
def test_what_is_no_plain_json_is_refused(content: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(Refused) as refusal:
        records.read(path)
    assert reason in str(refusal.value) or "Extra inputs" in str(refusal.value)
    assert str(refusal.value).isprintable()
