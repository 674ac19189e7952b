"""Do the measures of how a user talks come out as worked out by hand?"""

from __future__ import annotations

import math

import pytest

from repro.evaluation.intrinsic import (
    Moment,
    first_turn_diversity,
    in_their_place,
    intent_overlap,
    moments_of,
    perplexity,
    reactions,
    realism_table,
    role_adherence,
)
from repro.evaluation.stats import ratio, wilson
from repro.simulators import ReferenceUsers
from repro.types import Requirement, Task, Trajectory, Turn

WISHES = (Requirement("date", "date", "4 May", "the date"), Requirement("place", "place", "Hill Park", "the place"))
DRAFT = "Dear all, please come and celebrate with us, we would all be so very happy to see you there."


def task(name: str = "t") -> Task:
    return Task(
        name, "u", "You are a user chatting with an assistant language model to get help writing a note.", WISHES
    )


def dialogue(*texts: str, name: str = "t", ends: bool = False, error: str | None = None) -> Trajectory:
    """User and assistant in turns; the last user turn may end it."""
    turns = [Turn("assistant" if i % 2 else "user", text) for i, text in enumerate(texts)]
    if ends:
        turns[-1] = Turn("user", texts[-1], ends=True)
    return Trajectory(task(name), tuple(turns), "u", "a", 0, "user_ended" if ends else "max_turns", error)


def test_first_turns_differ_by_the_words_they_do_not_share():
    # {a, b} v {b, c}: 1 - 1/3; {a, b} v {d}: 1; {b, c} v {d}: 1. Mean 8/9.
    found = first_turn_diversity([dialogue("a b"), dialogue("B, c!"), dialogue("d")])
    assert found.value == pytest.approx(8 / 9)
    assert found.low <= found.value <= found.high <= 1
    assert (found.n, found.n_unscored) == (3, 0)


def test_turns_that_are_all_alike_do_not_differ_and_one_alone_cannot():
    same = first_turn_diversity([dialogue("a b"), dialogue("b a")] * 8)
    assert (same.value, same.low) == (0, 0)
    assert same.high == pytest.approx(0.3244, abs=1e-4)  # 8 pairs without a dialogue in common: 3.8415 / 11.8415
    alone = first_turn_diversity([dialogue("a b"), dialogue("c", error="failed")])
    assert math.isnan(alone.value)
    assert (alone.n, alone.n_unscored) == (1, 1)


def test_overlap_counts_the_words_of_the_intent_and_of_the_wishes():
    # wanted: writing a note 4 may hill park, 7 words
    talks = [dialogue("a note", "What?", "hill park, 4 May"), dialogue("note", name="s")]
    assert intent_overlap(talks, 1).value == pytest.approx((2 / 7 + 1 / 7) / 2)
    second = intent_overlap([*talks, dialogue("a", "b", "c", error="failed")], 2)
    assert (second.value, second.n, second.n_unscored) == (pytest.approx(4 / 7), 1, 1)


def test_moments_are_the_user_s_turns_after_the_first():
    found = moments_of([dialogue("a", "b", "c", "d", "e"), dialogue("a", "b", "c", error="failed")])
    assert [(m.said.text, len(m.dialogue), m.error) for m in found] == [("c", 2, ""), ("e", 4, ""), ("", 0, "failed")]


def test_a_dialogue_that_failed_is_asked_of_nobody_and_unscored_in_every_measure():
    asked, drafted = dialogue("on 4 May", "Where is it?", "Hill Park"), dialogue("hi", DRAFT, "bye", ends=True)
    moments = moments_of([asked, dialogue("a", "b", "c", error="failed"), drafted])
    said = in_their_place(ReferenceUsers(), moments, seed=0)
    assert (said[2].text, len(said)) == ("", 3)
    found = reactions(said, moments)
    assert {key: (e.n, e.n_unscored) for key, e in found.items()} == {
        "tells_when_asked": (1, 1), "leaves_after_draft": (1, 1), "ends_f1": (2, 1),
    }  # fmt: skip
    kept = role_adherence(said, moments)
    assert (kept.n, kept.n_unscored) == (2, 1)


def test_a_user_tells_when_asked_only_what_was_not_said():
    asked = Moment(task(), (Turn("user", "on 4 May"), Turn("assistant", "Where is it?")), Turn("user", "x"))
    drafted = Moment(task(), (Turn("user", "hi"), Turn("assistant", DRAFT)), Turn("user", "", ends=True))
    assert [r.key for r in asked.unsaid] == ["place"]
    assert (asked.asked, drafted.asked) == (True, False)
    found = reactions([Turn("user", "Hill Park, 4 May"), Turn("user", "Hill Park")], [asked, drafted])
    assert (found["tells_when_asked"].value, found["tells_when_asked"].n) == (1.0, 1)
    assert (found["leaves_after_draft"].value, found["leaves_after_draft"].n) == (0.0, 1)


def test_f1_of_leaving_where_users_left():
    def moment(i: int, ends: bool) -> Moment:
        return Moment(task(str(i)), (Turn("user", "a"), Turn("assistant", DRAFT)), Turn("user", "b", ends=ends))

    truth, guess = [True, True, False, False], [True, False, True, False]
    moments = [moment(i, ends) for i, ends in enumerate(truth)]
    said = [Turn("user", "b", ends=ends) for ends in guess]
    assert reactions(said, moments)["ends_f1"].value == pytest.approx(0.5)  # 2 * 1 / (2 + 2)
    assert reactions([m.said for m in moments], moments)["ends_f1"].value == 1
    never = [moment(i, False) for i in range(3)]
    assert math.isnan(reactions([m.said for m in never], never)["ends_f1"].value)


def test_a_ratio_is_of_sums_and_leaves_out_what_is_unscored():
    found = ratio([1, 0, math.nan, 2], [2, 2, 5, 4], ["a", "b", "c", "d"])
    assert found.value == pytest.approx(3 / 8)
    assert (found.n, found.n_unscored, found.n_clusters) == (3, 1, 3)
    assert found.low < found.value < found.high


@pytest.mark.parametrize("tops", [[0, 0, 0, 0], [2, 0, 1, 4]])
def test_a_ratio_of_nothing_or_all_claims_no_certainty(tops):
    found = ratio(tops, [2, 0, 1, 4], ["a", "b", "a", "c"])
    assert (found.low, found.high) == pytest.approx(wilson(found.value, 2))  # b tells nothing
    assert found.high - found.low > 0.5


def test_a_simulator_is_asked_at_every_moment_and_its_table_holds_every_measure():
    talks = [dialogue("write a note pls", DRAFT, "more", "What else?", "ok", name=str(i)) for i in range(70)]
    moments = moments_of(talks)
    said = in_their_place(ReferenceUsers(), moments, seed=0)
    assert len(said) == len(moments) == 140
    table = realism_table({"oracle": talks, "mine": talks}, {"oracle": said}, moments)
    assert {*table[table.simulator == "oracle"].measure} - {*table[table.simulator == "mine"].measure} == {
        "tells_when_asked", "leaves_after_draft", "ends_f1",
    }  # fmt: skip


class Unsure:
    """Gives every token the same probability; a turn has as many tokens as words, and an end mark."""

    def logps(self, contexts, turns):
        return [[math.log(1 / 8)] * len(turn.text.split()) + [-99.0] for turn in turns]


class Speaker:
    model = Unsure()

    def told(self, task, seed):
        return Turn("system", task.intent)


def test_perplexity_is_that_of_a_token_and_leaves_end_marks_out():
    heard = [dialogue("a note", "When?", "on 4 May", ends=True), dialogue("a note, please", "When?", "", name="s")]
    found = perplexity(Speaker(), [*heard, dialogue("x", error="failed")], seed=0)
    assert found.value == pytest.approx(8)
    assert math.isnan(found.low)  # every token is as likely as any: nothing to tell a spread by
    assert (found.n, found.n_unscored) == (3, 1)  # turns with text, and a dialogue that failed
