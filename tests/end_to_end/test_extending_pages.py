"""The examples of the pages on adding something: their files are written as they stand into a copy of the program, and
their commands and the contract tests run there.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documented import in_blocks
from support import QUICK, ROOT, environment

PAGES = [ROOT / "docs" / name for name in ("my_encoding.md", "my_task.md", "extending.md")]
FILES = [
    "harness/encodings/gaussian.py", "conf/encoding/gaussian.yaml", "tasks/sort.py", "conf/task/sort.yaml",
    "harness/models/bag_of_words.py", "conf/architecture/bag_of_words.yaml",
]  # fmt: skip
SHRINK = (*QUICK, "train.steps=5", "lengths.shortest=1", "lengths.train=6", "lengths.grid=[3,6,9]")
IN_ONE_PROCESS = """
import contextlib, io, json, sys
from pathlib import Path
import pytest
from harness import cli

def said(main, *arguments):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = int(main(*arguments))
    return [code, out.getvalue(), err.getvalue()]

found = [said(cli.main, words) for words in json.loads(sys.argv[1])]
for words in json.loads(sys.argv[2]):
    tested = said(pytest.main, words)
    found.append(tested)
    if entry := {line.partition(" put ")[2].rpartition(" into ")[0] for line in tested[1].splitlines()
                 if "AssertionError: if this is meant, put " in line}:
        Path("tests/golden/tasks/sort.json").write_text(entry.pop())
Path("said.json").write_text(json.dumps(found))
"""
"""Commands of the harness, then runs of pytest, of which the first prints what is to be written before the second. In
one process, because loading PyTorch takes longer than most of them.
"""


@pytest.mark.slow
def test_the_examples_are_what_the_pages_say(tmp_path: Path) -> None:
    for folder in ("harness", "tasks", "conf", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "code.md", tmp_path / "docs")
    text = "\n".join(page.read_text() for page in PAGES)
    files = re.findall(r"^`((?:harness|tasks|conf)/[\w/.]+)`:\n\n```(?:python|yaml)\n(.*?)^```", text, re.M | re.S)
    assert [name for name, _ in files] == FILES
    for name, content in files:
        assert not (tmp_path / name).exists(), "new files only"
        (tmp_path / name).write_text(content)

    names = ("gaussian", "sort", "bag_of_words")
    own = {word for name in names for word in (f"encoding={name}", f"task={name}", f"architecture={name}")}
    commands = [command.harness for page in PAGES for command in in_blocks(page) if own & set(command.words)]
    assert len(commands) == 4
    runs = [[*words, *([] if words[0] == "show" else SHRINK)] for words in commands if words]
    options = ["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    contracts = ["tests/contracts", "tests/harness/test_attention.py", "-m", "not slow", "-k", " or ".join(names)]
    again = ["tests/contracts/test_tasks.py", "-k", "sort"]
    words = [
        json.dumps([*runs, ["architecture=bag_of_words", "encoding=rope"]]),
        json.dumps([[*contracts, *options], [*again, *options]]),
    ]
    env = environment(PYTHONPATH=os.pathsep.join([str(tmp_path), str(tmp_path / "tests")]))
    done = subprocess.run(
        [sys.executable, "-c", IN_ONE_PROCESS, *words], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    *ran, refused, tested, pinned = json.loads((tmp_path / "said.json").read_text())
    for code, out, err in ran:
        assert code == 0, out[-1500:] + err[-1500:]
    assert any("sort, version 1" in out for _, out, _ in ran)
    assert refused[0] == 2
    assert "architecture=bag_of_words, which is attention-free. Possible: nope" in refused[2]
    assert re.findall(r"^FAILED (\S+)", tested[1], re.M) == [
        "tests/contracts/test_tasks.py::test_data_does_not_change_without_a_new_version[sort]"
    ], tested[1][-3000:]
    assert len(re.findall(r"(\d+) passed", tested[1])) == 1
    assert pinned[0] == 0, pinned[1][-2000:]
