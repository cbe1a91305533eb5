"""A run reports what its longest test needs of an encoding that training does not cover."""

from collections.abc import Callable

import pytest
import torch

from harness.config import instantiation, network
from harness.config.schema import Run
from harness.evaluation.coverage import uncovered


def said(run: Run) -> dict[str, str]:
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    torch.manual_seed(0)
    model = network.model(run, task, layout)
    longest = run.lengths.test
    reach = {"train_length": run.lengths.train, "test_length": longest}
    found = uncovered(model, task, layout, instantiation.rule(run), instantiation.extensions(run), **reach)
    return {name: "; ".join(lines) for name, lines in found.items()}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # a copy of n symbols is 2 n + 2 tokens: 42 in training, 202 in the test
        (["encoding=nope"], ""),
        (["encoding=alibi"], "distances 42 to 201 (79% of all)"),
        (["encoding=learned"], "positions 42 to 201 (79% of all); rows 42 to 201 of the table keep their "
         "initial values"),
        (["encoding=t5"], "distances 42 to 201 (79% of all); 8 of 32 buckets were never trained"),
        (["encoding=t5", "positions=random_offset"], "distances 42 to 201 (79% of all); 8 of 32 buckets were never "
         "trained"),
        (["encoding=learned", "positions=random_offset"], ""),
        (["encoding=rope", "positions=randomized"], ""),
        # 10000 ** (-2 m / 16) for m = 0 .. 7: the periods of the last six are longer than 42
        (["encoding=rope"], "distances 42 to 201 (79% of all); 6 of 8 rotary frequencies never complete a "
         "period in training; in the test their angles reach 4.9 times further"),
        # periods 2 pi 10000 ** (m / 32) for m = 0 .. 31: longer than 42 from m = 7 on; sinusoids are not rotary
        (["encoding=sinusoidal"], "positions 42 to 201 (79% of all); 25 of 32 frequencies never complete a "
         "period in training; in the test their angles reach 4.9 times further"),
        (["encoding=rope", "encoding.base=0"], "distances 42 to 201 (79% of all)"),
        # a window hides what lies beyond it, in training as in tests
        (["encoding=alibi", "mixer.attention.window=42"], ""),
        (["encoding=alibi", "mixer.attention.window=50"], "distances 42 to 49 (16% of all)"),
        (["encoding=rope", "mixer.attention.window=16"], ""),
        (["encoding=t5", "encoding.farthest=100", "mixer.attention.window=30"], ""),
        (["encoding=learned", "mixer.attention.window=16"], "positions 42 to 201 (79% of all); rows 42 to 201 of the "
         "table keep their initial values"),
        (["encoding=alibi", "mixer=[local_attention,attention]"], "distances 42 to 201 (79% of all)"),
        # what an encoding does not look at is not new to it
        *((["encoding=" + name], "") for name in ("contextual_rope", "fox", "path", "segment", "stick_breaking")),
        (["encoding=cope", "encoding.positions=20"], ""),
        # distances clipped where training has them all
        (["encoding=shaw"], ""),
        (["encoding=nezha", "encoding.clip=20"], ""),
        (["encoding=t5", "encoding.farthest=30"], ""),
        (["encoding=transformer_xl", "encoding.clamp=0"], ""),
        (["encoding=learned", "encoding.rows=40", "encoding.beyond=clamp"], ""),
        # distances that a network corrects by content are distances
        (["encoding=dape"], "distances 42 to 201 (79% of all)"),
        # counted from the middle, positions go as far either way: 20.5 or 100.5, and 5.5 more times 1.03 in training
        (["encoding=alibi", "positions=cape", "positions.centred=true"], "distances 55 to 202 (73% of all)"),
    ],
)  # fmt: skip
def test_what_a_test_asks_for_the_first_time(words: list[str], expected: str, composed: Callable[..., Run]) -> None:
    assert said(composed(*words, "model.dimension=64", "model.heads=4"))["extrapolate"] == expected


def test_each_level_of_a_position_is_reported(composed: Callable[..., Run]) -> None:
    """Sums of up to 8 operands in training and 24 in the test: segments 0 to 24, numbered from 1."""
    words = ["task=multiple_addition_scratchpad", "positions=coupled_levels", "encoding=learned_levels", "model=nano"]
    assert said(composed(*words)) == {"extrapolate": ""}
    assert said(composed(*words, "positions.maximum_segment=12"))["extrapolate"] == (
        "positions on level 2 12 to 25 (54% of all); rows 12 to 25 of table 2 keep their initial values"
    )


def test_an_extension_shows_in_what_is_new(composed: Callable[..., Run]) -> None:
    names = "[extrapolate,interpolate,ntk,rerope,window]"
    found = said(composed("encoding=rope", f"extension={names}", "model.dimension=64", "model.heads=4"))
    assert "6 of 8 rotary frequencies" in found["extrapolate"]
    assert "frequencies" not in found["interpolate"], "all angles are squeezed into those of training"
    assert "5 of 8 rotary frequencies" in found["ntk"], "only the slowest is squeezed into those of training"
    assert found["ntk"].endswith("their angles reach 1.3 to 3.1 times further"), "each has a factor of its own"
    two_digits = said(composed("encoding=learned", "extension=hierarchical"))["hierarchical"]
    assert two_digits == "positions 42 to 201 (79% of all)", "their rows are made from those of training"
    assert found["rerope"] == found["window"] == "", "no key is farther away than in training, or seems so"
