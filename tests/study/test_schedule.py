from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.errors import ReproError
from repro.study.schedule import assignments, free_place


@st.composite
def designs(draw):
    """Pairs of 2 to 5 assistants, some number of tasks, and as many comparisons as both allow at most."""
    pairs = list(combinations("vwxyz"[: draw(st.integers(2, 5))], 2))
    tasks = [f"t{i}" for i in range(draw(st.integers(1, 7)))]
    n_comparisons = draw(st.integers(1, min(len(pairs), len(tasks))))
    return {"pairs": pairs, "tasks": tasks, "n_comparisons": n_comparisons, "seed": draw(st.integers(0, 99))}


@settings(max_examples=40, deadline=None)
@given(designs(), st.integers(0, 10_000))
def test_nobody_sees_a_pair_or_a_task_twice(design, place):
    mine = assignments(place, **design)
    assert len({(cell.a, cell.b) for cell in mine}) == len({cell.task for cell in mine}) == design["n_comparisons"]
    assert all((cell.a, cell.b) in design["pairs"] and cell.first in (cell.a, cell.b) for cell in mine)


@settings(max_examples=40, deadline=None)
@given(designs(), st.integers(0, 50))
def test_in_every_block_each_pair_meets_each_number_in_both_orders_once(design, block):
    size = 2 * len(design["pairs"])
    cells = Counter(
        (cell.a, cell.b, cell.first, number)
        for place in range(block * size, (block + 1) * size)
        for number, cell in enumerate(assignments(place, **design))
    )
    assert set(cells.values()) == {1}
    assert len(cells) == size * design["n_comparisons"]


@settings(max_examples=15, deadline=None)
@given(designs(), st.integers(0, 3))
def test_over_a_round_each_of_those_meets_each_task_once(design, lap):
    size = 2 * len(design["pairs"]) * len(design["tasks"])
    cells = Counter(
        (cell.a, cell.b, cell.first, number, cell.task)
        for place in range(lap * size, (lap + 1) * size)
        for number, cell in enumerate(assignments(place, **design))
    )
    assert set(cells.values()) == {1}
    assert len(cells) == size * design["n_comparisons"]


def test_a_participant_with_two_comparisons_meets_both_kinds_of_order():
    design = {"pairs": [("a", "b"), ("a", "c"), ("b", "c")], "tasks": ["s", "t"], "n_comparisons": 2, "seed": 0}
    for place in range(24):
        one, two = assignments(place, **design)
        assert (one.first == one.a) != (two.first == two.a)


def test_the_same_place_is_always_the_same_and_another_seed_is_another_order():
    design = {"pairs": list(combinations("abcd", 2)), "tasks": list("12345678"), "n_comparisons": 6}
    assert assignments(5, seed=1, **design) == assignments(5, seed=1, **design)
    assert assignments(5, seed=1, **design) != assignments(5, seed=2, **design)


@given(st.sets(st.integers(0, 30)))
def test_the_lowest_free_place_is_given_out(taken):
    place = free_place(list(taken))
    assert place not in taken
    assert set(range(place)) <= taken


def test_more_comparisons_than_pairs_or_tasks_is_an_error():
    with pytest.raises(ReproError, match="2 comparisons of 1 pairs"):
        assignments(0, pairs=[("a", "b")], tasks=["s", "t"], n_comparisons=2, seed=0)
