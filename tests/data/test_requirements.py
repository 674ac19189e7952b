"""Do the checkers accept what a person would accept, and nothing else?"""

from __future__ import annotations

import datetime as dt
import string
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from repro.data.clock import MONTHS
from repro.data.mentions import ONES, normal
from repro.data.requirements import CHECKERS, meets, met
from repro.data.values import load, pools, slots
from repro.errors import ReproError
from repro.types import Requirement, Task

WHOLE_TEXT_KINDS = ("max_words", "no_exclamation", "greeting", "sign_off")  # these are about the text, not a part of it
EXAMPLES = {"date": "3 May", "time": "6 pm", "count": "12", "amount": "$45", "duration": "2 days", "max_words": "40"}
FRAMES = ("{}", "Please note: {} - that is all we ask for.", "Well then,\n{}\nSee you.")


def want(kind: str, value: str) -> Requirement:
    return Requirement(key=kind, kind=kind, value=value, label=kind)


def cases() -> Iterator[tuple[str, str, str, bool]]:
    """Every case in the file; a part of a text is tried alone and within two other texts."""
    table = yaml.load(Path(__file__).with_name("checker_cases.yaml").read_text(encoding="utf-8"), yaml.BaseLoader)
    for kind, values in table.items():
        for value, sides in values.items():
            for side, texts in sides.items():
                for text in texts:
                    yield kind, value, text, side == "hits"


@pytest.mark.parametrize(("kind", "value", "text", "expected"), list(cases()))
def test_a_checker_agrees_with_a_person(kind: str, value: str, text: str, expected: bool) -> None:
    frames = FRAMES[:1] if kind in WHOLE_TEXT_KINDS or not text.strip() else FRAMES
    for frame in frames:
        assert meets(want(kind, value), frame.format(text)) is expected


def test_every_kind_has_hits_and_misses_and_the_table_is_large() -> None:
    table = list(cases())
    assert {(kind, expected) for kind, _, _, expected in table} == set(product(CHECKERS, (True, False)))
    assert len(table) >= 300
    assert len(set(table)) == len(table)


def test_every_slot_has_a_checker() -> None:
    assert {slot.kind for slot in slots().values()} == set(CHECKERS)


@pytest.mark.parametrize("text", ["", "   ", "\n\t "])
@pytest.mark.parametrize("kind", CHECKERS)
def test_an_empty_text_meets_nothing(kind: str, text: str) -> None:
    example = EXAMPLES.get(kind, "Warm regards")
    assert not meets(want(kind, example), text)


def test_met_answers_in_the_order_of_the_requirements() -> None:
    wants = (want("count", "12"), want("amount", "$45"), want("avoid_word", "party"))
    task = Task(id="t", user_id="u", intent="", requirements=wants)
    assert met(task, "A party for twelve.") == [True, False, False]


def test_an_unknown_kind_names_those_that_exist() -> None:
    with pytest.raises(ReproError, match="no checker for kind 'mood'; have name, date"):
        meets(want("mood", "glad"), "glad")


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("Twenty-one guests", "21 guests"),
        ("one hundred and five", "105"),
        ("a hundred", "100"),
        ("half a dozen", "6"),
        ("three dozen", "36"),
        ("the twenty-first", "the 21th"),
        ("1½ hours", "1.5 hours"),
        ("“Café” – so", '"cafe" - so'),
        ("someone, often, wonder", "someone, often, wonder"),  # no number word stands alone in these
    ],
)
def test_normal_text_has_digits_for_number_words(text: str, digits: str) -> None:
    assert normal(text) == digits


# Words around a value that hold no digit, no number word and no word that a checker reads.
WORDS = "we gladly hope you bring smiles along when rain falls softly over our street"
FILLER = st.lists(st.sampled_from(WORDS.split()), max_size=8)
DATES = st.dates(dt.date(2025, 1, 1), dt.date(2025, 12, 31))
DATE_FORMS = ["{d} {m}", "{m} {d}", "{d}th of {m}", "{m} the {d}th", "{m:.3} {d}"]
DATE_FORMS += ["{n}/{d}", "{d}/{n}", "2025-{n:02d}-{d:02d}"]
TIMES = st.tuples(st.integers(8, 21), st.sampled_from([0, 5, 15, 30, 45, 55]))
COUNTS = st.integers(3, 199)


def around(filler: list[str], value: str) -> str:
    return f"Hello, {' '.join(filler)}: {value}. Then {' '.join(filler)}."


def clock(hour: int, minute: int) -> str:
    return f"{(hour - 1) % 12 + 1}{f':{minute:02d}' if minute else ''} {'pm' if hour >= 12 else 'am'}"


def day(date: dt.date, weekday: bool) -> str:
    return f"{f'{date:%A} ' if weekday else ''}{date.day} {date:%B}"


@given(DATES, st.booleans(), FILLER)
def test_a_date_is_met_by_itself_in_any_text(date: dt.date, weekday: bool, filler: list[str]) -> None:
    assert meets(want("date", day(date, weekday)), around(filler, day(date, weekday)))


@given(DATES, st.sampled_from(DATE_FORMS))
def test_a_date_is_met_in_every_format(date: dt.date, form: str) -> None:
    assume("/" not in form or (date.day, date.month) != (24, 7))  # "24/7" is no date
    text = form.format(d=date.day, m=MONTHS[date.month - 1].capitalize(), n=date.month)
    assert meets(want("date", day(date, True)), around([], text))


@given(DATES, DATES, st.booleans(), FILLER)
def test_a_wrong_date_is_never_met(asked: dt.date, written: dt.date, weekday: bool, filler: list[str]) -> None:
    assume(asked != written)
    assert not meets(want("date", day(asked, weekday)), around(filler, day(written, weekday)))


@given(DATES, st.integers(1, 6))
def test_a_wrong_weekday_is_never_met(date: dt.date, shift: int) -> None:
    wrong = f"{date + dt.timedelta(days=shift):%A} {date.day} {date:%B}"
    assert not meets(want("date", day(date, True)), around([], wrong))


@given(TIMES, FILLER)
def test_a_time_is_met_on_either_clock(time: tuple[int, int], filler: list[str]) -> None:
    for text in (clock(*time), "{:02d}:{:02d}".format(*time), clock(*time).replace(" ", "").upper()):
        assert meets(want("time", clock(*time)), around(filler, text))


@given(TIMES, TIMES, FILLER)
def test_a_wrong_time_is_never_met(asked: tuple[int, int], written: tuple[int, int], filler: list[str]) -> None:
    assume(asked != written)
    assert not meets(want("time", clock(*asked)), around(filler, clock(*written)))


@given(TIMES, st.integers(2, 11))
def test_both_ends_of_a_range_are_met(time: tuple[int, int], hours: int) -> None:
    start, end = clock(*time), clock(min(time[0] + hours, 23), time[1])
    for text in (f"{start} to {end}", f"from {start} until {end}", f"{start}-{end}", f"{start.split()[0]}–{end}"):
        assert meets(want("time", start), around([], text))
        assert meets(want("time", end), around([], text))


@given(COUNTS, FILLER)
def test_a_sum_and_a_count_are_met_by_themselves(n: int, filler: list[str]) -> None:
    assert meets(want("amount", f"${n}"), around(filler, f"${n}"))
    assert meets(want("amount", f"${n}"), around(filler, f"{n}.00 dollars"))
    assert meets(want("count", str(n)), around(filler, f"{n} chairs"))


@given(COUNTS, COUNTS, FILLER)
def test_a_wrong_number_is_never_met(asked: int, written: int, filler: list[str]) -> None:
    assume(asked != written)
    for form in ("{}", "${}", "{} dollars", "{} minutes", "{} days", "{} chairs"):
        text = around(filler, form.format(written))
        assert not meets(want("amount", f"${asked}"), text)
        assert not meets(want("count", str(asked)), text)


@given(COUNTS, st.sampled_from(["${}", "{} minutes", "{}%", "{}th", "room {}", "{} km", "1{}", "{}.5", "{} dollars"]))
def test_a_number_of_something_else_is_no_count(n: int, form: str) -> None:
    assert not meets(want("count", str(n)), around([], form.format(n)))


@given(st.integers(1, 19))
def test_number_words_count(n: int) -> None:
    assert meets(want("count", str(n)), around([], f"{ONES[n]} chairs"))
    assert meets(want("amount", f"${n}"), around([], f"{ONES[n]} dollars"))


@given(st.data(), FILLER)
def test_a_phrase_from_the_pools_is_met_by_itself_and_its_plural(data: st.DataObject, filler: list[str]) -> None:
    slot = data.draw(st.sampled_from([slot for slot in slots().values() if slot.kind in ("phrase", "place")]))
    value = " ".join(data.draw(st.sampled_from(pools()[name])) for name in slot.pools)
    assert meets(want(slot.kind, value), around(filler, f"the {value.upper()}"))
    if value[-1] in set(string.ascii_lowercase) - set("sxzhyfo"):
        assert meets(want(slot.kind, value), around(filler, f"{value}s"))


@given(st.data())
def test_a_phrase_is_not_met_by_another(data: st.DataObject) -> None:
    slot = data.draw(st.sampled_from([slot for slot in slots().values() if slot.kind in ("phrase", "place")]))
    first, last = (
        data.draw(st.lists(st.sampled_from(pools()[name]), min_size=2, max_size=2, unique=True)) for name in slot.pools
    )
    for other in (f"{first[1]} {last[0]}", f"{first[0]} {last[1]}"):
        assert not meets(want(slot.kind, f"{first[0]} {last[0]}"), around([], other))


@given(st.integers(0, 9999), st.integers(0, 9999), FILLER)
def test_a_phone_number_is_met_by_itself_only(asked: int, written: int, filler: list[str]) -> None:
    text = around(filler, f"555 {written:04d}")
    assert meets(want("phone", f"555-{asked:04d}"), text) is (asked == written)


@given(st.text(max_size=200), st.sampled_from(sorted(CHECKERS)))
def test_no_text_breaks_a_checker(text: str, kind: str) -> None:
    example = EXAMPLES.get(kind, "Warm regards")
    assert meets(want(kind, example), text) in (True, False)


def test_the_data_files_are_read_once_and_name_no_missing_pool() -> None:
    named = {name for slot in slots().values() if slot.kind != "duration" for name in slot.pools}
    assert named <= set(load("pools.yaml"))
