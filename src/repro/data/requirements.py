"""Is a hidden requirement met by a text?

One checker per kind. A checker accepts what a person would: any case, number words, the usual ways to write a date, a
time or a sum, plurals, articles and punctuation. It rejects near misses: 16:30 for 6:30, $450 for $45, 14 July for 14
June. An empty text meets nothing. A full name needs both its parts, because the user gave both; a first name alone is
met by that name, with or without a surname. Limits: a checker does not understand "not" in general, nor who does what.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from repro.data.clock import dates, timeless, times
from repro.data.mentions import amounts, counts, durations, normal, phones, plain
from repro.errors import ReproError
from repro.types import Requirement, Task

ARTICLES = {"a", "an", "the"}
BREAK = "|"  # a sentence or a line ends here
NEGATIONS = {"no", "not", "without", "or", BREAK}
BE = {"is", "are", "was", "were", "be", "in", "that", "which", "looks"}
SIGN_OFF_WINDOW = 12  # words that may follow a sign-off: a name, a role, a phone number. ours
_BRITISH = "grey centre theatre woollen mouldy tyre kerb jewellery panelled cosy scarves shelves loaves leaves knives"
_AMERICAN = "gray center theater woolen moldy tire curb jewelry paneled cozy scarf shelf loaf leaf knife"
SPELLINGS = dict(zip(_BRITISH.split(), _AMERICAN.split(), strict=True))  # and the plurals that "s" does not make


def meets(requirement: Requirement, text: str) -> bool:
    """Would a person say that `text` does what was asked?"""
    if requirement.kind not in CHECKERS:
        raise ReproError(f"no checker for kind {requirement.kind!r}; have {', '.join(CHECKERS)}")
    return bool(text.strip()) and CHECKERS[requirement.kind](requirement.value, text)


def met(task: Task, text: str) -> list[bool]:
    """One answer per requirement, in order."""
    return [meets(requirement, text) for requirement in task.requirements]


def has_name(value: str, text: str) -> bool:
    """Both parts of a full name, in order or as "Nolan, Priya"; an initial may stand between."""
    parts = [re.escape(part) for part in plain(value).split()]
    middle = r"[ \n]+(?:[a-z]\.? )?"
    ways = [middle.join(parts), ", ".join([*parts[-1:], *parts[:-1]])] if len(parts) > 1 else parts
    return any(re.search(rf"(?<![\w@])(?<!\w[.-]){way}(?![\w@])", plain(text)) for way in ways)


def has_date(value: str, text: str) -> bool:
    """Day and month as asked. The weekday may be left out, but not be wrong; any year will do."""
    (wanted,) = dates(normal(value))
    found = [date for date in dates(normal(text)) if date.readings & wanted.readings]
    return any(None in (date.weekday, wanted.weekday) or date.weekday == wanted.weekday for date in found)


def has_time(value: str, text: str) -> bool:
    """The time of day; a time on the twelve-hour clock that does not say which half of the day is taken as meant."""
    (wanted,) = times(normal(value))
    return any(wanted & readings for readings in times(normal(text)))


def has_amount(value: str, text: str) -> bool:
    return bool(amounts(normal(value)) & amounts(normal(text)))


def has_count(value: str, text: str) -> bool:
    """The number, as a number of things: not within a date, time, sum, length of time, range or address."""
    return int(value) in counts(timeless(normal(text)))


def has_duration(value: str, text: str) -> bool:
    return bool(durations(normal(value)) & durations(normal(text)))


def has_phone(value: str, text: str) -> bool:
    return bool(phones(normal(value)) & phones(normal(text)))


def has_place(value: str, text: str) -> bool:
    """The words of the place, together and in order."""
    return _together(_content(value), _content(text))


def has_phrase(value: str, text: str) -> bool:
    """The words in order with at most one other between two of them, or turned round: "the scarf is blue"."""
    wanted, words = _content(value), _content(text)
    return _together(wanted, words) or _in_order(wanted, words) or _turned(wanted, words)


def within_words(value: str, text: str) -> bool:
    return 0 < len(text.split()) <= int(value)


def no_exclamation(value: str, text: str) -> bool:
    return bool(text.strip()) and not re.search("[!！]", text)


def opens_with(value: str, text: str) -> bool:
    """The greeting comes first; a line with the subject may stand above it."""
    body = re.sub(r"\A(?:[\s*#]*subject(?: line)?[*\s]*:[^\n]*\n)?", "", text.strip(), flags=re.IGNORECASE)
    wanted = _words(value)
    return _words(body)[: len(wanted)] == wanted


def closes_with(value: str, text: str) -> bool:
    """The sign-off stands near the end: a name and a line of contact may follow."""
    wanted, words = _words(value), _words(text)
    tail = words[-(len(wanted) + SIGN_OFF_WINDOW) :]
    return any(tail[i : i + len(wanted)] == wanted for i in range(len(tail)))


def avoids(value: str, text: str) -> bool:
    """The word does not appear, nor its plural."""
    return bool(text.strip()) and _stem(value.lower()) not in _content(text)


CHECKERS: dict[str, Callable[[str, str], bool]] = {
    "name": has_name,
    "date": has_date,
    "time": has_time,
    "place": has_place,
    "amount": has_amount,
    "count": has_count,
    "duration": has_duration,
    "phone": has_phone,
    "phrase": has_phrase,
    "max_words": within_words,
    "no_exclamation": no_exclamation,
    "greeting": opens_with,
    "sign_off": closes_with,
    "avoid_word": avoids,
}


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+(?:'[a-z]+)?", plain(text))


@lru_cache(maxsize=4096)
def _content(text: str) -> tuple[str, ...]:
    """Stems without articles, with `BREAK` where a sentence or line ends."""
    tokens = re.findall(r"[a-z0-9]+(?:'[a-z]+)?|[.!?;:](?=\s|$)|\n", plain(text).replace("&", " and "))
    stems = (BREAK if not token[0].isalnum() else _stem(token) for token in tokens)
    return tuple(stem for stem in stems if stem not in ARTICLES)


def _stem(word: str) -> str:
    """Singular, American spelling. Both sides of a comparison go through it, so it need not be a word."""
    word = re.sub(r"'s?$", "", word)
    word = SPELLINGS.get(word, word)
    word = re.sub(r"(?<=[a-z]{3})our(s?)$", r"or\1", word)
    word = re.sub(r"(?:ies|ie)$", "y", word) if len(word) > 4 else word
    word = re.sub(r"(ss|x|z|ch|sh|\bbus|circus|chorus)es?$|(?<=at|er)(o)es$", r"\1\2", word)
    singular = word if word.endswith(("ss", "us")) or len(word) < 3 else word.removesuffix("s")
    return SPELLINGS.get(singular, singular)


def _together(wanted: Sequence[str], words: Sequence[str]) -> bool:
    """`wanted` as neighbours, whether or not they are written as one word: "car park", "carpark"."""
    whole = "".join(wanted)
    sizes = range(1, len(wanted) + 2)
    return any("".join(words[i : i + size]) == whole for i in range(len(words)) for size in sizes)


def _in_order(wanted: Sequence[str], words: Sequence[str]) -> bool:
    starts = [i for i, word in enumerate(words) if word == wanted[0]]
    return any(_follows(wanted[1:], words, i + 1) for i in starts)


def _follows(wanted: Sequence[str], words: Sequence[str], i: int) -> bool:
    """Does `wanted` go on at word `i`, or one word later?"""
    if not wanted:
        return True
    if wanted[0] in words[i : i + 1]:
        return _follows(wanted[1:], words, i + 1)
    skipped, found = words[i : i + 1], words[i + 1 : i + 2]
    return not NEGATIONS.intersection(skipped) and wanted[0] in found and _follows(wanted[1:], words, i + 2)


def _turned(wanted: Sequence[str], words: Sequence[str]) -> bool:
    """`blue scarf` as "the scarf is blue" or "a scarf in blue": the last word, a form of to be, the others."""
    turns = [[wanted[-1], link, *wanted[:-1]] for link in BE]
    n = len(wanted) + 1
    return len(wanted) > 1 and any(list(words[i : i + n]) in turns for i in range(len(words)))
