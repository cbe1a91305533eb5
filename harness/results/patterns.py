"""The text of a kind of records as regular expressions, for kinds of which there are many: one match takes a record
apart that would otherwise be cut into members, compared with those of its kind, and searched for numbers.

A pattern has the text of an example where records of a kind are the same. So what matches it is the same JSON but for
what the groups have taken, science and config, which are checked as they are in any other record.
"""

import re
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, NamedTuple

from harness.results.cutting import BEGINNING, END, PRINTABLE
from harness.results.forms import NUMBER, SECTIONS, Form

SCIENCE, CONFIG = ',\n "science": ', ',\n "config": '
"""Where a record begins to say what was run. No line begins within a JSON text."""
WORD = re.compile(r'"[^"\n]*"')
BLANKS = {
    **dict.fromkeys(("name", "training_name", "started", "finished", "seal"), WORD),
    "seed": re.compile(r"\d+"),
    "final_loss": re.compile(r"\d[\d.e+-]*"),
}
"""The members that differ, besides those with a form."""


class Pattern(NamedTuple):
    """Regular expressions for the text before the science and behind the config, and what their groups are."""

    before: re.Pattern[str]
    behind: re.Pattern[str]
    after_config: str
    """What stands between the config and the text behind."""
    names: list[str]
    members: Callable[[tuple[str, ...]], tuple[str, ...]]
    """Of all groups those of the members with these names."""
    numbers: Callable[[tuple[str, ...]], tuple[str, ...]]
    """The numbers, in the order of the form's blanks."""


class Taken(NamedTuple):
    """What was taken from the text of a record."""

    members: dict[str, str]
    """Those that differ."""
    science: str
    config: str
    numbers: list[str]


def pattern(members: dict[str, str], form: Form) -> Pattern | None:
    """The pattern of the kind of a record; ``None`` where its members are in another order than the program writes."""
    order = list(members)
    place = order.index("config")
    if order[place - 1] != "science" or place < 2 or place + 1 == len(order):
        return None
    fixed, groups, blanks = set(form.fixed), [], _numbered(members)

    def text(name: str) -> str:
        if name in BLANKS and BLANKS[name].fullmatch(members[name]):
            groups.append(name)
            return f"({BLANKS[name].pattern})"
        if name not in SECTIONS:
            return re.escape(members[name])
        first, *others = NUMBER.split(members[name])
        said = re.escape(first)
        for blank, (number, piece) in zip(blanks[name], zip(others[::2], others[1::2], strict=True), strict=True):
            groups.append(str(blank))
            behind_key = f'": ({re.escape(number)})' if blank in fixed else NUMBER.pattern
            said += behind_key + re.escape(piece)
        return said

    def joined(names: Iterable[str]) -> str:
        return re.escape(',\n "').join([re.escape(f'{name}": ') + text(name) for name in names])

    before = re.escape(BEGINNING) + joined(order[: place - 1])
    following = order[place + 1]
    behind = joined(order[place + 1 :]).removeprefix(re.escape(f'{following}": ')) + re.escape(END)
    names = [name for name in groups if name in BLANKS]
    numbered = [groups.index(str(blank)) for blank in range(len(form.whole))]
    return Pattern(
        re.compile(before),
        re.compile(behind),
        f',\n "{following}": ',
        names,
        itemgetter(*map(groups.index, names)),
        itemgetter(*numbered) if len(numbered) > 1 else lambda found: (found[numbered[0]],),
    )


def _numbered(members: dict[str, str]) -> dict[str, range]:
    """The blanks of each section, as they are numbered in a form."""
    found, first = {}, 0
    for name in SECTIONS:
        count = len(NUMBER.findall(members.get(name, "")))
        found[name] = range(first, first + count)
        first += count
    return found


def taken(pattern: Pattern, said: bytes) -> Taken | None:
    """What differs in a record, if its text is of this pattern. Raises :class:`ValueError` where it is no ASCII."""
    if said.translate(None, PRINTABLE):
        return None
    text = said.decode("ascii")
    science = text.find(SCIENCE)
    config = text.find(CONFIG, science)
    behind = text.find(pattern.after_config, config)
    if not 0 <= science < config < behind:
        return None
    first = pattern.before.fullmatch(text, 0, science)
    second = pattern.behind.fullmatch(text, behind + len(pattern.after_config))
    if first is None or second is None:
        return None
    groups: tuple[Any, ...] = (*first.groups(), *second.groups())
    members = dict(zip(pattern.names, pattern.members(groups), strict=True))
    ran, configured = text[science + len(SCIENCE) : config], text[config + len(CONFIG) : behind]
    return Taken(members, ran, configured, [*pattern.numbers(groups)])
