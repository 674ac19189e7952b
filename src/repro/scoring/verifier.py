"""Does an answer keep rules that a program can check?

The offline stand-in for a judge, and called what it is: it understands nothing. A task may carry a *rule* beside a
point of its checklist, and the verifier says whether the answer keeps it; a point without a rule is unscored. Rules are
one of these words and what it needs, joined by " & " if several have to hold:

    has: a | b        one of these occurs (letter case and punctuation aside, whole words)
    lacks: a | b      none of these occurs
    words: 40..120    so many words; either end may be left out
    lines: 5..        so many lines that are not blank
    bullets: 3..5     so many lines that begin with -, *, a bullet or a number
    questions: 1..1   so many question marks
    code:             a fenced block of code
    table:            a line that is set off with | on both sides
    json:             the whole answer, or a fenced block in it, is JSON
    starts: a         it begins so
    ends: a           it ends so; "ends: ?" that its last character is a question mark
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import cache

from ..errors import ReproError

_BULLET = re.compile(r"\s*(?:[-*\u2022]|\d+[.)])\s+\S")
_FENCE = re.compile(r"```[^\n]*\n(.*?)```", re.DOTALL)


class ChecklistVerifier:
    """Checks rules. What it says of a point without a rule is None: unscored, neither met nor not met."""

    name = "verifier"

    def __call__(self, rules: Sequence[str], answer: str) -> list[bool | None]:
        """One verdict a rule; "" is a point that has none."""
        return [keeps(rule, answer) if rule else None for rule in rules]


def keeps(rule: str, answer: str) -> bool:
    """Whether the answer keeps a rule, all of its parts."""
    return all(check(answer) for check in _parsed(rule))


@cache
def _parsed(rule: str) -> tuple[Callable[[str], bool], ...]:
    return tuple(_part(part.strip()) for part in rule.split(" & "))


def _part(text: str) -> Callable[[str], bool]:
    word, colon, rest = text.partition(":")
    rest = rest.strip()
    if colon and word in ("has", "lacks") and rest:
        some = [_plain(one) for one in rest.split(" | ")]
        return lambda answer: any(f" {one} " in f" {_plain(answer)} " for one in some) == (word == "has")
    if colon and word in _COUNTS:
        low, high = _range(rest, text)
        return lambda answer: low <= _COUNTS[word](answer) <= high
    if colon and word in ("starts", "ends") and rest:
        if (word, rest) == ("ends", "?"):
            return lambda answer: answer.rstrip(" \n\"'\u201d").endswith("?")
        want = _plain(rest)
        at = str.startswith if word == "starts" else str.endswith
        return lambda answer: at(_plain(answer), want)
    if colon and word in _FORMS and not rest:
        return _FORMS[word]
    raise ReproError(f"'{text}' is no rule; have has, lacks, starts, ends, {', '.join([*_COUNTS, *_FORMS])}")


def _plain(text: str) -> str:
    """Lower case, words and numbers only, one space between."""
    return " ".join(re.findall(r"[^\W_]+(?:[.,]\d+)*", text.casefold()))


def _range(text: str, rule: str) -> tuple[float, float]:
    low, dots, high = text.partition("..")
    try:
        return float(low or 0), float((high or "inf") if dots else low)
    except ValueError:
        raise ReproError(f"'{rule}' needs a range such as 40..120, 5.. or ..80") from None


def _is_json(text: str) -> bool:
    for part in (text, *_FENCE.findall(text)):
        try:
            json.loads(part)
            return True
        except ValueError:
            continue
    return False


_COUNTS: dict[str, Callable[[str], int]] = {
    "words": lambda answer: len(answer.split()),
    "lines": lambda answer: sum(bool(line.strip()) for line in answer.splitlines()),
    "questions": lambda answer: answer.count("?"),
    "bullets": lambda answer: sum(bool(_BULLET.match(line)) for line in answer.splitlines()),
}
_FORMS: dict[str, Callable[[str], bool]] = {
    "code": lambda answer: bool(_FENCE.search(answer)),
    "table": lambda answer: bool(re.search(r"^\s*\|.*\|\s*$", answer, re.MULTILINE)),
    "json": _is_json,
}
