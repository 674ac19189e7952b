"""What could a slot hold?

Values are drawn from open lists (`slots.yaml`, `pools.yaml`): names, places, dates, phrases of an adjective and a noun.
The space is large on purpose, so that guessing cannot pay. Each value belongs to one split by its hash, at any seed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml

from repro.data.clock import MONTHS, WEEKDAYS
from repro.seeds import derive

YEAR = 2025  # ours: one calendar, so that two dates of a task agree on their weekdays
EVAL_SHARE = 4  # one value in four is kept for eval. ours
P_SURNAME = 0.35  # ours: most people are named by first name in such texts
P_WEEKDAY = 0.4  # ours
SHARED_KINDS = ("max_words", "no_exclamation", "greeting", "sign_off", "avoid_word")  # too few values to split


@dataclass(frozen=True)
class Slot:
    """One thing that can be wanted: `pools` are joined left to right, `range` is inclusive."""

    key: str
    kind: str
    label: str
    pools: tuple[str, ...] = ()
    range: tuple[int, int] = (0, 0)
    step: int = 1


def load(name: str) -> dict[str, Any]:
    """A YAML file of this package."""
    data: dict[str, Any] = yaml.safe_load(files("repro.data").joinpath(name).read_text(encoding="utf-8"))
    return data


@cache
def pools() -> Mapping[str, tuple[str, ...]]:
    """Every list of words by name; `_` inside a word stands for a space."""
    lists = {name: words.split() if isinstance(words, str) else words for name, words in load("pools.yaml").items()}
    return {name: tuple(dict.fromkeys(word.replace("_", " ") for word in words)) for name, words in lists.items()}


@cache
def slots() -> Mapping[str, Slot]:
    """Every slot by key."""
    return {key: make_slot(key, **entry) for key, entry in load("slots.yaml").items()}


def make_slot(key: str, kind: str, label: str, **rest: Any) -> Slot:
    """A slot from its YAML entry; lists become tuples."""
    fields: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in rest.items()}
    return Slot(key, kind, label, **fields)


def draw(slot: Slot, split: str, rng: np.random.Generator) -> str:
    """A value of `slot` that belongs to `split`, in canonical form."""
    while True:
        value = _DRAW.get(slot.kind, _from_pools)(slot, rng)
        if slot.kind in SHARED_KINDS or split_of(slot.kind, value) == split:
            return value


def split_of(kind: str, value: str) -> str:
    """`train` or `eval`. A name goes by its first name, a date by day and month, so that no part crosses over."""
    words = value.split()
    core = words[0] if kind == "name" else " ".join(words[-2:]) if kind == "date" else value
    return "eval" if derive(0, "value", kind, core.lower()) % EVAL_SHARE == 0 else "train"


def as_date(value: str) -> dt.date:
    """`Saturday 14 June` as a day of `YEAR`."""
    day, month = value.split()[-2:]
    return dt.date(YEAR, MONTHS.index(month.lower()) + 1, int(day))


def as_minutes(value: str) -> int:
    """`6:30 pm` as minutes after midnight."""
    clock, half = value.split()
    hour, _, minute = clock.partition(":")
    return (int(hour) % 12 + 12 * (half == "pm")) * 60 + int(minute or 0)


def _choice(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]


def _from_pools(slot: Slot, rng: np.random.Generator) -> str:
    return " ".join(_choice(rng, pools()[name]) for name in slot.pools)


def _name(slot: Slot, rng: np.random.Generator) -> str:
    first = _choice(rng, pools()["first_names"])
    return f"{first} {_choice(rng, pools()['surnames'])}" if rng.random() < P_SURNAME else first


def _date(slot: Slot, rng: np.random.Generator) -> str:
    day = dt.date(YEAR, 1, 1) + dt.timedelta(days=int(rng.integers(365)))
    plain = f"{day.day} {MONTHS[day.month - 1].capitalize()}"
    return f"{WEEKDAYS[day.weekday()].capitalize()} {plain}" if rng.random() < P_WEEKDAY else plain


def _time(slot: Slot, rng: np.random.Generator) -> str:
    """On the quarter hour, from 8 am to 9:45 pm."""
    hour, quarter = divmod(int(rng.integers(8 * 4, 22 * 4)), 4)
    minute = f":{quarter * 15}" if quarter else ""
    return f"{(hour - 1) % 12 + 1}{minute} {'pm' if hour >= 12 else 'am'}"


def _number(slot: Slot, rng: np.random.Generator) -> str:
    low, high = slot.range
    return str(low + slot.step * int(rng.integers((high - low) // slot.step + 1)))


def _amount(slot: Slot, rng: np.random.Generator) -> str:
    return f"${_number(slot, rng)}"


def _duration(slot: Slot, rng: np.random.Generator) -> str:
    """10 to 115 minutes by fives, or 2 to 20 hours, days or weeks; never an hour, which "$20 an hour" could meet."""
    unit = _choice(rng, slot.pools)
    n = 5 * int(rng.choice([*range(2, 12), *range(13, 24)])) if unit == "minutes" else int(rng.integers(2, 21))
    return f"{n} {unit}"


def _phone(slot: Slot, rng: np.random.Generator) -> str:
    return f"555-{int(rng.integers(10_000)):04d}"


_DRAW: dict[str, Callable[[Slot, np.random.Generator], str]] = {
    "name": _name,
    "date": _date,
    "time": _time,
    "amount": _amount,
    "count": _number,
    "duration": _duration,
    "phone": _phone,
    "max_words": _number,
}
