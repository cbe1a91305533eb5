"""Scales of the logits."""

from golden_cases import golden

from harness.logits.log_n import LogN
from harness.shape import Shape


def test_log_n() -> None:
    case = golden("logn")
    scale = LogN(Shape(16, 1, 1, case.meta["hyper"]["training_length"]))
    case.match("scale", scale.factor(case["positions"].long() + 1)[0] * 4)
