"""A prompt for an encoder, an answer for a decoder."""

from harness.layouts.causal import Causal
from tasks.base import Task


class Translation(Causal):
    """For models that encode a prompt and decode an answer: ``[BOS] prompt [SEP] answer``, as :class:`Causal` has it,
    which the model splits at the separator. Attention spans one of the two.
    """

    forms = ("answer",)
    truncation = ""

    def span(self, task: Task, length: int) -> int:
        """The longer of prompt and answer, with the token before it."""
        return 1 + max(task.prompt_length(length), task.answer_length(length))
