"""Records of strangers: whatever is in them, nothing of them is called, and tables and pictures stay whole."""

import csv
import json
import random
import tempfile
import xml.etree.ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from commands import NANO, run
from table import Row, Tally

TEXTS = (
    "=1+1", "\r=1+1", "\n=1+1", "\t=1+1", "+1", "-1", "@x", " =1", "\x1b[2J", "\x00", "\u202egnp.exe", "\u200b=1",
    "$x", "[red]x", "<script>alert(1)</script>", "a\u2028=b", "x" * 100_000, "\ud800", "％", "|calc",
)  # fmt: skip
CALLS = (
    "os.system",
    "subprocess.Popen",
    "builtins.open",
    "builtins.eval",
    "shutil.rmtree",
    "harness.layouts.Causal",
)
MUTATIONS = 100


def attack(share: float) -> Iterator[Row]:
    rng = random.Random(0)  # noqa: S311 - places, no secrets
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        assert run(NANO, folder).code == 0
        (path,) = folder.glob("results/records/*.json")
        good = path.read_text()
        yield calls(folder, path, good)
        yield texts(path, good, share)
        yield numbers(path, good, rng, round(share * MUTATIONS))


def calls(folder: Path, path: Path, good: str) -> Row:
    tally = Tally("records and configs that name what is to be called", "refused in one line; nothing is called")
    for target in CALLS:
        for group in ("task", "encoding", "architecture"):
            record = json.loads(good)
            record["config"]["packages"] = ["os", "subprocess", "builtins", "shutil"]
            record["config"][group] = {"name": "copy", "target": target, "options": {"command": "touch PWNED"}}
            record.pop("seal", None)
            path.write_text(json.dumps(record))
            job = folder / "job.json"
            job.write_text(json.dumps(record["config"]))
            for words in (("inspect", "--record", str(path)), ("--job", str(job))):
                outcome = run(words, folder)
                safe = not list(folder.rglob("PWNED"))
                tally.add(safe and outcome.refused, f"{words[0]} {target}: {outcome.code}, {outcome.err[-300:]!r}")
    path.write_text(good)
    return tally.row()


def texts(path: Path, good: str, share: float) -> Row:
    tally = Tally(
        "records whose texts are formulas, control characters, markup",
        "left out with a line, or tables without live cells or control characters, and well-formed pictures",
    )
    places: dict[str, Callable[[dict[str, Any], str], Any]] = {
        "an option": lambda record, text: record["config"]["encoding"]["options"].update(base=text),
        "a name": lambda record, text: record["config"]["encoding"].update(name=text),
        "a key": lambda record, text: record["provenance"].update({text: text}),
        "a reason": lambda record, text: record.update(reason=text),
        "a coverage line": lambda record, text: record.update(novelty={"extrapolate": [text]}),
    }
    for text in TEXTS[:: max(1, round(1 / share))]:
        for place, put in places.items():
            with tempfile.TemporaryDirectory() as copy:
                record = json.loads(good)
                put(record, text)
                record.pop("seal", None)
                target = Path(copy, "results", "records", path.name)
                target.parent.mkdir(parents=True)
                target.write_text(json.dumps(record))
                outcome = run(("leaderboard", "results"), Path(copy))
                harmless = not outcome.traceback and outcome.code in (0, 2)
                harmless = harmless and all(c.isprintable() or c in "\n" for c in outcome.out + outcome.err)
                for table in Path(copy).rglob("*.csv"):
                    with table.open(newline="") as file:
                        for cell in (cell for row in csv.reader(file) for cell in row):
                            harmless = harmless and not cell.lstrip()[:1].startswith(("=", "@", "|"))
                for picture in Path(copy).rglob("*.svg"):
                    xml.etree.ElementTree.parse(picture)  # noqa: S314 - written a moment ago
                tally.add(harmless, f"{text[:20]!r} as {place}: {outcome.code}, {outcome.err[-300:]!r}")
    return tally.row()


def numbers(path: Path, good: str, rng: random.Random, tries: int) -> Row:
    tally = Tally("records with one number or word changed after they were written", "refused, by name")
    for _ in range(tries):
        record = json.loads(good)
        trail = changed(record, rng)
        with tempfile.TemporaryDirectory() as copy:
            target = Path(copy, "results", "records", path.name)
            target.parent.mkdir(parents=True)
            target.write_text(json.dumps(record))
            outcome = run(("leaderboard", "results"), Path(copy))
            named = path.name in outcome.err and not outcome.traceback
            tally.add(named and outcome.code == 2, f"{trail}: {outcome.code}, {outcome.err[-200:]!r}")
    return tally.row()


def changed(node: Any, rng: random.Random) -> str:
    """Change one leaf at random and say which."""
    trail = []
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        keys = [key for key in keys if not isinstance(node[key], (dict, list)) or node[key]]
        if not keys:
            return "nothing"
        key = rng.choice(keys)
        trail.append(str(key))
        value = node[key]
        if isinstance(value, (dict, list)):
            node = value
            continue
        if isinstance(value, bool):
            node[key] = not value
        elif isinstance(value, (int, float)):
            node[key] = rng.choice([value + 1, value * 2 + 1, 1e308, 0 if value else 1])
        else:
            node[key] = f"{value}x" if value else "x"
        return ".".join(trail)
