"""A prompt for an encoder, an answer for a decoder."""

from harness.layouts.causal import Causal
from tasks.base import Task


class Translation(Causal):
    """For models that read a prompt and write an answer: ``[BOS] prompt [SEP] answer``, as :class:`Causal` has it, in
    which the model finds the two by the separator. Attention spans one of them.
    """

    forms = ("answer",)
    truncation = ""

    def span(self, task: Task, length: int) -> int:
        """The longer of prompt and answer, with the token before it."""
        return 1 + max(task.prompt_length(length), task.answer_length(length))
