"""Do votes become the win rates that one works out by hand?"""

from __future__ import annotations

import math

import pytest

from repro.errors import ReproError
from repro.evaluation.preference import Utility, Vote, position_check, prefer, votes_from, win_rate, win_rates

NAN = float("nan")


def vote(participant: int, outcome: float, a: str = "userlm", b: str = "initial", **more: object) -> Vote:
    fields = {"seed_a": 0, "seed_b": None, **more}
    return Vote(f"p{participant}", f"t{participant}", a, b, outcome=outcome, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("a", "b", "margin", "outcome"),
    [
        (0.8, 0.5, 0.1, 1.0),
        (0.5, 0.8, 0.1, 0.0),
        (0.8, 0.7, 0.1, 0.5),  # 0.10000000000000009 in floating point: still a tie
        (0.5, 0.5, 0.0, 0.5),
    ],
)
def test_a_difference_within_the_margin_is_a_tie(a: float, b: float, margin: float, outcome: float) -> None:
    assert prefer(a, b, margin) == outcome


def test_an_unscored_utility_makes_an_unscored_vote() -> None:
    assert math.isnan(prefer(NAN, 1.0))
    assert math.isnan(prefer(1.0, NAN, 0.5))


def test_win_rate_counts_a_tie_as_half_and_an_unscored_vote_not_at_all() -> None:
    # 5 wins, 2 ties, 1 loss, 1 unscored: (5 + 1) / 8 = 0.75 with ties half; 5 / 6 without
    (found,) = win_rates([vote(i, x) for i, x in enumerate([1.0] * 5 + [0.5] * 2 + [0.0, NAN])])
    assert (found.pair, found.win_rate.value, found.win_rate.n, found.win_rate.n_unscored) == (
        "userlm_vs_initial",
        0.75,
        8,
        1,
    )
    assert found.win_rate_no_ties.value == pytest.approx(5 / 6)
    assert found.win_rate_no_ties.n == 6
    assert found.n_ties == 2
    # 5 wins, 1 loss: 2 (1 + 6 / 2) / 2^6 = 0.125; the only pair, so Holm changes nothing
    assert found.p == found.p_holm == pytest.approx(0.125)


def test_a_pilot_in_which_everybody_votes_once_each_way_has_results_that_claim_nothing() -> None:
    (found,) = win_rates([vote(i, x, seed_a=None) for i in range(3) for x in (1.0, 0.0)])
    assert (found.win_rate.value, found.win_rate.n_clusters) == (0.5, 3)
    assert found.win_rate.low < 0.25 < 0.75 < found.win_rate.high
    assert found.win_rate_no_ties == found.win_rate
    assert found.p == 1
    assert found.tost_p == pytest.approx(0.9**3)
    assert math.isnan(found.mde)
    assert found.as_numbers()["n_participants.userlm_vs_initial"].unit == "voters"


def test_a_pair_is_named_later_versus_earlier_whichever_way_its_votes_were_cast() -> None:
    votes = [vote(0, 1.0), vote(1, 0.0, a="initial", b="userlm", seed_a=None, seed_b=1)]
    (found,) = win_rates(votes)
    assert (found.pair, found.win_rate.value, found.n_seeds_a, found.n_seeds_b) == ("userlm_vs_initial", 1.0, 2, 0)


def test_a_new_simulators_arm_leads_its_pairs() -> None:
    (found,) = win_rates([vote(0, 0.0, a="oracle", b="mine", seed_b=0)])
    assert (found.pair, found.win_rate.value) == ("mine_vs_oracle", 1.0)


def test_holm_counts_every_pair_reported_together() -> None:
    # 10 wins of 10 in both pairs: p = 1 / 1024 (mid-p); Holm doubles the smaller, and the other may not fall below it
    votes = [vote(i, 1.0, b=b) for b in ("initial", "roleplay") for i in range(10)]
    assert [found.p_holm for found in win_rates(votes)] == pytest.approx([2 / 1024, 2 / 1024])


def test_every_seed_meets_every_other_and_no_arm_meets_itself() -> None:
    met = [("initial", None), ("userlm", 0), ("userlm", 1), ("roleplay", 0)]
    votes = votes_from([Utility("p", "t", arm, seed, place, place) for place, (arm, seed) in enumerate(met, 1)])
    # initial with 3, each userlm with roleplay: 3 + 2
    assert len(votes) == 5
    assert all(v.a != v.b for v in votes)


def test_participants_are_compared_only_with_themselves() -> None:
    utilities = [Utility(p, t, arm, 0, 1.0) for p, t, arm in [("p", "t", "userlm"), ("q", "t", "oracle")]]
    assert votes_from(utilities) == []


def test_position_says_who_was_met_first_and_turns_with_the_vote() -> None:
    (first,) = votes_from([Utility("p", "t", "userlm", 0, 1.0, 2), Utility("p", "t", "initial", None, 0.0, 1)])
    assert (first.a, first.outcome, first.position) == ("userlm", 1.0, "b_first")
    assert (first.flipped().a, first.flipped().outcome, first.flipped().position) == ("initial", 0.0, "a_first")
    assert first.flipped().flipped() == first


def test_position_check_finds_a_preference_for_what_came_first() -> None:
    votes = [vote(i, 1.0, position="a_first") for i in range(10)] + [
        vote(i, 0.0, position="b_first") for i in range(10)
    ]
    biased = position_check([*votes, vote(99, 1.0)])  # the last has no position and is left out
    assert (biased.first_wins.value, biased.first_wins.n) == (1.0, 20)
    assert biased.p == pytest.approx(1 / 1024)
    fair = position_check([vote(i, 1.0, position="a_first" if i % 2 else "b_first") for i in range(10)])
    assert (fair.first_wins.value, fair.p) == (0.5, 1.0)


def test_seeds_that_disagree_widen_the_interval() -> None:
    # The same 40 people: seed 0 wins 30, seed 1 wins 10 of 40. Each seed alone is certain within 0.15 of 0.75 or 0.25.
    votes = [vote(i, float(i < 30), seed_a=0) for i in range(40)] + [
        vote(i, float(i < 10), seed_a=1) for i in range(40)
    ]
    (found,) = win_rates(votes)
    assert found.win_rate.value == 0.5
    assert found.win_rate.low < 0.25
    assert found.win_rate.high > 0.75
    assert (found.n_seeds_a, found.n_seeds_b, found.win_rate.n, found.win_rate.n_clusters) == (2, 0, 80, 40)


def test_seeds_trained_in_fixed_pairs_are_resampled_as_pairs() -> None:
    votes = [vote(i, float(i % 2), b="roleplay", seed_a=s, seed_b=s) for i in range(30) for s in range(3)]
    (found,) = win_rates(votes)
    assert not math.isnan(found.win_rate.low)
    assert found.n_seeds_a == found.n_seeds_b == 3


def test_numbers_carry_the_keys_that_paper_and_claims_read() -> None:
    (found,) = win_rates([vote(i, float(i < 7)) for i in range(10)])
    numbers = found.as_numbers()
    assert numbers["winrate.userlm_vs_initial"] == found.win_rate
    names = "winrate winrate_no_ties p p_holm tost_p tost_bound mde n_participants n_ties n_seeds_a n_seeds_b"
    assert set(numbers) == {f"{name}.userlm_vs_initial" for name in names.split()}
    assert numbers["n_seeds_a.userlm_vs_initial"].value == 1


def test_no_votes_make_no_pairs() -> None:
    assert win_rates([]) == []
    assert math.isnan(position_check([]).p)


def test_pair_with_every_vote_unscored_is_nan_and_spares_the_others() -> None:
    bad, good = win_rates([*[vote(i, 1.0, a="oracle") for i in range(6)], *[vote(i, NAN) for i in range(3)]])
    assert math.isnan(bad.win_rate.value)
    assert math.isnan(bad.p_holm)
    assert bad.win_rate.n_unscored == 3
    assert good.p_holm == pytest.approx(1 / 64)


@pytest.mark.parametrize(("field", "words"), [({"b": "userlm"}, "with itself"), ({"outcome": 0.7}, "not 1, 0.5, 0")])
def test_votes_that_cannot_be_are_refused(field: dict[str, object], words: str) -> None:
    with pytest.raises(ReproError, match=words):
        vote(0, **{"outcome": 1.0, **field})  # type: ignore[arg-type]


def test_win_rate_of_one_pair_counts_votes_cast_either_way_and_leaves_others_out() -> None:
    # userlm wins 2, ties 1, loses 1 (one of them told from the other side): (2 + 1/2) / 4
    votes = [vote(0, 1.0), vote(1, 0.0, a="initial", b="userlm"), vote(2, 0.5), vote(3, 0.0), vote(4, 1.0, a="oracle")]
    found = win_rate(votes, a="userlm", b="initial")
    assert (found.value, found.n, found.n_clusters) == (0.625, 4, 4)
    assert win_rate(votes, a="initial", b="userlm").value == 0.375
    assert math.isnan(win_rate(votes, a="oracle", b="userlm").value)


def test_win_rate_can_count_tasks_or_nothing_as_clusters() -> None:
    votes = [vote(i, float(i % 2)) for i in range(20)] * 2
    people, alone = (win_rate(votes, a="userlm", b="initial", cluster=c) for c in ("participant", None))
    assert people.high - people.low > alone.high - alone.low
    assert win_rate(votes, a="userlm", b="initial", cluster="task").n_clusters == 20
