"""Are the reference users as mixed as the tables say, and the same in every process?"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from statistics import mean

from repro.data import population
from repro.data.population import decoy_of, talkative, traits_of
from repro.data.requirements import meets
from repro.data.tasks import make_tasks

CROWD = [traits_of(f"eval-{k:04d}") for k in range(4000)]


def expected(table: tuple[tuple[float, float], ...]) -> float:
    return sum(value * weight for value, weight in table)


def test_every_table_sums_to_one_and_means_come_out_as_stated() -> None:
    for name in (
        "says_first",
        "answers",
        "brushes_off",
        "volunteers",
        "corrects",
        "leaves",
        "patience",
        "typos",
        "thanks",
    ):
        table = getattr(population, name.upper())
        assert abs(sum(weight for _, weight in table) - 1) < 1e-9, name
        assert abs(mean(getattr(t, name) for t in CROWD) - expected(table)) < 0.03 * (1 + expected(table)), name


def test_the_documented_means_hold() -> None:
    # leaves: .25 * .25 + .5 * .4 + .75 * .35 = .525; says_first: .2 * .22 + .4 * .2 + .6 * .12 + .85 * .04 = .23
    assert abs(mean(t.leaves for t in CROWD) - 0.525) < 0.02
    assert abs(mean(t.says_first for t in CROWD) - 0.23) < 0.02
    assert 0.6 <= mean(t.lower_case for t in CROWD) <= 0.75
    assert 0.03 <= mean(t.changes_mind for t in CROWD) <= 0.09


def test_users_differ_and_one_user_stays_the_same_in_another_process() -> None:
    assert len(set(CROWD)) > 1000
    code = "from repro.data.population import traits_of; print(traits_of('eval-0007'))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert other == str(traits_of("eval-0007"))


def test_a_talkative_user_keeps_their_voice() -> None:
    usual, open_hearted = traits_of("train-0003"), talkative("train-0003")
    voice = {"register", "lower_case", "typos", "greets"}
    same = {f.name for f in dataclasses.fields(usual) if getattr(usual, f.name) == getattr(open_hearted, f.name)}
    assert voice <= same
    assert open_hearted.says_first >= 0.8


def test_a_first_thought_is_another_value_of_the_same_requirement() -> None:
    found = [(task, decoy) for task in make_tasks(300, split="train", seed=4) if (decoy := decoy_of(task))]
    assert len(found) > 200
    for task, decoy in found:
        wanted = next(r for r in task.requirements if r.key == decoy.key)
        assert decoy.value != wanted.value
        assert meets(decoy, f"It is {decoy.value}.")
        assert not meets(wanted, f"It is {decoy.value}.")
        assert decoy == decoy_of(task)
