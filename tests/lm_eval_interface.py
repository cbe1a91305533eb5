"""What lm-evaluation-harness documents of the class that adapters inherit, for machines that do not have it."""

import sys
import types
from typing import Any, NamedTuple


class Instance(NamedTuple):
    """A request: what a method is asked."""

    args: tuple[Any, ...]


class TemplateLM:
    """Turns text into tokens for ``_loglikelihood_tokens``: a context and what follows it are cut as one text."""

    tokenizer: Any = None

    def loglikelihood(self, requests: list[Any]) -> list[tuple[float, bool]]:
        asked = []
        for request in requests:
            context, continuation = request.args
            if context:
                blanks = len(context) - len(context.rstrip())
                continuation = context[len(context) - blanks :] + continuation
                context = context.rstrip()
                whole, before = self.tok_encode(context + continuation), self.tok_encode(context)  # type: ignore[attr-defined]
                asked.append(((context, continuation), before, whole[len(before) :]))
            else:
                tokens = self.tok_encode(continuation, add_special_tokens=False)  # type: ignore[attr-defined]
                asked.append((("", continuation), [self.prefix_token_id], tokens))  # type: ignore[attr-defined]
        return self._loglikelihood_tokens(asked)  # type: ignore[attr-defined]


def installed() -> bool:
    """Whether the library is there; if not, this class stands in its place."""
    try:
        import lm_eval  # noqa: F401
    except ImportError:
        package, api, model = (types.ModuleType(name) for name in ("lm_eval", "lm_eval.api", "lm_eval.api.model"))
        model.TemplateLM = TemplateLM  # type: ignore[attr-defined]
        sys.modules |= {"lm_eval": package, "lm_eval.api": api, "lm_eval.api.model": model}
        return False
    return hasattr(sys.modules["lm_eval"], "__path__")
