"""Is a judge that agrees by chance, by order or by length found out?"""

from __future__ import annotations

import math

import pytest

from repro.errors import ReproError
from repro.evaluation.judge_quality import judge_quality, kappa
from repro.evaluation.preference import Vote

NAN = float("nan")


def people(outcomes: list[float], person: str = "p") -> list[Vote]:
    return [Vote(f"{person}{i}", f"t{i}", "x", "y", None, None, o) for i, o in enumerate(outcomes)]


def judged(outcomes: list[float], position: str = "a_first") -> list[Vote]:
    return [Vote("judge", f"t{i}", "x", "y", None, None, o, position) for i, o in enumerate(outcomes)]  # type: ignore[arg-type]


def test_kappa_is_agreement_beyond_chance() -> None:
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: agreed 0.7, by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5, kappa 0.4
    first, second = [1.0] * 25 + [0.0] * 25, [1.0] * 20 + [0.0] * 5 + [1.0] * 10 + [0.0] * 15
    found = kappa([*first, NAN], [*second, 1.0], range(51))
    assert found.value == pytest.approx(0.4)
    assert 0.1 < found.low < 0.4 < found.high < 0.7
    assert (found.n, found.n_unscored, found.n_clusters) == (50, 1, 50)


def test_kappa_of_votes_that_repeat_within_a_person_is_no_surer() -> None:
    first, second, who = [1.0, 0.0] * 20, [1.0, 0.0, 0.0, 1.0] * 10, [*range(40)]
    once, twice = kappa(first, second, who), kappa(first * 2, second * 2, who * 2)
    assert twice.high - twice.low == pytest.approx(once.high - once.low, rel=0.01)
    assert math.isnan(kappa([1.0, 1.0], [1.0, 1.0], ["a", "b"]).value)
    assert math.isnan(kappa([], [], []).value)


def test_two_who_agree_throughout_are_not_certain_to_go_on_so() -> None:
    # Wilson of 8 of 8: low = 1 / (1 + 1.96^2 / 8) = 0.6756; half the verdicts are wins, chance 0.5: 0.1756 / 0.5
    found = kappa([1.0, 0.0] * 4, [1.0, 0.0] * 4, range(8))
    assert (found.value, found.low) == (1.0, pytest.approx(0.3512, abs=1e-3))


def test_a_judge_that_takes_what_comes_first() -> None:
    both = [*judged([1.0] * 12), *judged([0.0] * 12, "b_first")]
    found = judge_quality(both, people([1.0, 0.0] * 6))
    assert found.position.first_wins.value == 1.0
    assert found.position.p < 0.01
    assert found.consistency.value == 0.0
    assert found.agreement.value == 0.0  # two orders that contradict each other are a tie, and nobody called one


def test_a_judge_that_takes_what_is_longer() -> None:
    n_words = {(f"t{i}", arm): 10 + 5 * ((arm == "x") == (i < 6)) for i in range(12) for arm in "xy"}
    longer = judged([1.0] * 6 + [0.0] * 6)
    found = judge_quality(longer, people([1.0, 0.0] * 6), n_words=n_words)
    assert found.longer_wins.value == 1.0
    assert found.longer_wins_voters.value == 0.5
    assert found.agreement.value == 0.5
    assert found.kappa.value == pytest.approx(0.0)


def test_people_are_held_against_each_other_too() -> None:
    votes = [*people([1.0, 0.0] * 6), *people([1.0, 0.0] * 6, "q")]
    found = judge_quality(judged([1.0, 0.0] * 6), votes)
    assert found.voters_kappa.value == pytest.approx(1.0)
    assert found.kappa.value == pytest.approx(1.0)
    assert set(found.as_numbers("j")) >= {"judge.j.kappa", "judge.j.first_wins", "judge.j.longer_wins_voters"}


def test_a_vote_told_from_the_other_side_is_the_same_vote() -> None:
    turned = [vote.flipped() for vote in people([1.0, 0.0] * 6)]
    assert judge_quality(judged([1.0, 0.0] * 6), turned).agreement.value == 1.0


def test_unscored_verdicts_are_counted_and_nothing_in_common_is_an_error() -> None:
    found = judge_quality(judged([1.0, NAN, 0.0]), people([1.0, 1.0, 0.0]))
    assert (found.agreement.n, found.agreement.n_unscored) == (2, 1)
    with pytest.raises(ReproError, match="compared nothing in common"):
        judge_quality(judged([1.0]), [Vote("p", "t9", "x", "y", None, None, 1.0)])
