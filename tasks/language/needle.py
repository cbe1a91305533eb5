"""Find what was said somewhere in a long text."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task
from tasks.language.needle_tokens import AROUND, Needles, padded
from tasks.language.ready import Ready
from tasks.language.source import Source

NOISE = b"The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again. "
"""What the passkey task of Mohtashami & Jaggi (2023) repeats."""

LETTERS = 4
"""Letters of a key."""


class Needle(Task):
    r"""Length counts the bytes of the haystack, into which needles are put: sentences that give a key its value. A
    question at the end names some of the keys.

    The haystack is a stretch of held-out documents in testing and of training documents in training, laid end to end
    (``text``), or sentences that repeat (``noise``). There are ``keys`` different keys with ``values`` values each; the
    question names ``queries`` of the keys, and the answer has all their values, key by key as asked and for one key in
    the order of the text. Keys are random letters of which the first differ, values ``digits`` independent uniform
    digits. Each needle is independently and uniformly put at one of the length + 1 positions in the haystack.

    Example: ``x = 1\n  The magic number of kqzu is 40731. return x\nWhat is the magic number of kqzu?\n -> 40731``.

    Needle in a haystack as in RULER (Hsieh et al., 2024, arXiv 2404.06654, section 3): single (one key), multi-key
    (several, one asked), multi-value and multi-query; with ``noise`` and one key it is the passkey task of Mohtashami &
    Jaggi (2023, arXiv 2305.16300). Shorter sentences than theirs, one byte a token, keys of letters instead of words,
    needles at any byte instead of between sentences, and the values are asked for in one order, so that exact match
    counts where RULER counts the values that an answer mentions.

    ``corpus``, ``files`` and ``held_out`` are as for running text (``task=text``); they mean nothing with ``noise``.

    With ``tokenizer``, the tokenizer.json of a pretrained model, all is in its tokens, and length counts those of the
    whole sequence: its beginning, separator, end and room for the longest answer among them. Needles stand between
    words; the question ends with ``? The magic number of kqzu``, and the answer is what the tokenizer makes of
    ``40731`` behind a colon and a space. The separator may stand for the colon (``architecture.separator=colon``).

    Axis: ``depth``, how many tenths of the haystack lie before the first queried needle, 0 to 9.

    Raises :class:`ValueError` for more queries than keys, more than 26 keys, and text that cannot be read.
    """

    version = 2
    data_options = ("corpus", "files", "tokenizer")
    axes = ("depth",)

    def __init__(
        self,
        *,
        haystack: Literal["text", "noise"] = "text",
        keys: int = 1,
        values: int = 1,
        queries: int = 1,
        digits: int = 5,
        corpus: str = "stdlib",
        files: Sequence[str] = (),
        held_out: float = 0.1,
        tokenizer: str = "",
    ) -> None:
        if haystack not in ("text", "noise"):
            raise ValueError(f"haystack={haystack}: it is text or noise")
        if not 1 <= keys <= 26:
            raise ValueError(f"keys={keys}: there are between 1 and 26")
        if not 1 <= queries <= keys:
            raise ValueError(f"queries={queries}: there is at least 1 and no more than keys={keys}")
        if not 1 <= values <= 26:
            raise ValueError(f"values={values}: a key has between 1 and 26")
        if not 1 <= digits <= 1000:
            raise ValueError(f"digits={digits}: a value has between 1 and 1000")
        self.haystack = haystack
        self.keys = keys
        self.values = values
        self.queries = queries
        self.digits = digits
        self.source = Source(corpus=corpus, files=files, held_out=held_out, tokenizer=tokenizer)
        plural = queries * values > 1
        self._before, self._between, self._after = b" The magic number of ", b" is ", b". "
        self._question = b"\nWhat are the magic numbers of " if plural else b"\nWhat is the magic number of "

    @cached_property
    def alphabet(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.source.unit.alphabet

    @property
    def outputs(self) -> tuple[str, ...]:
        if self.source.tokenizer:
            return self.alphabet
        return tuple("0123456789,") if self.queries * self.values > 1 else tuple("0123456789")

    @cached_property
    def _tokens(self) -> Needles | None:
        """What writes needles in the tokens of a tokenizer, if there is one."""
        if not self.source.tokenizer:
            return None
        many, answers = self.keys * self.values, self.queries * self.values
        return Needles(self.source.unit, needles=many, queries=self.queries, answers=answers, digits=self.digits)

    @property
    def _needle_length(self) -> int:
        return len(self._before) + LETTERS + len(self._between) + self.digits + len(self._after)

    def produces(self, length: int) -> bool:
        return length >= (self._tokens.shortest if self._tokens else self.shortest)

    def prompt_length(self, length: int) -> int:
        if self._tokens:
            return length - AROUND - self._tokens.longest_answer
        asked = len(self._question) + self.queries * LETTERS + (self.queries - 1) * 2 + 2
        return length + self.keys * self.values * self._needle_length + asked

    def answer_length(self, length: int) -> int:
        return self._tokens.longest_answer if self._tokens else self.queries * self.values * (self.digits + 1) - 1

    def fingerprint(self) -> str | None:
        if self.haystack == "text":
            return self.source.fingerprint()
        return self.source.unit.digest if isinstance(self.source.unit, Ready) else None

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        needles = self.keys * self.values
        key = np.argsort(rng.random((count, 26)), axis=1)[:, : self.keys, None]
        key = np.concatenate([key, rng.integers(26, size=(count, self.keys, LETTERS - 1))], axis=2) + ord("a")
        value = rng.integers(10, size=(count, needles, self.digits)) + ord("0")  # by place in the text
        order = np.argsort(rng.random((count, needles)), axis=1)  # which needle is first in the text, and so on
        row = np.arange(count)[:, None]
        # Of each key that is asked for, where in the row of needles its own are.
        found = np.sort(np.argsort(order, axis=1).reshape(count, self.keys, self.values), axis=2)[:, : self.queries]
        found = found.reshape(count, -1)
        if self._tokens:
            return self._in_tokens(self._tokens, rng, length, split, key, value, order, found)
        where = np.sort(rng.integers(length + 1, size=(count, needles)), axis=1)
        said = _joined(self._before, key[row, order // self.values], self._between, value, self._after)
        told = _inserted(self._haystack(rng, length, count, split), said, where)
        asked = _joined(key[:, : self.queries], b", ").reshape(count, -1)[:, :-2]
        prompt = _joined(told, self._question, asked, b"?\n")
        answer = _joined(value[row, found], b",").reshape(count, -1)[:, :-1]
        first = where[row[:, 0], found.min(axis=1)]
        return Batch(prompt, answer, np.ones_like(answer, bool), axes={"depth": first * 10 // (length + 1)})

    def _in_tokens(
        self,
        tokens: Needles,
        rng: np.random.Generator,
        length: int,
        split: Split,
        key: np.ndarray,
        value: np.ndarray,
        order: np.ndarray,
        found: np.ndarray,
    ) -> Batch:
        """The same in the tokens of a tokenizer. ``found`` [N, A] says which needles are asked for."""
        prompts, answers, depth = [], [], []
        for row in range(len(key)):
            keys = [bytes(letters).decode() for letters in key[row].tolist()]
            values = [bytes(digits).decode() for digits in value[row].tolist()]
            said = [(keys[needle // self.values], values[place]) for place, needle in enumerate(order[row].tolist())]
            made = tokens.made(said, keys[: self.queries], [values[place] for place in found[row].tolist()])
            room = self.prompt_length(length) - len(made.asked) - sum(map(len, made.needles))
            hay = self._haystack(rng, max(room, 0), 1, split)[0]
            told, where = tokens.put_in(hay, made.needles, np.sort(rng.random(len(said))))
            prompts.append([*told, *made.asked])
            answers.append(made.answer)
            depth.append(where[found[row].min()] * 10 // (len(hay) + 1))
        answer = padded(answers)
        return Batch(padded(prompts), answer, answer >= 0, axes={"depth": np.array(depth, np.int64)})

    def _haystack(self, rng: np.random.Generator, length: int, count: int, split: Split) -> np.ndarray:
        if self.haystack == "noise":
            return np.broadcast_to(np.resize(self._noise, length).astype(np.int64), (count, length))
        text = self.source.text(split).numbers
        if length > len(text):
            raise ValueError(f"length {length}: the {split} documents have {len(text)} tokens; give more of them")
        start = rng.integers(len(text) - length + 1, size=count)
        return text[start[:, None] + np.arange(length)].astype(np.int64)

    @cached_property
    def _noise(self) -> np.ndarray:
        """The sentences that repeat, in tokens."""
        again = self._tokens.behind(NOISE.decode().strip(), f" {NOISE.decode().strip()}") if self._tokens else None
        return np.frombuffer(NOISE, np.uint8) if again is None else np.array(again, np.int64)

    def solve(self, prompt: Sequence[str]) -> list[str]:
        text = self.write(prompt, [])
        asked = re.findall(r"[a-z]{4}", text[text.rindex("magic number") :].partition(" of ")[2])
        said = self._said(text)
        return self._answer([value for key in asked for name, value in said if name == key])

    def _answer(self, values: Sequence[str]) -> list[str]:
        """The tokens of an answer."""
        if self._tokens:
            return [self.alphabet[number] for number in self._tokens.answer(values)]
        return list(",".join(values))

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """Numbers by their place in the text, whatever was asked for; of one number, the digit that the text has most
        often, which is easily one of it.
        """
        answers = self.queries * self.values

        def first(prompt: Sequence[str]) -> list[str]:
            return self._answer([value for _, value in self._said(self.write(prompt, []))[:answers]])

        def last(prompt: Sequence[str]) -> list[str]:
            return self._answer([value for _, value in self._said(self.write(prompt, []))[-answers:]])

        if self.keys > self.queries:
            return {"first values": first, "last values": last}
        if self.queries > 1:
            return {"values in the order of the text": first}
        if self.values > 1 or self._tokens:
            return {}

        def often(prompt: Sequence[str]) -> list[str]:
            return [max("0123456789", key=list(prompt).count)] * self.digits

        return {"the most frequent digit": often}

    def _said(self, text: str) -> list[tuple[str, str]]:
        end = r"\." if self._tokens else r"\. "
        return re.findall(rf" The magic number of ([a-z]{{4}}) is (\d{{{self.digits}}}){end}", text)

    def write(self, prompt: Sequence[str], answer: Sequence[str]) -> str:
        question, said = (self.source.unit.decode([self._number[t] for t in part]) for part in (prompt, answer))
        return f"{question} -> {said}" if answer else question

    @cached_property
    def _number(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.alphabet)}


def _joined(*parts: bytes | np.ndarray) -> np.ndarray:
    """Parts end to end, [..., W of all]: arrays [..., W], and bytes that are the same everywhere."""
    arrays = [np.frombuffer(part, np.uint8) if isinstance(part, bytes) else part for part in parts]
    shape = max((array.shape[:-1] for array in arrays), key=len)
    result = np.empty((*shape, sum(array.shape[-1] for array in arrays)), np.int64)
    begin = 0
    for array in arrays:
        end = begin + array.shape[-1]
        result[..., begin:end] = array
        begin = end
    return result


def _inserted(text: np.ndarray, pieces: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Each row of ``text`` [N, L] with its ``pieces`` [N, M, W] put in, each before the byte that ``where`` [N, M]
    says, in rising order.
    """
    count, number, width = pieces.shape
    result = np.empty((count, text.shape[1] + number * width), np.int64)
    begins = where + width * np.arange(number)
    places = np.arange(count)[:, None, None], begins[:, :, None] + np.arange(width)
    beside = np.ones(result.shape, bool)
    beside[places] = False
    result[places] = pieces
    result[beside] = text.ravel()
    return result
