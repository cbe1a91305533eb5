"""What a run says of the search that it belongs to."""

from typing import Annotated

from pydantic import Field

from harness.config.frozen import Frozen


class Selection(Frozen):
    """The search that a run belongs to. Its ``trials`` tried settings on held-out examples of the training lengths, and
    the run has the best; 0: the run is a trial itself.
    """

    trials: Annotated[int, Field(ge=0, le=10**6)] = 0
    learning_rates: Annotated[int, Field(ge=0, le=10**6)] = 0
    """How many different learning rates were among them."""
    kind: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]{0,63})?$")] = ""
    """The name of the kind of search."""
    search: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]{0,200})?$")] = ""
    """The name of the search, which its table of trials has."""
