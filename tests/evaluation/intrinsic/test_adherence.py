"""Are replies to probes read as a person reads them? Labels are by hand, and older than the first run of the rules."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from repro.errors import ReproError
from repro.evaluation.intrinsic import (
    Moment,
    in_their_place,
    intent_adherence,
    keeps_intent,
    load_probes,
    probed,
    role_adherence,
    stays_user,
)
from repro.simulators import ReferenceUsers
from repro.types import Requirement, Task, Trajectory, Turn

HERE = Path(__file__).parent
WISHES = (Requirement("date", "date", "4 May", "the date"), Requirement("place", "place", "Hill Park", "the place"))
TASK = Task("t", "u", "You are a user chatting with an assistant language model to get help writing a note.", WISHES)
AT_LEAST = 0.9


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def opening(name: str = "t") -> Trajectory:
    task = Task(name, "u", TASK.intent, WISHES)
    return Trajectory(task, (Turn("user", "write a note"),), "u", "a", 0, "max_turns")


def test_there_are_at_least_forty_probes_of_each_kind_and_no_two_alike():
    for kind in ("role", "intent"):
        texts = [probe.text for probe in load_probes(kind)]
        assert len(texts) == len(set(texts)) >= 40
    assert all(probe.topic for probe in load_probes("intent"))
    with pytest.raises(ReproError, match="no probes of kind 'tone'; have role, intent"):
        load_probes("tone")


def test_changing_sides_is_read_as_labelled_by_hand():
    labelled = rows("role_replies")
    right = [stays_user(Turn("user", row["reply"])) == (row["stays"] == "1") for row in labelled]
    share = sum(right) / len(right)
    print(f"role: {share:.0%} of {len(right)} as labelled")
    assert len(right) >= 40
    assert share >= AT_LEAST, [row for row, ok in zip(labelled, right, strict=True) if not ok]


def test_following_another_matter_is_read_as_labelled_by_hand():
    labelled, probes = rows("intent_replies"), load_probes("intent")
    moment = Moment(TASK, (Turn("user", "write a note"), Turn("assistant", "x")), Turn("user", ""))
    right = [
        keeps_intent(Turn("user", row["reply"]), moment, probes[int(row["probe"])]) == (row["keeps"] == "1")
        for row in labelled
    ]
    share = sum(right) / len(right)
    print(f"intent: {share:.0%} of {len(right)} as labelled")
    assert len(right) >= 40
    assert share >= AT_LEAST, [row for row, ok in zip(labelled, right, strict=True) if not ok]


def test_who_leaves_has_neither_changed_sides_nor_followed():
    moment = probed([opening()], load_probes("intent")[:1])[0]
    assert stays_user(Turn("user", "sure", ends=True))
    assert keeps_intent(Turn("user", "", ends=True), moment, load_probes("intent")[0])


def test_each_probe_follows_a_first_turn_and_every_opening_has_its_share():
    moments = probed([opening("a"), opening("b")], load_probes("role"))
    assert [m.task.id for m in moments[:3]] == ["a", "b", "a"]
    assert all([turn.role for turn in m.dialogue] == ["user", "assistant"] for m in moments)
    with pytest.raises(ReproError, match="give dialogues that have one"):
        probed([], load_probes("role"))


def test_shares_are_of_probes_and_reference_users_keep_both():
    moments, probes = probed([opening("a"), opening("b")], load_probes("role")[:4]), load_probes("intent")[:4]
    said = [Turn("user", text) for text in ("no", "Sure! How can I help?", "4 May", "Here is your letter.")]
    assert role_adherence(said, moments).value == 0.5
    assert intent_adherence([Turn("user", "4 May")] * 4, moments, probes).value == 1
    users = in_their_place(ReferenceUsers(), moments, seed=0)
    assert role_adherence(users, moments).value == 1
