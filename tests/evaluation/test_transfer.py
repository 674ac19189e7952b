"""Is what an assistant gained told apart by user, and compared task by task?"""

from __future__ import annotations

import pytest

from repro.errors import ReproError
from repro.evaluation.transfer import gains, grid_table, transfer, transfer_numbers, transfer_table
from repro.types import Requirement, Task, Trajectory, Turn

WISHES = (Requirement("place", "place", "Hill Park", "the place"), Requirement("place2", "place", "Old Mill", "where"))
POOR = "Dear all, please come and celebrate with us, we would all be so very happy to see you there."


def held(n_met: list[int], error: str | None = None) -> list[Trajectory]:
    """One dialogue per entry, whose text meets so many of two wishes."""
    texts = [" ".join([POOR, *(r.value for r in WISHES[:n])]) for n in n_met]
    task = [Task(f"t{i}", f"u{i}", "an intent", WISHES) for i in range(len(texts))]
    return [
        Trajectory(t, (Turn("user", "hi"), Turn("assistant", text)), "u", "a", 0, "max_turns", error)
        for t, text in zip(task, texts, strict=True)
    ]


BEFORE = {"mine": held([0, 1, 0]), "other": held([0, 0, 0]), "third": held([1, 1, 1])}
AFTER = {"mine": held([2, 2, 2]), "other": held([1, 1, 1]), "third": held([1, 1, 1])}


def test_gains_are_paired_by_task():
    assert gains(BEFORE, AFTER) == {"mine": [1.0, 0.5, 1.0], "other": [0.5] * 3, "third": [0.0] * 3}


def test_the_gap_is_the_own_gain_less_the_mean_of_the_others():
    found = transfer(BEFORE, AFTER, own="mine")
    assert found["gain.mine"].value == pytest.approx(5 / 6)
    assert found["others"].value == pytest.approx(1 / 4)
    assert found["gap"].value == pytest.approx(5 / 6 - 1 / 4)
    assert found["gap"].n == 3


def test_a_gain_that_is_the_same_on_every_task_is_not_certain():
    # other: 0.5 on all three. q = 3.8415 / 6.8415 = 0.5615 of 1.5 down and of 0.5 up; third: nothing, either way
    found = transfer(BEFORE, AFTER, own="mine")
    other, third = found["gain.other"], found["gain.third"]
    assert (other.low, other.high) == pytest.approx((0.5 - 0.8423, 0.5 + 0.2808), abs=1e-4)
    assert (third.low, third.high) == pytest.approx((-0.5615, 0.5615), abs=1e-4)


def test_a_gap_takes_two_simulators():
    with pytest.raises(ReproError, match="a gap takes 'mine' and another simulator; have mine"):
        transfer({"mine": BEFORE["mine"]}, {"mine": AFTER["mine"]}, own="mine")
    with pytest.raises(ReproError, match="a gap takes 'yours'"):
        transfer(BEFORE, AFTER, own="yours")


def test_training_seeds_are_clusters_beside_tasks():
    found = transfer(BEFORE, [AFTER, BEFORE], own="mine")  # the second seed learned nothing
    assert found["gap"].value == pytest.approx((5 / 6 - 1 / 4) / 2)
    assert (found["gap"].n, found["gap"].n_clusters) == (6, 3)
    assert found["gap"].low <= 0 < found["gap"].high


def test_a_failed_dialogue_is_unscored_wherever_it_counts():
    failed = AFTER | {"mine": held([2, 2, 2], error="endpoint down")}
    found = transfer(BEFORE, failed, own="mine")
    assert {key: e.n_unscored for key, e in found.items()} == {
        "gain.mine": 3, "gain.other": 0, "gain.third": 0, "others": 0, "gap": 3,
    }  # fmt: skip


def test_the_grid_has_every_cell_and_marks_an_arm_s_own_user():
    table = grid_table({("initial", None): BEFORE, ("mine", 0): AFTER, ("mine", 1): BEFORE})
    cells = table.set_index(["arm", "simulator"])
    assert len(cells) == 6
    assert cells.loc[("mine", "mine"), "value"] == pytest.approx((1 + 1 / 6) / 2)
    assert [*cells.index[cells.own]] == [("mine", "mine")]
    found = transfer_table({("initial", None): BEFORE, ("mine", 0): AFTER, ("mine", 1): BEFORE})
    assert {*found.arm} == {"mine"}
    assert {*found.n_seeds} == {2}
    numbers = transfer_numbers(found)
    gap = found.set_index("measure").loc["gap"]
    assert (numbers["transfer.mine.gap"].value, numbers["mde.mine.gap"].value) == (gap.value, gap.mde)
    assert numbers["n_seeds.mine.gap"].value == 2


def test_a_user_with_whom_anybody_gains_more_is_nothing_that_was_learned():
    easy = {"mine": held([2, 2, 2]), "other": held([0, 0, 0]), "third": held([1, 1, 1])}
    alike = transfer_table({("initial", None): BEFORE, ("mine", 0): easy, ("other", 0): easy}).set_index(
        ["arm", "measure"]
    )
    assert alike.loc[("mine", "gap"), "value"] == pytest.approx(5 / 6)
    assert alike.loc[("mine", "beyond"), "value"] == 0
    grid = {("initial", None): BEFORE, ("mine", 0): easy, ("mine", 1): BEFORE, ("other", 0): AFTER}
    found = transfer_table(grid).set_index(["arm", "measure"])
    # gaps at `mine`: 5/6 and 0 of its own two seeds; 5/6 - 1/4 of the other assistant
    assert found.loc[("mine", "beyond"), "value"] == pytest.approx((5 / 6 + 0) / 2 - (5 / 6 - 1 / 4))
    assert found.loc[("mine", "beyond"), "n"] == 6
    assert found.loc[("mine", "beyond"), "n_seeds"] == 2


def test_what_is_beyond_is_unscored_where_another_assistant_failed():
    failed = AFTER | {"third": held([1, 1, 1], error="endpoint down")}
    grid = {("initial", None): BEFORE, ("mine", 0): AFTER, ("other", 0): failed}
    found = transfer_table(grid).set_index(["arm", "measure"])
    assert found.loc[("mine", "gap"), "n_unscored"] == 0
    assert found.loc[("mine", "beyond"), "n_unscored"] == 3
