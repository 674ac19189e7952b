"""Are the tasks open, sensible and honestly split?"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.data.requirements import met
from repro.data.tasks import INTENT, RULES, SIZES, Split, doc_types, make_tasks, near_duplicates
from repro.data.values import SHARED_KINDS, as_date, as_minutes, pools, slots, split_of
from repro.errors import ReproError
from repro.types import Task

TRAIN = make_tasks(1000, split="train", seed=0)
EVAL = make_tasks(283, split="eval", seed=0)


def values(task: Task) -> dict[str, str]:
    return {want.key: want.value for want in task.requirements}


def test_there_are_enough_types_and_every_domain_has_both_splits() -> None:
    splits = defaultdict(Counter)
    for kind in doc_types().values():
        splits[kind.domain][kind.split] += 1
    assert len(doc_types()) >= 44
    assert sum(count["eval"] for count in splits.values()) >= 11
    assert all(count["train"] >= 1 and count["eval"] >= 1 for count in splits.values())


@pytest.mark.parametrize("kind", doc_types().values(), ids=lambda kind: kind.name)
def test_a_type_has_five_to_eight_slots_that_fit_together(kind) -> None:  # type: ignore[no-untyped-def]
    assert 5 <= len(kind.slots) <= 8
    assert len(set(kind.slots)) == len(kind.slots)
    assert set(kind.slots) <= set(slots()) - set(RULES)
    assert len(set(kind.requests)) >= 3
    assert "end_time" not in kind.slots or "time" in kind.slots
    assert not {"end_time", "duration"} <= set(kind.slots)  # the length would follow from the times
    assert kind.slot("duration").pools or "duration" not in kind.slots
    assert len({kind.slot(key).label for key in kind.slots}) == len(kind.slots)


def test_no_type_request_user_or_id_is_in_both_splits() -> None:
    for what in (lambda t: t.doc_type, lambda t: t.intent, lambda t: t.user_id, lambda t: t.id):
        assert not {what(task) for task in TRAIN} & {what(task) for task in EVAL}
    assert {task.doc_type for task in EVAL} == {kind.name for kind in doc_types().values() if kind.split == "eval"}
    assert {task.doc_type for task in TRAIN} == {kind.name for kind in doc_types().values() if kind.split == "train"}


def test_no_value_of_eval_is_seen_in_training() -> None:
    def seen(tasks: list[Task]) -> set[tuple[str, str]]:
        return {
            (want.kind, want.value) for task in tasks for want in task.requirements if want.kind not in SHARED_KINDS
        }

    assert not seen(TRAIN) & seen(EVAL)
    assert all(split_of(kind, value) == "eval" for kind, value in seen(EVAL))


def test_first_names_and_days_do_not_cross_over_under_another_surname_or_weekday() -> None:
    assert split_of("name", "Priya") == split_of("name", "Priya Nolan") == split_of("name", "priya Weber")
    assert split_of("date", "Saturday 14 June") == split_of("date", "14 June")


def test_there_are_no_near_duplicates_across_splits_and_a_planted_one_is_found() -> None:
    assert near_duplicates(TRAIN, EVAL) == []
    planted = replace(TRAIN[7], id="planted")
    assert near_duplicates(TRAIN, [planted]) == [(TRAIN[7].id, "planted")]


def test_a_near_duplicate_is_judged_by_request_and_values_alone() -> None:
    # words {cake, order, lemon, pie} and {cake, order, lemon, tart}: 3 shared of 5, overlap 0.6
    one = make_tasks(1, split="train", seed=0)[0]
    want = one.requirements[0]
    a = replace(
        one, id="a", intent=INTENT.format(request="a cake order"), requirements=(replace(want, value="lemon pie"),)
    )
    b = replace(a, id="b", requirements=(replace(want, value="lemon tart"),))
    assert near_duplicates([a], [b], threshold=0.6) == [("a", "b")]
    assert near_duplicates([a], [b], threshold=0.61) == []


def test_tasks_depend_on_the_seed_and_not_on_how_many_are_made() -> None:
    assert make_tasks(1000, split="train", seed=0) == TRAIN
    assert make_tasks(40, split="train", seed=0) == TRAIN[:40]
    assert make_tasks(40, split="train", seed=1) != TRAIN[:40]


def test_global_randomness_is_neither_used_nor_changed() -> None:
    random.seed(3)
    before = random.getstate()
    assert make_tasks(5, split="eval", seed=0) == EVAL[:5]
    assert random.getstate() == before


def test_ids_are_unique_and_say_what_they_are() -> None:
    assert len({task.id for task in TRAIN}) == 1000
    assert EVAL[12].id == f"{EVAL[12].doc_type}/eval/00012"
    assert EVAL[12].domain == doc_types()[EVAL[12].doc_type].domain


def test_users_of_eval_have_one_task_each_and_train_users_share() -> None:
    assert [task.user_id for task in EVAL[:2]] == ["eval-0000", "eval-0001"]
    assert len({task.user_id for task in EVAL}) == 283
    assert set(Counter(task.user_id for task in TRAIN).values()) == {5}  # 1000 tasks, 200 users
    assert {task.user_id for task in make_tasks(6, split="eval", seed=0, n_users=2)} == {"eval-0000", "eval-0001"}


def test_types_are_in_balance() -> None:
    counts = Counter(task.doc_type for task in TRAIN)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_sizes_and_rules_follow_their_shares() -> None:
    sizes = Counter(len(task.requirements) for task in TRAIN)
    for size, share in SIZES.items():
        assert abs(sizes[size] / 1000 - share) < 0.05  # three standard errors of .40 at n=1000 are .046
    rules = [sum(want.key in RULES for want in task.requirements) for task in TRAIN]
    assert max(rules) == 1
    assert abs(sum(rules) / 1000 - 0.35) < 0.05


def test_values_are_short() -> None:
    lengths = [len(want.value.split()) for task in TRAIN + EVAL for want in task.requirements]
    assert 1.5 < sum(lengths) / len(lengths) < 2.2
    assert max(lengths) <= 5


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["train", "eval"]))
def test_values_of_a_task_are_sensible_together(seed: int, split: Split) -> None:
    for task in make_tasks(40, split=split, seed=seed):
        found = values(task)
        assert len(found) == len(task.requirements)
        if {"time", "end_time"} <= found.keys():
            assert 30 <= as_minutes(found["end_time"]) - as_minutes(found["time"]) <= 360
        if {"date", "deadline"} <= found.keys():
            assert 2 <= (as_date(found["date"]) - as_date(found["deadline"])).days <= 45
        assert not ("greeting" in found and "recipient" in found)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["train", "eval"]))
def test_a_text_that_states_every_value_meets_every_requirement(seed: int, split: Split) -> None:
    for task in make_tasks(20, split=split, seed=seed):
        found = values(task)
        stated = [found[key] for key in found if key not in RULES]
        text = ". ".join([found.get("greeting", "So"), *stated, found.get("sign_off", "Bye")])
        assert met(task, text) == [True] * len(found)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_stating_one_value_less_meets_one_requirement_less(seed: int) -> None:
    for task in make_tasks(10, split="train", seed=seed):
        stated = [want for want in task.requirements if want.key not in RULES]
        for left_out in stated:
            text = ". ".join(["So", *(want.value for want in stated if want is not left_out)])
            missed = [want.key for want, hit in zip(task.requirements, met(task, text), strict=True) if not hit]
            assert [key for key in missed if key not in RULES] == [left_out.key]


def test_guessing_does_not_pay() -> None:
    # The commonest value of a kind, written into every text, meets less than 1 in 10 of that kind's requirements.
    by_kind = defaultdict(Counter)
    for task in TRAIN:
        for want in task.requirements:
            by_kind[want.kind][want.value] += 1
    for kind, counts in by_kind.items():
        assert kind in SHARED_KINDS or max(counts.values()) / sum(counts.values()) < 0.1, kind


def test_pools_hold_enough_words() -> None:
    sizes = {name: len(words) for name, words in pools().items()}
    assert sizes["first_names"] >= 200
    assert sizes["surnames"] >= 150
    for key in ("item", "topic", "theme", "food", "activity", "reason", "feature", "colour", "condition"):
        assert all(sizes[name] >= 40 for name in slots()[key].pools), key
    assert all(a != b for words in pools().values() for a, b in pairwise(sorted(words)))


def test_bad_arguments_say_what_there_is() -> None:
    with pytest.raises(ReproError, match="no split 'dev' of tasks; have train and eval"):
        make_tasks(1, split="dev", seed=0)  # type: ignore[arg-type]
    with pytest.raises(ReproError, match="n=-1"):
        make_tasks(-1, split="train", seed=0)
    with pytest.raises(ReproError, match="n_users=0"):
        make_tasks(1, split="train", seed=0, n_users=0)
    assert make_tasks(0, split="eval", seed=0) == []
