"""What an attack comes to."""

from typing import NamedTuple


class Row(NamedTuple):
    """A kind of fault, how often it was tried, how often the program survived it, and what surviving means."""

    fault: str
    tried: int
    survived: int
    means: str
    first_failure: str = ""


class Tally:
    """Counts tries of one fault."""

    def __init__(self, fault: str, means: str) -> None:
        self.fault, self.means = fault, means
        self.tried = self.survived = 0
        self.first_failure = ""

    def add(self, survived: bool, what: str) -> None:
        """Count a try; ``what`` describes it, should it be the first that failed."""
        self.tried += 1
        self.survived += survived
        if not survived and not self.first_failure:
            self.first_failure = what

    def row(self) -> Row:
        return Row(self.fault, self.tried, self.survived, self.means, self.first_failure)
