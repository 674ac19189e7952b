"""Which amounts, durations, phone numbers and counts stand in a text?

Each reader gives plain values, however a person wrote them: "$45", "45 USD" and "forty-five dollars" are all 4500
cents. Readers take text that went through `normal`, which writes numbers as digits. For dates and times see `clock.py`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_UNITS = "zero one two three four five six seven eight nine ten eleven twelve"
_TEENS = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NTH = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_TEENTH = "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
ONES = [*_UNITS.split(), *_TEENS.split()]
TENS = dict(zip(_TENS.split(), range(20, 100, 10), strict=True))
ORDINALS = [*_NTH.split(), *_TEENTH.split()]

_ONE = "|".join(sorted(ONES[1:], key=len, reverse=True))  # longest first: "sixteen" before "six"
_DIGIT = "|".join(ONES[1:10])
_SMALL = rf"(?:(?:{'|'.join(TENS)})(?:[- ](?:{_DIGIT})\b)?|{_ONE})"
_HUNDREDS = re.compile(
    rf"\b(?:(?P<hundreds>a|{_DIGIT})[- ]hundred(?:(?:[- ]and)?[- ](?P<rest>{_SMALL}))?|(?P<small>{_SMALL}))\b"
)
_ORDINAL = re.compile(rf"\b(?:(?P<tens>twenty|thirty)[- ])?(?P<one>{'|'.join(ORDINALS[1:])}|thirtieth)\b")
_MARKS = str.maketrans(
    dict.fromkeys("‘’ʼ", "'") | dict.fromkeys("“”", '"') | dict.fromkeys("‐‑‒–—−", "-") | dict.fromkeys("*`~_", None)
)
_FRACTIONS = (("½", ".5", "half"), ("¼", ".25", "a quarter"), ("¾", ".75", "three quarters"))

# A number starts here: not inside a word, a longer number, a range ("10-12"), a fraction or another currency.
START = r"(?<![\w./$£€#@])(?<!\d[,:])(?<!\w-)(?<!\d - )(?<!\d to )(?<!\d or )"
DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\d,]*\d)"
_DOLLARS = "(?:dollars?|usd|bucks?)"
_AMOUNTS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<![a-z])(?:us ?)?\$ ?(?P<n>{DIGITS})(?!\.?\d| ?(?:k|m|million|thousand)\b)",
        rf"\busd ?\$?(?P<n>{DIGITS})(?!\.?\d)",
        rf"{START}(?P<n>{DIGITS})(?:[ -]?(?:us[ -])?{_DOLLARS}\b|\$(?!\d))(?: and (?P<cents>\d+) cents\b)?",
    )
)
_PART = {"half": ".5", "quarter": ".25", "3 quarters": ".75", "3-quarters": ".75"}
_HALVES = r"(?:a )?(?P<part>half|3[ -]quarters|quarter)"
_LONG = r"(?P<unit>hour|day|week|month|year)s?"
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60, "mo": 43830, "y": 525960}  # a year is 365.25 days
_DURATION = re.compile(
    rf"{START}(?:(?P<h>\d+(?:\.\d+)?)[ -]?(?:hours?|hrs?|h\b)\.?,?(?: and)? ?(?P<m>\d+)[ -]?(?:minutes?|mins?|m)\b"
    rf"|(?P<h2>\d+)h(?P<m2>[0-5]\d)\b"
    rf"|(?P<n>{DIGITS})(?:[ -]?(?P<unit>minute|min|hour|hr|day|week|wk|month|year)s?\b|(?P<short>[hm])\b))"
)
_COUNT = re.compile(rf"{START}(?P<n>\d{{1,3}}(?:,\d{{3}})+|\d+)x?(?![\w%/]|[.,:]\d| ?-\d)")
_MEASURE = re.compile(
    r" ?-?(?:%|percent|per cent|°|degrees|kg|kilos?|g|grams?|lbs?|km|kilomet\w+|cm|mm|m|met(?:er|re)s?|miles?|feet|ft"
    r"|inch(?:es)?|lit(?:er|re)s?|ml|words?|cents?|pounds|euros?|times"
    r"|(?:to|or) \d+|(?:\w+ ){1,2}(?:street|avenue|lane))\b|%|°"
)
_NOT_COUNTS = re.compile(r"\d{3}[ .-]?\d{4}\b|(?m:^ ?\d+[.)] )|between \d+ and \d+")  # phones, list numbers
_NUMBERED = re.compile(
    r"\b(?:room|table|number|page|flat|floor|platform|row|seat|chapter|apartment|unit|bus|route|gate|step"
    r"|aged?|n[or]\.?) $"
)


@lru_cache(maxsize=4096)
def normal(text: str) -> str:
    """`plain` text with every number word as digits: "a dozen" is 12, "the fourteenth" is "the 14th"."""
    text = _HUNDREDS.sub(_number, _ORDINAL.sub(_ordinal, plain(text)))
    text = re.sub(r"\bhalf[- ]a[- ]dozen\b", "6", text)
    text = re.sub(r"\b(?:(\d+|a)[- ])?dozen\b", lambda m: str(12 * int((m[1] or "1").replace("a", "1"))), text)
    return re.sub(r"\b(?:a )?couple of (?=\w)", "2 ", text)


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Lower case, plain quotes, dashes, spaces and letters, no markdown marks; line ends stay."""
    for sign, after_digit, alone in _FRACTIONS:
        text = re.sub(rf"(?<=\d) ?{sign}", after_digit, text).replace(sign, alone)
    letters = unicodedata.normalize("NFKD", text.translate(_MARKS)).lower()
    return re.sub(r"[^\S\n]+", " ", "".join(c for c in letters if not unicodedata.combining(c)))


def amounts(text: str) -> set[int]:
    """Every sum of US dollars, in cents. Other currencies do not count."""
    found = [match for pattern in _AMOUNTS for match in pattern.finditer(text)]
    return {round(100 * _float(match["n"])) + int(match.groupdict().get("cents") or 0) for match in found}


def durations(text: str) -> set[float]:
    """Every length of time, in minutes: 90 for "an hour and a half", "1.5 hours" and "1 hr 30 min"."""
    return {_minutes(match) for match in _DURATION.finditer(_plain_durations(text))}


def phones(text: str) -> set[str]:
    """Every number of seven digits, whatever stands between them, that is no part of a longer one."""
    found = re.finditer(r"(?<![\d$])(?<!\d[-.)/])(?<!\d\) )\d(?:[ .-]{0,3}\d){6}(?![\d%]|[-.]\d)", text)
    return {re.sub(r"\D", "", match[0]) for match in found}


def counts(text: str) -> set[int]:
    """Every number that counts something: no amount, measure, range, ordinal, house or list number."""
    for pattern in (*_AMOUNTS, _NOT_COUNTS):
        text = pattern.sub(_blank, text)
    text = _DURATION.sub(_blank, _plain_durations(text))
    found = [match for match in _COUNT.finditer(text) if not _MEASURE.match(text, match.end())]
    return {int(match["n"].replace(",", "")) for match in found if not _NUMBERED.search(text[: match.start()])}


def _blank(match: re.Match[str]) -> str:
    return " _ "


def _float(digits: str) -> float:
    return float(digits.replace(",", ""))


def _small(words: str) -> int:
    tens, _, one = words.replace("-", " ").partition(" ")
    return TENS[tens] + (ONES.index(one) if one else 0) if tens in TENS else ONES.index(tens)


def _number(match: re.Match[str]) -> str:
    if match["small"]:
        return str(_small(match["small"]))
    hundreds = 1 if match["hundreds"] == "a" else ONES.index(match["hundreds"])
    return str(100 * hundreds + (_small(match["rest"]) if match["rest"] else 0))


def _ordinal(match: re.Match[str]) -> str:
    one = 30 if match["one"] == "thirtieth" else ORDINALS.index(match["one"])
    return f"{TENS.get(match['tens'] or '', 0) + one}th"


def _plain_durations(text: str) -> str:
    """Every way to say a half or a quarter as one number with a unit."""
    text = re.sub(r"\b3[- ]quarters?(?: of an)? hour", "45 min", text)
    text = re.sub(r"\b(?:a )?quarter(?: of an|[- ])\s?hour", "15 min", text)
    text = re.sub(rf"\b(?P<n>an?|\d+)[ -]{_LONG} and {_HALVES}\b", _with_part, text)
    text = re.sub(rf"\b(?P<n>\d+) and {_HALVES} {_LONG}\b", _with_part, text)
    text = re.sub(r"\bhalf (?:an |a )?hour|\bhalf-(?:an-)?hour", "30 min", text)
    text = re.sub(r"\b(\d+ |a )?fortnights?\b", lambda m: f"{2 * int((m[1] or '1').replace('a', '1'))} week", text)
    return re.sub(r"(?<!\d )(?<!dollars )(?<!usd )\ban? (?=(?:hour|day|week|month|year)\b)", "1 ", text)


def _with_part(match: re.Match[str]) -> str:
    whole = match["n"] if match["n"].isdigit() else "1"
    return f"{whole}{_PART[match['part']]} {match['unit']}"


def _minutes(match: re.Match[str]) -> float:
    if match["h"] or match["h2"]:
        return 60 * float(match["h"] or match["h2"]) + int(match["m"] or match["m2"])
    unit = match["short"] or match["unit"]
    return round(_float(match["n"]) * _MINUTES["mo" if unit == "month" else unit[0]], 2)
