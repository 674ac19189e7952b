"""Do judge records come to the numbers that one works out by hand, as the leaderboard does?"""

from __future__ import annotations

import math

import pytest

from repro.errors import ReproError
from repro.evaluation.wildbench import checklist_votes, reward, satisfaction, wb_reward, wb_score, wb_task_macro, wins


def scores(*values: object) -> list[dict[str, object]]:
    return [{"session_id": f"s{i}", "score": v, "model_output": "x"} for i, v in enumerate(values)]


def pair(winner: str | None, extent: object, ours: int = 10, theirs: int = 10, session: str = "s") -> dict[str, object]:
    outputs = {"mine": "x" * ours, "ref": "y" * theirs}
    return {"session_id": session, "winner": winner, "extent": extent, "model_outputs": outputs}


def test_the_score_is_twice_what_lies_above_five() -> None:
    # (8 + 6 + "7") / 3 = 7, (7 - 5) * 2 = 4; the fourth says nothing, the fifth is no score: unscored, not 0
    found = wb_score(scores(8, 6.0, "7", "N/A", 11))
    assert found.value == pytest.approx(4)
    assert (found.n, found.n_unscored) == (3, 2)
    assert -8 <= found.low < 4 < found.high <= 10


def test_scores_that_are_all_alike_are_not_certain() -> None:
    found = wb_score(scores(*[10] * 8))
    assert found.value == pytest.approx(10)
    assert found.low < 5


def test_the_task_macro_counts_a_task_once_in_each_group_of_its_tags_and_weighs_groups() -> None:
    # Math & Data Analysis: s0 (Math, Data Analysis) and s1: (8 + 5) / 2 = 6.5, so 3; it weighs 1.
    # Creative Tasks: s0 and s2: (8 + 4) / 2 = 6, so 2; they weigh 1/2. The others have no tasks. (3 + 1) / 1.5 = 8/3.
    tags = {"s0": ["Math", "Data Analysis", "Editing"], "s1": ["Math"], "s2": ["Role playing"]}
    found = wb_task_macro(scores(8, 5, 4), tags)
    assert found.value == pytest.approx(8 / 3)
    assert (found.n, found.n_clusters) == (3, 3)
    assert wb_task_macro(scores(7, 7, 7), tags).low < 4  # all alike, and not certain
    assert wb_task_macro(scores(8, 5, 4, "?"), {**tags, "s3": ["Planning"]}).n_unscored == 1


def test_the_weights_of_the_groups_are_those_of_the_leaderboard() -> None:
    # 0.5 Creative, 1.25 Planning, 1 Math, 0.75 Information, 1.25 Coding, together 4.75; (10 - 5) * 2 = 10, else -8
    tags = {
        f"s{i}": [tag] for i, tag in enumerate(("Editing", "Planning", "Math", "Advice seeking", "Coding & Debugging"))
    }
    for i, weight in enumerate((0.5, 1.25, 1, 0.75, 1.25)):
        found = wb_task_macro(scores(*(10 if k == i else 1 for k in range(5))), tags)
        assert found.value == pytest.approx(-8 + 18 * weight / 4.75)


def test_a_tag_that_is_not_known_is_an_error() -> None:
    with pytest.raises(ReproError, match="session s0 has 'Poetry'; tags are Creative Writing"):
        wb_task_macro(scores(8), {"s0": ["Poetry"]})
    with pytest.raises(ReproError, match="session s0 has 'no tag'"):
        wb_task_macro(scores(8), {})


@pytest.mark.parametrize(
    ("record", "value"),
    [
        (pair("mine", 2), 1.0),
        (pair("mine", 1), 0.5),
        (pair("tie", 0), 0.0),
        (pair("ref", 1), -0.5),
        (pair("ref", "2"), -1.0),
        (pair("mine", 1, ours=510), 0.5),  # longer by 500, not by more
        (pair("mine", 1, ours=511), 0.0),
        (pair("ref", 1, theirs=511), 0.0),
        (pair("mine", 2, ours=5000), 1.0),  # a clear win stays one
        (pair("mine", 1, theirs=5000), 0.5),  # the shorter one won
    ],
)
def test_rewards_and_the_length_rule(record, value) -> None:
    assert reward(record) == value
    assert reward(record, ours="ref") == -value


def test_the_length_rule_can_be_turned_off() -> None:
    assert reward(pair("mine", 1, ours=5000), k=-1) == 0.5
    assert reward(pair("mine", 1, ours=11), k=0) == 0.0


def test_the_reward_is_the_mean_and_what_has_no_verdict_is_unscored() -> None:
    # (1 + 0.5 + 0 - 1) / 4 = 0.125
    verdicts = [("mine", 2), ("mine", 1), ("tie", 0), ("ref", 2), (None, None), ("mine", None)]
    found = wb_reward([pair(w, e, session=f"s{i}") for i, (w, e) in enumerate(verdicts)])
    assert found.value == pytest.approx(0.125)
    assert (found.n, found.n_unscored) == (4, 2)


def test_both_orders_of_a_session_are_one_cluster() -> None:
    found = wb_reward([pair("mine", 1, session=f"s{i // 2}") for i in range(8)])
    assert found.n_clusters == 4


def test_a_record_that_compares_something_else_is_an_error() -> None:
    with pytest.raises(ReproError, match="give two, one named 'other'"):
        wb_reward([pair("mine", 1)], ours="other")
    with pytest.raises(ReproError, match="record without session_id"):
        wb_score([{"score": 3}])


def met(**by_session: list[bool | None]) -> list[dict[str, object]]:
    return [{"session_id": session, "met": points} for session, points in by_session.items()]


def test_checklists_are_averaged_within_tasks_and_then_over_them() -> None:
    # (2/3 + 0/1) / 2 = 1/3; one point unscored makes its task unscored
    found = satisfaction(met(a=[True, True, False], b=[False], c=[True, None], d=[]))
    assert found.value == pytest.approx(1 / 3)
    assert (found.n, found.n_unscored) == (2, 2)


def test_whoever_meets_more_points_wins_and_as_many_is_a_tie() -> None:
    ours = met(a=[True, True], b=[True, False], c=[False, False], d=[True, True], e=[None, True])
    theirs = met(a=[True, False], b=[False, True], c=[True, True], d=[False, False], e=[True, True])
    votes = checklist_votes("x", ours, "y", theirs)
    found = wins(votes, a="x", b="y")
    # wins a and d, a tie b, loses c, e unscored: 2 / 4 outright, (2 + 1/2) / 4 adjusted
    assert found["win_rate"].value == pytest.approx(0.5)
    assert found["tie_adjusted"].value == pytest.approx(0.625)
    assert found["tie_adjusted"].n_unscored == 1
    assert wins(votes, a="y", b="x")["tie_adjusted"].value == pytest.approx(0.375)


def test_checklists_of_two_lengths_or_of_no_common_task_are_errors() -> None:
    with pytest.raises(ReproError, match="checklists of 1 and 2 points"):
        checklist_votes("x", met(a=[True]), "y", met(a=[True, False]))
    with pytest.raises(ReproError, match="answered no task in common"):
        checklist_votes("x", met(a=[True]), "y", met(b=[True]))


def test_no_records_are_nan() -> None:
    assert math.isnan(wb_score([]).value)
    assert math.isnan(wb_task_macro([], {}).value)
