"""Lengths and examples that training has seen already.

Whether somebody looked at scores of longer lengths before choosing a method cannot be known from records.
"""

from collections.abc import Iterator

from harness.results.warnings.warning import Tabled, Warned, listed, longest_trained

SHARE = 0.05
"""The share of test examples in the training data that is worth a word."""


def seen_in_training(tabled: Tabled) -> Iterator[Warned]:
    """Tasks of whose test examples at the longest length trained on many occur in the training data: shorter ones
    always do where there are few, and longer ones never.
    """
    rows = longest_trained(tabled.found).set_index("run")
    share = (rows.in_training / rows.examples).reindex(tabled.runs.index)
    for task, own in tabled.tasks():
        shares = share[own.index].dropna()
        if len(shares) and shares.max() > SHARE:
            yield Warned(
                "seen in training",
                task,
                sorted(set(own.method[shares.index[shares > SHARE]])),
                f"up to {shares.max():.0%} of the test examples of the training length occur in the training data",
                "read scores in distribution as memory too; those beyond are not concerned",
            )


def other_training_lengths(tabled: Tabled) -> Iterator[Warned]:
    """Tasks that are here with several training lengths: some lengths are beyond training in one and trained on in
    another, so their scores are not of the same question.
    """
    for task, own in tabled.questions():
        lengths = sorted(set(own.train_length))
        if len(lengths) > 1:
            yield Warned(
                "other training lengths",
                task,
                [],
                f"trained up to {listed(lengths)}: what is beyond training in one is trained on in another",
                "compare within one training length",
            )


def trained_before(tabled: Tabled) -> Iterator[Warned]:
    """Methods that go on from the weights of another training, beside those that begin anew: the budgets and lengths of
    what came before are in the records of those.
    """
    for task, own in tabled.tasks():
        origin = own.origin.astype(object) != ""
        if origin.any() and not origin.all():
            methods = sorted(set(own.method[origin]))
            yield Warned(
                "trained before",
                task,
                methods,
                f"weights of another training, whose steps and lengths are not counted here: {listed(methods)}",
                "add the budget of the training that they go on from",
            )
