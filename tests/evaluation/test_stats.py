"""Are the intervals as wide as they should be, and the tests exact?"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.evaluation.stats import (
    DIFFERENCE,
    cluster_bootstrap,
    cluster_means,
    estimate,
    holm,
    minimum_detectable_effect,
    ratio,
    resampled_means,
    sign_test,
    tost,
    tost_proportion,
)

NAN = float("nan")


def planted(seed: int, n_people: int, n_seeds: int, sd_person: float, sd_seed: float) -> tuple[np.ndarray, dict]:
    """Values with a true mean of 1: person effect + seed effect + noise of sd 1, every person with every seed."""
    random = np.random.default_rng(seed)
    people, seeds = np.repeat(np.arange(n_people), n_seeds), np.tile(np.arange(n_seeds), n_people)
    effects = sd_person * random.normal(size=n_people)[people] + sd_seed * random.normal(size=n_seeds)[seeds]
    return 1 + effects + random.normal(size=people.size), {"person": people.tolist(), "seed": seeds.tolist()}


def coverage(n_seeds: int, sd_seed: float, one_way: bool = False) -> float:
    hits = 0
    for replicate in range(200):
        values, clusters = planted(replicate, 40, n_seeds, 1.0, sd_seed)
        found = estimate(values, clusters["person"] if one_way else clusters, n_boot=300, seed=replicate)
        hits += found.low <= 1 <= found.high
    return hits / 200


def test_interval_over_people_covers_the_truth_as_often_as_it_says() -> None:
    assert 0.90 <= coverage(4, 0.0, one_way=True) <= 0.99


@pytest.mark.parametrize("n_seeds", [2, 3, 8])
def test_interval_over_people_and_seeds_covers_the_truth_where_seeds_matter(n_seeds: int) -> None:
    assert 0.91 <= coverage(n_seeds, 0.5) <= 0.99  # 200 studies: 0.95 -+ 0.03; two seeds: a little more


def test_interval_over_people_and_seeds_is_never_too_narrow_where_seeds_do_not_matter() -> None:
    assert coverage(3, 0.0) >= 0.93


def test_interval_that_forgets_the_seeds_does_not_cover() -> None:
    assert coverage(8, 0.5, one_way=True) < 0.80


def test_clustered_interval_is_wider_than_one_that_takes_repeated_votes_for_independent() -> None:
    # Ten copies of each of 40 values: the naive interval is sqrt(10) = 3.2 times too narrow.
    values = np.repeat(np.random.default_rng(0).normal(size=40), 10)
    naive, clustered = estimate(values), estimate(values, np.repeat(np.arange(40), 10).tolist())
    times = (clustered.high - clustered.low) / (naive.high - naive.low)
    assert times == pytest.approx(math.sqrt(10), rel=0.1)


def test_bootstrap_variance_is_that_of_a_mean_for_few_clusters_too() -> None:
    # Clusters at 0, 0, 1, 3: mean 1, s^2 = (1 + 1 + 0 + 4) / 3 = 2, variance of the mean 2 / 4 = 0.5.
    replicates = resampled_means([0.0, 0.0, 1.0, 3.0], n_boot=40_000)
    assert replicates.var() == pytest.approx(0.5, rel=0.03)


def test_with_two_clusters_each_replicate_sees_one_of_them() -> None:
    assert set(resampled_means([0.2, 0.2, 0.8], ["a", "a", "b"], n_boot=100).round(6)) == {0.2, 0.8}


def test_blocks_of_replicates_do_not_change_them(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=30)
    whole = resampled_means(values, n_boot=50)
    monkeypatch.setattr("repro.evaluation.resampling.BLOCK", 200)
    assert np.allclose(resampled_means(values, n_boot=50), whole)


def test_single_proportion_has_wilsons_interval() -> None:
    # 8 of 10: (0.8 + 0.19207 -+ 1.95996 sqrt(0.016 + 0.0096036)) / 1.384146 = 0.4902, 0.9433
    found = estimate([1.0] * 8 + [0.0] * 2)
    assert (found.value, found.n, found.n_clusters) == (0.8, 10, None)
    assert (found.low, found.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))


def test_unanimous_clusters_still_leave_doubt() -> None:
    # Wilson with 4 of 4 people: low = (1 + 0.48018 - 1.95996 sqrt(0.060023)) / 1.960365 = 0.5101
    found = estimate([1.0] * 8, ["a", "a", "b", "b", "c", "c", "d", "d"])
    assert (found.low, found.high, found.n_clusters) == (pytest.approx(0.5101, abs=1e-4), 1.0, 4)


def test_a_pilot_of_three_who_vote_one_each_way_is_not_certain() -> None:
    # Alike, though their votes are not: q = 3.8415 / (3 + 3.8415) = 0.5615, half of it on either side of one half
    votes, people = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0], list("aabbcc")
    found = estimate(votes, people)
    assert (found.low, found.high) == pytest.approx((0.5 - 0.2808, 0.5 + 0.2808), abs=1e-4)
    assert math.isnan(minimum_detectable_effect(votes, people))
    assert tost(votes, people) == pytest.approx(0.9**3)


def test_people_and_seeds_that_are_all_alike_are_not_certain_either() -> None:
    # Each of 20 people likes one of two seeds; their means and the seeds' are one half
    votes, people, seeds = [1.0, 0.0, 0.0, 1.0] * 10, [p for p in range(20) for _ in "ab"], [0, 1] * 20
    clusters = {"participant": people, "seed": seeds}
    found = estimate(votes, clusters)
    assert (found.low, found.high) == pytest.approx((0.5 - 0.0806, 0.5 + 0.0806), abs=1e-4)  # q = 3.8415 / 23.8415
    assert math.isnan(minimum_detectable_effect(votes, clusters))
    assert tost(votes, clusters) == pytest.approx(0.9**20)


def test_ties_throughout_have_the_interval_that_their_equivalence_test_has() -> None:
    for n in (28, 29):  # 0.9^28 = 0.052, 0.9^29 = 0.047
        found = tost_proportion([0.5] * n)
        assert (found.p < 0.05) == (found.low > 0.45 and found.high < 0.55) == (n == 29)
        assert found.low < 0.5 < found.high


def test_counts_that_are_all_one_are_no_proportion() -> None:
    found = estimate([1.0] * 50, range(50), within=None)
    assert found.value == 1
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert str(found) == "1.00 (no interval), n=50"
    assert str(estimate([])) == "nan [nan, nan], n=0"


def test_differences_that_are_all_zero_may_be_negative() -> None:
    found = estimate([0.0] * 50, range(50), within=DIFFERENCE)
    assert -found.low == found.high == pytest.approx(0.0713, abs=1e-4)  # 3.8415 / 53.8415


@pytest.mark.parametrize("loss", [0.0, 0.5, 1.0])
def test_a_ratio_that_is_the_same_throughout_is_as_uncertain_as_its_clusters_are_few(loss: float) -> None:
    below = [1.0, 0.0, 2.0, 1.0, 4.0]  # four that tell: q = 3.8415 / 7.8415 = 0.4899
    share = ratio([loss * b for b in below], below)
    either = ratio([loss * b for b in below], below, within=DIFFERENCE)
    assert (share.low, share.high) == pytest.approx((loss - 0.4899 * loss, loss + 0.4899 * (1 - loss)), abs=1e-4)
    assert (either.low, either.high) == pytest.approx((loss - 0.4899 * (1 + loss), share.high), abs=1e-4)
    assert math.isnan(ratio([loss * b for b in below], below, within=None).low)


def test_a_ratio_that_one_cluster_alone_tells_has_no_interval() -> None:
    found = ratio([1.0, 0.0, 0.0], [2.0, 3.0, 0.0], ["a", "a", "b"])
    assert found.value == pytest.approx(0.2)
    assert math.isnan(found.low)


def test_unscored_values_are_counted_and_left_out() -> None:
    found = estimate([1.0, NAN, 0.0, NAN], ["a", "a", "b", "c"])
    assert (found.value, found.n, found.n_unscored, found.n_clusters) == (0.5, 2, 2, 2)


@pytest.mark.parametrize("values", [[], [NAN, NAN]])
def test_nothing_scored_is_nan_and_not_zero(values: list[float]) -> None:
    found = estimate(values)
    assert math.isnan(found.value)
    assert math.isnan(found.low)
    assert (found.n, found.n_unscored) == (0, len(values))


def test_one_cluster_alone_has_no_interval() -> None:
    found = estimate([0.2, 0.4], ["a", "a"])
    assert found.value == pytest.approx(0.3)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_single_training_seed_leaves_the_interval_to_the_people() -> None:
    values = np.random.default_rng(0).normal(size=20)
    people = list(range(20))
    assert estimate(values, {"person": people, "seed": [0] * 20}) == estimate(values, people)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 6)), min_size=2, max_size=30), st.integers(0, 5))
def test_unscored_values_and_names_of_clusters_do_not_move_an_interval(rows: list[tuple[float, int]], k: int) -> None:
    values, people = [value for value, _ in rows], [person for _, person in rows]
    plain = estimate(values, people, n_boot=50)
    renamed = estimate([*values, *[NAN] * k], [f"user {p}" for p in [*people, *people[:1] * k]], n_boot=50)
    assert renamed.n_unscored == k
    assert np.allclose([plain.value, plain.low, plain.high], [renamed.value, renamed.low, renamed.high], equal_nan=True)


def test_labels_that_do_not_fit_the_values_are_refused() -> None:
    with pytest.raises(ValueError, match="one label per value"):
        estimate([1.0, 2.0], ["a"])


def test_holm_steps_down_and_skips_what_is_missing() -> None:
    # 0.01 * 3 = 0.03; 0.03 * 2 = 0.06; 0.04 * 1 = 0.04, raised to 0.06
    assert holm([0.01, 0.04, NAN, 0.03]) == pytest.approx([0.03, 0.06, NAN, 0.06], nan_ok=True)


def test_sign_test_is_exact_and_drops_ties() -> None:
    # 7 wins, 1 loss, 1 tie: p = 2 (1 + 8 / 2) / 2^8 = 0.0390625
    outcomes = [1.0] * 7 + [0.0, 0.5]
    assert sign_test(outcomes, range(9)) == pytest.approx(0.0390625)


def test_sign_test_gives_each_participant_one_vote() -> None:
    # Averages over seeds: a 1, b (1 + 0) / 2 a tie, c (1 + 0.5) / 2 a win; d unscored: 2 wins of 2, p = 2 (1/2) / 4
    outcomes, people = [1.0, 1.0, 1.0, 0.0, 1.0, 0.5, NAN], ["a", "a", "b", "b", "c", "c", "d"]
    assert list(cluster_means(outcomes, people)) == [1.0, 0.5, 0.75]
    assert sign_test(outcomes, people) == pytest.approx(0.25)


def test_sign_test_of_ties_only_is_one_and_of_nothing_is_nan() -> None:
    assert sign_test([0.5, 0.5], ["a", "b"]) == 1.0
    assert math.isnan(sign_test([NAN], ["a"]))


def test_tost_agrees_with_pingouin_where_people_are_the_only_cluster() -> None:
    import pingouin

    values = np.random.default_rng(0).choice([0.0, 0.5, 1.0], 283, p=[0.2, 0.6, 0.2])
    theirs = float(pingouin.tost(values, 0.5, bound=0.05)["pval"].iloc[0])
    assert tost(values, bound=0.05, n_boot=20_000) == pytest.approx(theirs, rel=0.1)


def test_tost_of_ties_only_asks_how_many_people_tied() -> None:
    # 10 people: 0.9^10 = 0.349, no proof of equivalence; 100 people: 0.9^100 = 2.7e-5
    assert tost([0.5] * 10) == pytest.approx(0.9**10)
    assert tost([0.5] * 100) == pytest.approx(0.9**100)
    assert tost([1.0] * 100) == 1.0
    assert math.isnan(tost([0.5]))


def test_tost_does_not_call_assistants_equal_when_seeds_disagree() -> None:
    # 200 people, seed 0 wins by 0.3, seed 1 loses by as much: the mean is 0.5, but retraining could give 0.2 or 0.8.
    values, people, seeds = [0.8] * 200 + [0.2] * 200, [*range(200)] * 2, [0] * 200 + [1] * 200
    assert tost(values, {"person": people, "seed": seeds}) > 0.3


def test_minimum_detectable_effect_is_that_of_a_t_test() -> None:
    # 283 people, half at 0 and half at 1: se = 0.5 / sqrt(282) = 0.02977; times (1.968 + 0.843) = 0.0837
    found = minimum_detectable_effect([0.0, 1.0] * 141 + [0.0], n_boot=20_000)
    assert found == pytest.approx(0.0837, rel=0.02)
    assert math.isnan(minimum_detectable_effect([0.5] * 50))


def test_cluster_bootstrap_of_the_mean_is_the_estimate_and_takes_other_statistics() -> None:
    values = np.random.default_rng(0).normal(size=60)
    people = np.repeat(np.arange(20), 3).tolist()
    assert cluster_bootstrap(values, people) == estimate(values, people)

    def mean(x: np.ndarray, weights: np.ndarray) -> float:
        return float((weights * x).sum() / weights.sum())

    found, plain = cluster_bootstrap(values, people, statistic=mean), estimate(values, people)
    assert (found.value, found.n, found.n_clusters) == (pytest.approx(plain.value), 60, 20)
    assert (found.low, found.high) == (pytest.approx(plain.low, abs=0.02), pytest.approx(plain.high, abs=0.02))
    assert math.isnan(cluster_bootstrap(values, people, statistic=lambda x, weights: 1.0).low)


def test_few_clusters_widen_an_interval_as_students_t_does() -> None:
    # 8 people: half-width t(.975, 7) s / sqrt(8) = 2.365 s / sqrt(8), up to the bootstrap's own shape
    values = np.random.default_rng(1).normal(size=8)
    found = estimate(values, list(range(8)), n_boot=20_000)
    exact = 2 * 2.3646 * values.std(ddof=1) / math.sqrt(8)
    assert found.high - found.low == pytest.approx(exact, rel=0.12)


def test_the_interval_of_an_equivalence_test_lies_inside_the_bounds_exactly_when_p_is_small() -> None:
    for p_win in (0.5, 0.52, 0.54, 0.58):
        values = np.random.default_rng(3).choice([0.0, 0.5, 1.0], 900, p=[0.8 - p_win + 0.1, 0.2, p_win - 0.1])
        found = tost_proportion(values, bound=0.05)
        assert (found.p < 0.05) == (found.low > 0.45 and found.high < 0.55)
        assert found.p == tost(values, bound=0.05)
