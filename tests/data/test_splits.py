"""Is nobody on both sides of a split, and does it depend on users and seed alone?"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.data import deduplicate, load_corpus, split_by_user
from repro.data.corpora import from_rows
from repro.data.splits import leaks, read_ids
from repro.errors import ReproError

ANSWER = {"role": "assistant", "content": "Here."}


def one(i: int, user: str = "u", country: str = "", opening: str = "hi") -> dict[str, object]:
    said = [{"role": "user", "content": opening}, ANSWER]
    return {"id": f"c{i}", "user_id": user, "country": country, "messages": said}


people = st.tuples(st.integers(0, 9), st.sampled_from(["France", "Malta", "Japan"]))


@st.composite
def corpora(draw):
    """A few conversations of a few users, with some ids in a benchmark; and the same rows in another order."""
    users = draw(st.lists(people, min_size=1, max_size=30))
    rows = [one(i, f"u{name}", country) for i, (name, country) in enumerate(users)]
    bench = draw(st.sets(st.sampled_from([row["id"] for row in rows]), max_size=3))
    return rows, draw(st.permutations(rows)), bench


def where(rows, bench, seed=42):
    parts = split_by_user(from_rows(rows), benchmark_ids=bench, seed=seed)
    return {id: split for split, part in parts.items() for id in part.column("id")}, parts


@settings(max_examples=25, deadline=None)
@given(corpora())
def test_no_user_is_in_two_splits_and_no_benchmark_id_outside_test(case):
    rows, shuffled, bench = case
    placed, parts = where(rows, bench)
    sides = [set(part.users) for part in parts.values()]
    assert sum(map(len, sides)) == len(set.union(*sides))
    assert all(placed[id] == "test" for id in bench)
    assert sorted(placed) == sorted(row["id"] for row in rows)  # nothing is lost
    assert where(shuffled, bench)[0] == placed  # the order of rows does not matter


def test_another_seed_is_another_split():
    rows = [one(i, f"u{i}") for i in range(200)]
    assert where(rows, ())[0] == where(rows, ())[0] != where(rows, (), seed=7)[0]


def test_each_country_is_split_in_the_shares_that_were_asked_for():
    rows = [one(i, f"u{i}", "France" if i < 300 else "Malta") for i in range(400)]
    placed, _ = where(rows, ())
    for country, n in (("France", 300), ("Malta", 100)):
        found = Counter(placed[row["id"]] for row in rows if row["country"] == country)
        # systematic sampling: within one of 89, 5 and 6 per cent
        assert abs(found["train"] - 0.89 * n) <= 1
        assert abs(found["val"] - 0.05 * n) <= 1
        assert abs(found["test"] - 0.06 * n) <= 1


def test_countries_of_one_user_do_not_all_go_to_train():
    placed, _ = where([one(i, "u", f"country {i}") for i in range(400)], ())
    assert Counter(placed.values())["test"] > 8  # 24 expected, and 8 is more than three deviations below


def test_shares_that_are_none_get_a_sentence():
    with pytest.raises(ReproError, match=r"give three that sum to 1"):
        split_by_user(from_rows([one(0)]), shares=(0.9, 0.2, 0.1))


def test_a_run_of_words_is_frequent_when_it_occurs_more_often_than_allowed():
    flyer = "You will ACT as a prompt generator"  # seven words
    rows = [one(i, opening=f"{flyer.lower() if i else flyer} {i}") for i in range(3)]
    rows.append(one(3, opening="you will act as a prompt"))  # six: no 7-gram at all
    assert len(deduplicate(from_rows(rows), max_count=3)) == 4
    kept = deduplicate(from_rows(rows), max_count=2)
    assert kept.column("id") == ["c3"]
    assert kept.steps[-1].dropped == {"that begin as many others do": 3}


def test_occurrences_within_one_turn_count():
    rows = [one(0, opening="a b c d e f g " * 3), one(1)]
    assert deduplicate(from_rows(rows), max_count=2).column("id") == ["c1"]  # "a b c d e f g" three times


def test_only_first_user_turns_count():
    said = [{"role": "user", "content": "hi"}, ANSWER, {"role": "user", "content": "one two three four five six seven"}]
    rows = [{"id": str(i), "messages": said} for i in range(4)]
    assert len(deduplicate(from_rows(rows), max_count=1)) == 4


def test_buckets_that_fill_up_change_nothing(monkeypatch):
    monkeypatch.setattr("repro.data.splits._BUCKETS", 2)  # every 7-gram shares its bucket with many others
    rows = [one(i, opening=f"{i} " * 7 if i % 2 else "the same seven words as all others") for i in range(20)]
    assert len(deduplicate(from_rows(rows), max_count=5)) == 10


def test_the_order_of_rows_changes_nothing_in_deduplication(wildchat_path):
    corpus = load_corpus(wildchat_path)
    backwards = corpus.chosen(list(range(len(corpus)))[::-1], "turned", {})
    kept = deduplicate(corpus, max_count=10).column("id")
    assert len(kept) == 168 - 12  # the twelve that open alike
    assert sorted(kept) == sorted(deduplicate(backwards, max_count=10).column("id"))


def test_conversations_that_open_alike_on_both_sides_are_found():
    text = "please help me write a letter to the council about the broken lamp in our street"
    train = from_rows([one(0, opening=text), one(1, opening="what is the tallest mountain on the moon")])
    held = from_rows([one(2, opening=f"{text} today"), one(3, opening="how many legs has a spider got in all")])
    # 14 runs of three words, of which the other has all and one more: 14 / 15
    assert leaks(train, held) == [("c0", "c2")]


def test_ids_of_a_benchmark_are_read_from_a_file(tmp_path):
    (tmp_path / "ids.txt").write_text("a\nb\n")
    assert read_ids(tmp_path / "ids.txt") == {"a", "b"}
    with pytest.raises(ReproError, match="one id a line"):
        read_ids(tmp_path / "none.txt")


def test_the_fixture_goes_through_all_of_it(wildchat_path):
    parts = split_by_user(deduplicate(load_corpus(wildchat_path), max_count=10), benchmark_ids={f"{3:032x}"})
    assert sum(map(len, parts.values())) == 156
    assert f"{3:032x}" in parts["test"].column("id")
