"""Classes of one's own: ordinary Python works, anything else is refused in one line that says what to write."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from support import environment

from harness import cli, declarations
from harness.declarations import source

HEAD = """
from typing import Annotated
from pydantic import Field
from harness.encodings import base
from harness.encodings.base import Encoding
from harness.encodings.rope import RoPE
"""

Own = Callable[..., tuple[int, str]]


@pytest.fixture
def own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> Own:
    """Composes a run with the class A of a module of one's own, as a choice of a group, and gives what is said."""
    module = f"own_{abs(hash(request.node.name))}"

    def shown(
        code: str, *overrides: str, group: str = "encoding", target: str = "A", head: str = HEAD
    ) -> tuple[int, str]:
        (tmp_path / f"{module}.py").write_text(head + textwrap.dedent(code))
        (tmp_path / "mine" / group).mkdir(parents=True)
        choice = {"_target_": f"{module}.{target}"}
        (tmp_path / "mine" / group / "own.yaml").write_text(f"# Something\n{yaml.safe_dump(choice)}")
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        code_ = cli.main(["show", "--config-dir", "mine", f"packages=[{module}]", f"{group}=own", *overrides])
        said = capsys.readouterr()
        assert len(said.err.splitlines()) <= 1, said.err
        return code_, said.err.replace(module, "mine")

    return shown


WORKS = {
    "a base by its module's name": "class A(base.Encoding): ...",
    "a default that is computed": """
        class A(Encoding):
            def __init__(self, dimensions, *, x: float = 2**0.5):
                super().__init__()
    """,
    "declarations that are computed": """
        class A(Encoding):
            modes = tuple(["causal"])
    """,
    "a list for a tuple": """
        class A(Encoding):
            modes = ["causal", "bidirectional"]
    """,
    "options without an asterisk": """
        class A(Encoding):
            def __init__(self, dimensions, x: float = 1.0):
                super().__init__()
    """,
}


@pytest.mark.parametrize("code", WORKS.values(), ids=WORKS)
def test_ordinary_python_works(code: str, own: Own) -> None:
    assert own(code) == (0, "")


def test_options_are_inherited(own: Own) -> None:
    code, line = own("class A(RoPE): ...", "+encoding.base=-5.0")
    assert (code, line) == (2, "error: encoding.base=-5.0: it must be 0 or at least 1.01\n")


def test_options_passed_on_are_known(own: Own) -> None:
    code, line = own(
        """
        class A(RoPE):
            def __init__(self, dimensions, *, more: Annotated[int, Field(le=3)] = 1, **options):
                super().__init__(dimensions, **options)
        """,
        "+encoding.bse=5.0",
    )
    assert code == 2
    assert (
        "unknown option of encoding=own 'bse'; did you mean 'base'? Options: base, fraction, kept, layout, more" in line
    )


def test_bounds_of_ones_own_are_checked(own: Own) -> None:
    code, line = own(
        """
        class A(Encoding):
            def __init__(self, dimensions, *, x: Annotated[float, Field(gt=2)] = 3.0):
                super().__init__()
        """,
        "+encoding.x=1",
    )
    assert (code, line) == (2, "error: encoding.x=1: it must be above 2\n")


def test_an_option_without_annotation_is_what_its_default_is(own: Own) -> None:
    code, line = own(
        """
        class A(Encoding):
            def __init__(self, dimensions, *, x=3):
                super().__init__()
        """,
        "+encoding.x=word",
    )
    assert code == 2
    assert "encoding.x=word: it should be a valid integer" in line


def test_computed_modes_are_those_of_the_class(own: Own) -> None:
    code, line = own("class A(Encoding):\n    modes = tuple(['bidirectional'])")
    assert code == 2
    assert "encoding=own is not defined for architecture=decoder, which is causal" in line


def test_sizes_are_objected_to(own: Own) -> None:
    code, line = own(
        """
        class A(Encoding):
            @staticmethod
            def objection(dimensions, options):
                return "too many heads" if dimensions.n_heads > 2 else ""
        """
    )
    assert code == 2
    assert "encoding=own: too many heads" in line


REFUSED = {
    "a syntax error": ("class A(Encoding)\n    pass", "cannot import mine: ", "line"),
    "an import that fails": (
        "import nothing_of_that_name",
        "cannot import mine: ModuleNotFoundError: No module named",
        "",
    ),
    "an exception": ("1 / 0", "cannot import mine: ZeroDivisionError: division by zero", ""),
    "an exit": ("raise SystemExit('gone')", "cannot import mine: SystemExit: gone", ""),
    "no such class": ("class B(Encoding): ...", "there is no class A in the module mine", ""),
    "a function": ("def A(dimensions): ...", "mine.A is a function and no class", ""),
    "a number": ("A = 3", "mine.A is of type int and no class", ""),
    "a class of nothing": ("class A: ...", "mine.A does not inherit from harness.encodings.base.Encoding", ""),
    "a class of another group": (
        "from harness.extensions.extrapolate import Extrapolate\nclass A(Extrapolate): ...",
        "mine.A does not inherit from harness.encodings.base.Encoding",
        "",
    ),
    "a default that no config can hold": (
        "class A(Encoding):\n    def __init__(self, dimensions, *, x=print):\n        super().__init__()",
        "the default of x is <built-in function print>, which no config can hold",
        "",
    ),
    "a word for a tuple": ("class A(Encoding):\n    modes = 'causal'", "modes must be a tuple of text", ""),
    "a property for a literal": (
        "class A(Encoding):\n    @property\n    def limited_by(self):\n        return 'rows'",
        "limited_by must be str, in quotes, not a property",
        "",
    ),
}


@pytest.mark.parametrize(("code", "said", "besides"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_a_class_is_refused(code: str, said: str, besides: str, own: Own) -> None:
    exit_code, line = own(code)
    assert exit_code == 2
    assert line.startswith("error: encoding=own: ")
    assert said in line
    assert besides in line


def test_an_abstract_class_says_what_it_lacks(own: Own) -> None:
    code, line = own("from harness.logits.base import LogitScale\nclass A(LogitScale): ...", group="logit", head="")
    assert code == 2
    assert "mine.A is abstract: it must define factor" in line


OURS = {
    "a computed declaration": ("class A(Encoding):\n    modes = tuple(['causal'])", "modes is computed"),
    "a declaration under a condition": (
        "class A(Encoding):\n    if True:\n        modes = ('causal',)",
        "modes is computed",
    ),
    "a declaration added to": (
        "class A(Encoding):\n    modes = ('causal',)\n    modes += ('grid',)",
        "modes is computed",
    ),
    "a declaration as a property": (
        "class A(Encoding):\n    @property\n    def modes(self): ...",
        "modes is computed",
    ),
    "a computed default": (
        "class A(Encoding):\n    def __init__(self, dimensions, *, x: float = 2**0.5): ...",
        "the default of x is computed, 2 ** 0.5",
    ),
}


@pytest.mark.parametrize(("code", "said"), OURS.values(), ids=OURS)
def test_a_declaration_of_ours_that_is_no_literal_is_an_error(
    code: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never what the base class says."""
    import harness.encodings

    name = f"try_{abs(hash(code))}"
    (tmp_path / f"{name}.py").write_text(f"from harness.encodings.base import Encoding\n\n\n{code}\n")
    monkeypatch.setattr(harness.encodings, "__path__", [*harness.encodings.__path__, str(tmp_path)])
    with pytest.raises(ValueError, match=said.replace("*", r"\*")):
        source.declaration(f"harness.encodings.{name}.A")


def test_a_base_of_ours_by_its_modules_name_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import harness.encodings

    code = "from harness.encodings import base\n\n\nclass A(base.Encoding):\n    kind = 'bias'\n\n\nclass B(A): ...\n"
    (tmp_path / "try_qualified.py").write_text(code)
    monkeypatch.setattr(harness.encodings, "__path__", [*harness.encodings.__path__, str(tmp_path)])
    made = declarations.lookup("harness.encodings.try_qualified.B")
    assert made.attributes["kind"] == "bias"
    assert made.attributes["modes"] == ("causal", "bidirectional")
    assert "harness.encodings.base.Encoding" in made.ancestors


def test_nothing_heavy_is_loaded_to_ask_our_classes(tmp_path: Path) -> None:
    """Every light method of every choice, in a process that has no PyTorch."""
    code = """
import sys
from types import SimpleNamespace
from harness import declarations
from harness.config import catalogue
from harness.dimensions import Dimensions
for group in ("encoding", "architecture", "logit"):
    for choice in catalogue.choices(group):
        declared = declarations.lookup(choice.target)
        options = SimpleNamespace(**{name: option.default for name, option in declared.options.items()})
        for heads in (1, 3, 4):
            for tokens in (2, 42):
                for question, function in declared.functions.items():
                    function(Dimensions(12, heads, 2, tokens), options)
assert "torch" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment(), check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_constructor_of_ours_that_hands_options_on_has_those_of_its_base() -> None:
    """With its own defaults where it has any: they decide ids."""
    decoder = declarations.lookup("harness.models.decoder.Decoder").options
    looped = declarations.lookup("harness.models.looped.Looped").options
    assert {name: looped[name].default for name in decoder} == {
        name: {"norm": "post", "activation": "relu"}.get(name, option.default) for name, option in decoder.items()
    }
    assert set(looped) - set(decoder) == {"steps", "per_token", "each_step"}
