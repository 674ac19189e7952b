"""Which dates and times stand in a text?

"the 14th of June", "Sat 14 Jun", "June 14th" and "6/14" are one day; "half past six", "6.30 p.m." and "18:30" are one
time. What can be read in two ways keeps both readings: 6/7 is 6 July and 7 June, a bare "6:30" is morning and evening.
The end of a range lends its half of the day to the start: "6 to 8 pm" begins at 6 pm. Text must have gone through
`mentions.normal`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_YEAR = "january february march april may june july august september october november december"
_WEEK = "monday tuesday wednesday thursday friday saturday sunday"
MONTHS, WEEKDAYS = _YEAR.split(), _WEEK.split()

_MONTH = rf"(?P<month>{'|'.join(f'{m}|{m[:3]}t?' if m != 'may' else m for m in MONTHS)})(?![a-z'])\.?"
_WEEKDAY = rf"(?:{'|'.join(WEEKDAYS)}|tues|weds|thurs?|{'|'.join(day[:3] for day in WEEKDAYS)})(?![a-z])"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_GUARD = r"(?<![\w/:.$-])(?<!\d - )"
_CLOCK = r"(?<![\w/:.$])(?<!\d-)"
_PART_OF_DAY = r"(?:(?:morning|afternoon|evening|night)[\s,(]*)?"
_BEFORE = rf"(?:\b(?P<before>{_WEEKDAY})\.?[\s,(-]{{0,3}}{_PART_OF_DAY}(?:on )?(?:the )?)?{_GUARD}"
_NOT_NEXT_DATE = rf"(?!,? (?:the )?\d|,? (?:{'|'.join(MONTHS)}))"
_AFTER = rf"(?:,? ?(?:19|20)\d\d\b)?(?: ?[ ,(] ?(?:an? )?(?P<after>{_WEEKDAY}){_NOT_NEXT_DATE})?"
_DATES = tuple(
    re.compile(_BEFORE + pattern + _AFTER)
    for pattern in (
        r"(?:19|20)\d\d-(?P<m>\d\d)-(?P<d>\d\d)\b",
        rf"(?:the )?{_DAY}(?: day)?(?: of)?[ ,-]{{1,2}}{_MONTH}",
        rf"(?:the )?{_DAY}{_MONTH}",
        rf"{_MONTH}[ -](?:the )?{_DAY}(?!\w| ?[ap]\.?m\b|[:/.]\d|-\d| o'clock)",
        r"(?!24/7\b)(?P<a>\d\d?)/(?P<b>\d\d?)(?:/(?:20)?\d\d)?(?![\d/]|\.\d)",
        r"(?P<a>\d\d?)(?P<sep>[.-])(?P<b>\d\d?)(?P=sep)(?:20)?\d\d(?!\d)",
    )
)

_HALF = r"(?P<half>a\.?m\b\.?|p\.?m\b\.?|(?:in the|this) (?:morning|afternoon|evening)|at night|tonight)"
_H = r"(?P<h>[01]?\d|2[0-4])"
_M = r"(?P<m>[0-5]\d)"
_LEAD = r"\b(?:at|from|by|until|till|before|after|starts?|ends?) |@ ?"
_NEXT_WORD = r"(?:on|in|for|at|sharp|with|so|if|this|when|where|tonight)\b|(?:to|until|till|and)\b(?! \d+ \w)"
_ENDS = rf"(?=\s*(?:$|[,;!?)\n-]|\.(?!\d)|{_NEXT_WORD}))"  # what may follow "at 6" if 6 is a time
_TO = r" ?(?:-|to|until|till|(?P<and>and)) ?"
_FIRST = r"(?P<h0>\d\d?)(?:[:. ](?P<m0>[0-5]\d))?"
_WHOLE = rf"{_H}(?![\w:]|\.\d| (?:people|guests|hours?|days?|minutes?)\b)(?: ?{_HALF})?"
_PAST = r"(?P<past>half|(?:a )?quarter|5|10|20|25|[0-5]?\d(?= minutes))(?: minutes)?"
_PAIR = re.compile(rf"\b(?:from|between) {_FIRST}{_TO}{_H}(?:[:.]{_M})?{_ENDS}")
_RANGE = re.compile(rf"{_CLOCK}{_FIRST}{_TO}(?={_H}(?:[:.]{_M})? ?{_HALF})")
_TIMES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?<!from ){_PAST} (?P<side>past|after|to|before) {_WHOLE}",
        rf"{_CLOCK}{_H}(?:[:.h ]?{_M})? ?(?:o'?clock )?{_HALF}",
        rf"{_CLOCK}{_H} ?o' ?clock\b",
        rf"\b(?P<past>half) {_WHOLE}",
        rf"{_CLOCK}{_H}:?{_M} ?(?:hours|hrs)\b",
        rf"{_CLOCK}{_H}(?::|(?<=\d\d)h){_M}(?![\d:])",
        rf"(?:{_LEAD}){_H}\.{_M}(?![\d%]|\.\d| ?(?:km|kg|m|miles|dollars|usd)\b)",
        rf"(?:{_LEAD}){_H}[ -]{_M}{_ENDS}",
        rf"(?:{_LEAD}){_H}{_ENDS}",
        r"\b(?P<word>(?:12 )?(?:noon|midday|midnight))\b",
    )
)


class Date(NamedTuple):
    """A date as written: its readings as (day, month), and the weekday (0 is Monday) where one stands beside it."""

    readings: frozenset[tuple[int, int]]
    weekday: int | None


def dates(text: str) -> list[Date]:
    """Every date in `text`, in order of pattern."""
    return [date for _, date in _read_dates(text)]


def times(text: str) -> list[frozenset[int]]:
    """Every time in `text` as its readings in minutes after midnight."""
    return [readings for _, readings in _read_times(_without(text, _read_dates(text)))]


def timeless(text: str) -> str:
    """`text` with its dates and times blanked, so that other numbers can be read."""
    text = _without(text, _read_dates(text))
    return _without(text, _read_times(text))


def _without(text: str, mentions: Iterator[tuple[re.Match[str], object]]) -> str:
    for match, _ in mentions:
        text = _blanked(text, match)
    return text


def _blanked(text: str, match: re.Match[str]) -> str:
    return text[: match.start()] + "\0" * (match.end() - match.start()) + text[match.end() :]


def _read_dates(text: str) -> Iterator[tuple[re.Match[str], Date]]:
    for pattern in _DATES:
        for match in list(pattern.finditer(text)):
            readings = frozenset(_days(match.groupdict()))
            if readings:
                text = _blanked(text, match)
                yield match, Date(readings, _weekday(match["before"] or match["after"]))


def _days(found: dict[str, str | None]) -> Iterator[tuple[int, int]]:
    if month := found.get("month"):
        yield int(found["day"] or 0), next(i for i, name in enumerate(MONTHS, 1) if name[:3] == month[:3])
    elif found.get("m"):
        yield int(found["d"] or 0), int(found["m"] or 0)
    else:
        a, b = int(found["a"] or 0), int(found["b"] or 0)
        yield from ((day, month) for day, month in ((a, b), (b, a)) if 1 <= day <= 31 and 1 <= month <= 12)


def _weekday(word: str | None) -> int | None:
    return next(i for i, name in enumerate(WEEKDAYS) if name[:3] == word[:3]) if word else None


def _read_times(text: str) -> Iterator[tuple[re.Match[str], frozenset[int]]]:
    for match in list(_RANGE.finditer(text)):
        if match["and"] and not text[: match.start()].endswith("between "):
            continue  # "12 and 6 pm" is a number and a time
        end = min(_readings(match["h"], match["m"], match["half"]))
        starts = _readings(match["h0"], match["m0"], None)
        text = _blanked(text, match)
        yield match, frozenset(t for t in starts if 0 < (end - t) % 1440 < 720) or starts
    for match in list(_PAIR.finditer(text)):
        text = _blanked(text, match)
        yield match, _readings(match["h"], match["m"], None) | _readings(match["h0"], match["m0"], None)
    for pattern in _TIMES:
        for match in list(pattern.finditer(text)):
            readings = _read_time(match.groupdict())
            if readings:
                text = _blanked(text, match)
                yield match, readings


def _read_time(found: dict[str, str | None]) -> frozenset[int]:
    if word := found.get("word"):
        return frozenset([0 if word.endswith("midnight") else 720])
    hour, half = found.get("h") or "", found.get("half")
    if not (past := found.get("past")):
        return _readings(hour, found.get("m"), half)
    minutes = 30 if past == "half" else 15 if past.endswith("quarter") else int(past)
    sign = -1 if found.get("side") in ("to", "before", "till") else 1
    shifted = frozenset((t + sign * minutes) % 1440 for t in _readings(hour, None, None))
    return frozenset(t for t in shifted if half is None or (t >= 720) == _is_pm(half))


def _readings(hour: str, minute: str | None, half: str | None) -> frozenset[int]:
    """Minutes after midnight: one reading where the half of the day is known, two for a bare "6:30", none for 25:00."""
    h, m = int(hour), int(minute or 0)
    if h > 24:
        return frozenset()
    if half is None:
        known = h > 12 or h == 0 or hour.startswith("0")
        return frozenset([(h % 24) * 60 + m] if known else [h % 12 * 60 + m, (h % 12 + 12) * 60 + m])
    if h > 12 or h == 0:
        return frozenset([(h % 24) * 60 + m])
    pm = _is_pm(half) and not ("night" in half and h in (12, 1, 2, 3, 4))  # "one at night" is after midnight
    return frozenset([(h % 12 + 12 * pm) * 60 + m])


def _is_pm(half: str) -> bool:
    return half[:2] not in ("am", "a.") and "morning" not in half
