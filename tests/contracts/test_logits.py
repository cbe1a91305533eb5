"""Every logit scale of conf/logit keeps what all of them promise, and known ones do in training what they say."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from support import choices, component, held
from torch import Tensor

from harness.checks.batteries.logit import CLAIMS, Subject
from harness.checks.inputs import DIMENSIONS
from harness.logits.base import LogitScale

USUAL = DIMENSIONS.head_dim**-0.5


def make(name: str, **options: Any) -> LogitScale:
    torch.manual_seed(0)
    return component("logit", name, DIMENSIONS, **options)


@pytest.fixture(params=choices("logit"))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_it_keeps(claim: Callable[[Subject], object], name: str) -> None:
    held(claim, Subject(lambda: make(name)))


SEEN = torch.arange(1, DIMENSIONS.train_tokens + 1)
WITHIN_TRAINING: list[tuple[str, dict[str, Any], Callable[[Tensor], Tensor]]] = [
    ("standard", {}, torch.ones_like),
    ("log_n", {}, torch.ones_like),
    ("log_n", {"divided": False}, lambda n: torch.full_like(n, DIMENSIONS.head_dim**0.5)),
    ("log_n", {"reference": 512, "least": 16}, lambda n: n.clamp(min=16).log() / torch.tensor(512.0).log()),
    ("ssmax", {}, lambda n: 0.43 * n.log()),
    ("ssmax", {"initial": 0.2, "bias": True}, lambda n: 0.2 * n.log()),
    ("temperature", {}, torch.ones_like),
    ("temperature", {"interval": 0, "counts": "earlier"}, torch.ones_like),
    ("temperature", {"interval": 0}, lambda n: 1 + 0.1 * torch.where(n < 42, 0, torch.tensor(2.0).log())),
    ("scale_invariant", {}, torch.ones_like),
    ("unscaled", {}, lambda n: torch.full_like(n, DIMENSIONS.head_dim**0.5)),
]


@pytest.mark.parametrize(("known", "options", "wanted"), WITHIN_TRAINING)
def test_within_training_it_does_what_it_says(
    known: str, options: dict[str, Any], wanted: Callable[[Tensor], Tensor]
) -> None:
    factor = make(known, **options).factor(SEEN)
    torch.testing.assert_close(factor, (wanted(SEEN.float()) * USUAL).expand_as(factor))


def test_scale_invariant_leaves_a_token_s_look_at_itself_alone_and_lowers_the_rest() -> None:
    logits, where = torch.zeros(1, 1, 1, 5), torch.tensor([[0, 1, 10, 100, 1000]])
    changed = make("scale_invariant").by_distance(logits, torch.tensor([[0]]), where)[0, 0, 0]
    assert changed[0] == 0
    assert (changed.diff() < 0).all()


@pytest.mark.parametrize(
    ("known", "options", "message"),
    [
        ("log_n", {"reference": 1}, "reference=1: it must be 0 or at least 2"),
        ("log_n", {"least": -1}, "least=-1: it must be at least 0"),
        ("temperature", {"interval": -1}, "interval=-1: it must be at least 0"),
        ("scale_invariant", {"tau": 0.0}, "tau=0.0: it must be above 0"),
    ],
)
def test_bad_options_are_refused(known: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(known, **options)


@pytest.mark.parametrize("own", [{"by_distance": lambda self, logits, *_: logits}, {"uses_distances": True}])
def test_a_scale_that_changes_logits_by_distance_has_to_say_so(own: dict[str, Any]) -> None:
    """Kernels and the validator ask what it declares."""
    with pytest.raises(TypeError, match="Own: a scale with by_distance says uses_distances = True, and no other does"):
        type("Own", (LogitScale,), own)
