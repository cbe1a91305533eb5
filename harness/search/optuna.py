"""Search with Optuna."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from harness import atomic
from harness.errors import Refused
from harness.progress import say
from harness.rng import generator
from harness.search.base import Ended, Search
from harness.search.space import Point, Range

if TYPE_CHECKING:
    from optuna import Study, Trial

STUDY = "search"
"""The name of the one study in a journal."""


class Optuna(Search):
    """Points that Optuna's sampler TPE (Bergstra et al., 2011) proposes after what the earlier ones came to.

    Optuna keeps them in a journal (its ``JournalStorage``), which its own programs can read, such as optuna-dashboard.
    ``at_a_time`` points are proposed together, before any of them has ended, whatever number of runs is done at a time:
    so the points do not depend on the machine. The sampler is seeded anew for every value: what is proposed follows
    from the options and from what was told, also after an interruption, and a journal that is lost is made again.
    """

    def __init__(
        self,
        *,
        seed: Annotated[int, Field(ge=0, lt=2**32)] = 0,
        at_a_time: Annotated[int, Field(ge=1, le=1000)] = 4,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.seed = seed
        self.at_a_time = at_a_time
        self._study: Study | None = None

    def next(self, ended: Sequence[Ended], kept: Path) -> list[Point]:
        if self._study is None:
            self._study = self._opened(kept)
        points: list[Point] = []
        for first in range(0, len(ended), self.at_a_time):  # those of a journal that was lost are proposed once more
            self._propose(min(first + self.at_a_time, self.trials))
            self._tell(ended[first : first + self.at_a_time], first)
        last = min(len(ended) + self.at_a_time, self.trials)
        self._propose(last)
        for trial in self._study.get_trials(deepcopy=False)[len(ended) : last]:
            points.append(self._point(trial.params))
        return points

    def _opened(self, kept: Path) -> Study:
        """The study in the journal, which may have been cut by a kill. Raises :class:`Refused` without Optuna."""
        optuna = _optuna()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.with_name(f"{kept.name}.lock").unlink(missing_ok=True)  # of a process that was killed: we hold the search
        if kept.exists() and not (content := kept.read_bytes()).endswith(b"\n") and content:
            atomic.write(kept, content[: content.rfind(b"\n") + 1])
        try:
            return self._in(kept, optuna)
        except Exception as error:  # a file that is no journal can fail anywhere
            aside = atomic.put_aside(kept)
            say(f"{kept} cannot be read ({type(error).__name__}); it is now called {aside.name} and made again")
            return self._in(kept, optuna)

    def _in(self, kept: Path, optuna: Any) -> Study:
        storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(kept)))
        study = optuna.create_study(storage=storage, study_name=STUDY, direction="maximize", load_if_exists=True)
        if any(set(trial.params) - set(self.space) for trial in study.get_trials(deepcopy=False)):
            raise ValueError("it is that of another space")
        return study

    def _propose(self, last: int) -> None:
        """Have the trials up to the number ``last`` in the journal, each with all its values."""
        from optuna.trial import Trial

        assert self._study is not None
        while len(self._study.get_trials(deepcopy=False)) < last:
            self._study.sampler = self._sampler(len(self._study.get_trials(deepcopy=False)), "")
            self._complete(self._study.ask(), self._study)
        for trial in self._study.get_trials(deepcopy=False)[:last]:
            if not trial.state.is_finished() and set(trial.params) != set(self.space):  # killed within a proposal
                self._complete(Trial(self._study, trial._trial_id), self._study)

    def _complete(self, trial: Trial, study: Study) -> None:
        for key, values in self.space.items():
            study.sampler = self._sampler(trial.number, key)
            if not isinstance(values, Range):
                trial.suggest_categorical(key, [json.dumps(value) for value in values.values])
            elif values.whole:
                trial.suggest_int(key, int(values.low), int(values.high), log=values.log)
            else:
                trial.suggest_float(key, values.low, values.high, log=values.log)

    def _sampler(self, number: int, key: str) -> Any:
        # Each key by itself: so a value follows from its own seed, and few trials suffice where keys are independent.
        seed = int(generator("optuna", self.seed, number, key).integers(2**32))
        return _optuna().samplers.TPESampler(seed=seed, multivariate=False, constant_liar=True)

    def _tell(self, ended: Sequence[Ended], first: int) -> None:
        from optuna.trial import TrialState

        assert self._study is not None
        for number, one in enumerate(ended, first):
            # Optuna ignores trials that failed and proposes the like again; those that were pruned count as the worst.
            state = TrialState.COMPLETE if one.value is not None else TrialState.PRUNED
            self._study.tell(number, one.value, state=state, skip_if_finished=True)

    def _point(self, values: dict[str, Any]) -> Point:
        return {
            key: json.loads(values[key])
            if not isinstance(known, Range)
            else values[key]
            if known.whole
            else known.rounded(values[key])
            for key, known in self.space.items()
        }


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise Refused(
            "sweep=optuna needs the package optuna: pip install 'length-generalization-harness[optuna]'"
        ) from error
    return optuna
