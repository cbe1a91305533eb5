"""A choice that is checked, and a run with it: among others that it can be combined with, of a small size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.checks.claims import DoesNotApply
from harness.composition.compose import Composer
from harness.config import catalogue, classes, instantiation
from harness.config.options import typed
from harness.config.schema import LISTED_GROUPS, Component, Run
from harness.errors import Refused, closest_match, echoed, unknown

if TYPE_CHECKING:
    from harness.models.base import Model

SMALL = ("model=nano", "trainer=cpu", "launcher.threads=1")

LEVELS = ("task=multiple_addition_scratchpad", "positions=coupled_levels")
"""A run in which a position is two numbers."""

BACKGROUNDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "task": ((), ("encoding=nope",), ("architecture=encoder",)),
    "encoding": ((), LEVELS, ("task=running_parity", "architecture=encoder")),
    "positions": (
        (),
        ("encoding=nope",),
        ("task=addition",),
        ("task=multiple_addition_scratchpad", "encoding=multi_channel_rope"),
    ),
    "extension": ((), ("encoding=alibi",), ("encoding=learned",), ("encoding=digits",), ("encoding=nope",)),
    "architecture": ((), ("encoding=nope",), ("task=running_parity",), ("encoding=nope", "task=parity")),
    "mixer": ((), ("encoding=nope",)),
    "optimizer": ((), ("train.learning_rate=0.1",)),
}
"""What a choice of a group is tried with, in this order, until it is a run: the defaults first."""


FURTHER = "train_extension"
"""A group whose choices act on weights that another run has trained: they are tried beside a run without them."""


class Tried(NamedTuple):
    """A choice of a group, with the words that the user gave besides."""

    group: str
    name: str
    words: tuple[str, ...]
    run: Run
    """With the choice and its options, which need not make sense beside the rest."""
    whole: Run | Refused
    """A run that does, or why there is none."""
    background: tuple[str, ...]
    """What else was chosen for it."""

    def component(self) -> Component:
        """The choice as the run has it."""
        chosen = getattr(self.run, self.group)
        return chosen[self.name] if self.group in LISTED_GROUPS else chosen

    def component_class(self) -> Any:
        """Its class."""
        return classes.load(self.group, self.component(), self.run.packages)

    def valid(self) -> Run:
        """The run. Raises :class:`DoesNotApply` where there is none."""
        if isinstance(self.whole, Refused):
            said = str(self.whole).split(". ")[0]  # without the list of what would be possible
            raise DoesNotApply(f"no run has it: {said}")
        return self.whole

    def network(self) -> Model:
        """The network of the run, the same every time. Raises :class:`DoesNotApply` where there is none."""
        import torch

        from harness.config import network

        run = self.valid()
        torch.manual_seed(0)
        task = instantiation.task(run)
        return network.model(run, task, instantiation.layout(run, task)).eval()

    def shaken_network(self) -> Model:
        """The same with parameters that are not special."""
        from harness.checks.inputs import shaken

        made = self.network()
        shaken(made)
        return made


def asked(words: Sequence[str], folders: Sequence[Any]) -> tuple[str, str]:
    """The group and the choice that the first word names, ``far`` or ``encoding=far``. Raises :class:`Refused`."""
    group, _, name = words[0].rpartition("=")
    names = catalogue.names(folders)
    if group:
        if group not in names:
            raise unknown("group", group, names, "groups")
        name = name.removeprefix("[").removesuffix("]")
        if name not in names[group]:
            raise unknown(group, name, names[group], "choices", catalogue.aliases(group, folders))
        return group, name
    having = [one for one in names if name in names[one]]
    if set(having) == {FURTHER, "extension"}:  # the same classes, and the first can be tried in a run
        having = ["extension"]
    if not having:
        every = [choice for choices in names.values() for choice in choices]
        close = closest_match(name, every, {})
        guess = f"; did you mean '{close}'?" if close else ""
        raise Refused(f"unknown choice '{echoed(name)}'{guess or ':'} python -m harness ls lists the groups")
    if len(having) > 1:
        raise Refused(f"{echoed(name)} is a choice of {' and of '.join(having)}: say which, as in {having[0]}={name}")
    return having[0], name


def tried(hydra: Composer, group: str, name: str, words: Sequence[str]) -> Tried:
    """A choice with a run that has it. Raises :class:`Refused` where its own file or class is at fault."""
    chosen = f"{group}=[{name}]" if group in LISTED_GROUPS else f"{group}={name}"
    found: Run | Refused | None = None
    background: tuple[str, ...] = ()
    for background in BACKGROUNDS.get(group, ((),)):
        attempt = hydra.attempt([*SMALL, *background, *([] if group == FURTHER else [chosen]), *words])
        found = attempt if found is None or isinstance(attempt, Run) else found
        if isinstance(attempt, Run):
            break
    assert found is not None
    alone = found if isinstance(found, Run) and group != FURTHER else hydra.run([*SMALL, chosen, *words], check=typed)
    return Tried(group, name, tuple(words), alone, found, background)
