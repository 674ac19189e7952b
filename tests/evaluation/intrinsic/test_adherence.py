"""Are replies to probes read as a person reads them?

Labels are by hand. Those of `intent_replies.csv`, and the `written` ones of `role_replies.csv`, were made up before any
rule was run. The rest were taken from what simulators and assistants said (about other tasks and with other seeds than
notebook 06 has), shuffled and labelled without their names: 0 where a reply agrees to change sides, offers help, asks
as a writer asks, or writes the text; ? where the labeller could not tell. The rule was made with the `seen` ones before
it read the `unseen` ones and the simulators of the notebook.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from repro.data.tasks import make_tasks
from repro.errors import ReproError
from repro.evaluation.intrinsic import (
    Moment,
    gain,
    in_their_place,
    intent_adherence,
    keeps_intent,
    left,
    load_probes,
    probed,
    role_adherence,
    role_change,
    stays_user,
    unprobed,
)
from repro.simulators import Exhaustive, ReferenceUsers
from repro.types import Requirement, Task, Trajectory, Turn

HERE = Path(__file__).parent
WISHES = (Requirement("date", "date", "4 May", "the date"), Requirement("place", "place", "Hill Park", "the place"))
TASK = Task("t", "u", "You are a user chatting with an assistant language model to get help writing a note.", WISHES)
AT_LEAST = 0.9
MOST_ALARMS, MOST_MISSED = 0.05, 0.15  # of users read as having changed sides, and of those who have read as users


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
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


def wanting(wants: str) -> Task:
    """A task whose user wants what stands in the column: "date=4 May; place=Hill Park"."""
    pairs = [one.split("=", 1) for one in wants.split("; ")]
    return Task("t", "u", TASK.intent, tuple(Requirement(kind, kind, value, kind) for kind, value in pairs))


def errors(rows: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    """By label, the rows that the rule reads otherwise."""
    wrong: dict[str, list[dict[str, str]]] = {"1": [], "0": []}
    for row in rows:
        if row["stays"] != str(int(stays_user(Turn("user", row["reply"]), wanting(row["wants"])))):
            wrong[row["stays"]].append(row)
    return wrong


@pytest.mark.parametrize("chosen", ["written", "seen", "unseen"])
def test_changing_sides_is_read_as_labelled_by_hand(chosen):
    labelled = [row for row in rows("role_replies") if row["set"] == chosen and row["stays"] != "?"]
    n, wrong = Counter(row["stays"] for row in labelled), errors(labelled)
    print(f"{chosen}: {len(wrong['1'])} of {n['1']} users misread, {len(wrong['0'])} of {n['0']} changes missed")
    assert min(n.values()) >= 25
    assert len(wrong["1"]) <= MOST_ALARMS * n["1"], wrong["1"]
    assert len(wrong["0"]) <= MOST_MISSED * n["0"], wrong["0"]


def test_no_simulator_s_own_turns_are_taken_for_an_assistant_s_more_often():
    users = [row for row in rows("role_replies") if row["stays"] == "1" and row["set"] != "written"]
    alarms = Counter(row["said_by"] for row in errors(users)["1"])
    for name, n in Counter(row["said_by"] for row in users).items():
        print(f"{name}: {alarms[name]} of {n} users' turns misread")
        assert alarms[name] <= max(1, MOST_ALARMS * n)


@pytest.mark.parametrize("user", [Exhaustive(), ReferenceUsers()])
def test_who_cannot_change_sides_is_read_as_a_user(user):
    tasks = make_tasks(40, split="eval", seed=3)
    first = user.reply(tasks, [[] for _ in tasks], seed=0)
    talks = [Trajectory(t, (turn,), "u", "a", 0, "max_turns") for t, turn in zip(tasks, first, strict=True)]
    moments = probed(talks, load_probes("role"))
    share = role_adherence(in_their_place(user, moments, seed=0), moments)
    print(f"{user.name}: {share}")
    assert share.value >= 0.95


def test_stating_what_one_wants_is_no_document_however_long_and_writing_to_readers_is():
    stated = "Certainly. The date: 4 May. The place is Hill Park. It should be friendly and name both of these."
    written = "Dear neighbours, come to Hill Park on 4 May. We look forward to seeing all of you there. Best, Ida"
    assert stays_user(Turn("user", stated), TASK)
    assert not stays_user(Turn("user", written), TASK)
    assert not stays_user(Turn("user", "Certainly."), TASK)
    assert not stays_user(Turn("user", f"{stated} What can I do for you?"), TASK)


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
    assert stays_user(Turn("user", "sure", ends=True), TASK)
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
    assert left(said, moments).found.value == 0
    assert left([*said[:3], Turn("user", "", ends=True)], moments).found.value == 0.25
    assert role_adherence(said, moments).value == 0.5
    assert intent_adherence([Turn("user", "4 May")] * 4, moments, probes).value == 1
    users = in_their_place(ReferenceUsers(), moments, seed=0)
    assert role_adherence(users, moments).value == 1


def test_what_a_probe_changes_is_the_share_without_it_less_the_share_with_it():
    heard = Turn("assistant", "When is it?")
    talks = [Trajectory(t.task, (*t.turns, heard), "u", "a", 0, "max_turns") for t in (opening("a"), opening("b"))]
    probes = load_probes("role")[:4]
    moments, plain = probed(talks, probes), unprobed(talks, probes)
    assert [m.task.id for m in plain] == [m.task.id for m in moments] == ["a", "b", "a", "b"]
    assert {m.dialogue[-1].text for m in plain} == {"When is it?"}
    swaps, stays = Turn("user", "How can I help?"), Turn("user", "4 May")
    often = role_change([swaps, swaps, swaps, stays], [stays, stays, stays, swaps], plain)  # 3/4 - 1/4
    never = role_change([stays] * 4, [stays] * 4, plain)
    assert (often.found.value, never.found.value) == (0.5, 0)
    assert gain(often, never).value == 0.5
    assert gain(never, never).low < 0 < gain(never, never).high  # alike, and yet not certain


def test_a_dialogue_in_which_the_assistant_never_spoke_has_no_moment_without_a_probe():
    found = role_adherence([Turn("user", "")], unprobed([opening()], load_probes("role")[:1]))
    assert (found.n, found.n_unscored) == (0, 1)
