"""Is a gain by mixing, a difference of facets, a family of simulators found where it was planted, and only there?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from repro.errors import ReproError
from repro.evaluation.gap import Side, behavioral_gaps, facet_spread, likeness, mixture_gain
from repro.evaluation.gap.conversations import Conversation
from repro.evaluation.gap.together import _interval, gain_of_sides
from repro.types import Turn

KINDS = ("I need a note.", "Please write a note. It is for my aunt.", "What is a note?", "thanks, bye")


def people(seed: int, shares, n: int = 80, prefix: str = "u") -> list[Conversation]:
    drawn = np.random.default_rng(seed).choice(len(KINDS), n, p=shares)
    return [Conversation(f"{prefix}{i}", f"{prefix}{i}", (Turn("user", KINDS[kind]),)) for i, kind in enumerate(drawn)]


def gaps(real, **sides):
    return behavioral_gaps(real, sides, encoder="features", k=4, n_permutations=49)


EVEN, FIRST, SECOND = (0.5, 0.5, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0)
AWAY, FURTHER = (0, 0, 0.5, 0.5), (0, 0, 0.4, 0.6)


def test_two_halves_of_what_users_do_make_up_a_mixture():
    found = mixture_gain(gaps(people(0, EVEN), one=people(1, FIRST), two=people(2, SECOND)), n_splits=10, n_boot=30)
    assert 0.1 < found.gain.low < found.gain.value < found.gain.high
    assert (found.gain.n_clusters, found.gain.unit) == (80, "nats")
    assert found.largest.value == pytest.approx(0.5, abs=0.1)  # either has half of it
    assert found.nearest.low > 0.1


def test_a_simulator_that_is_right_gains_nothing_from_others():
    found = [
        mixture_gain(
            gaps(people(i, EVEN), right=people(i + 50, EVEN), wrong=people(i + 90, AWAY)), n_splits=3, n_boot=20
        )
        for i in range(3)
    ]
    assert all(one.gain.low <= 0.005 for one in found)
    assert abs(np.mean([one.gain.value for one in found])) < 0.01
    assert all(one.largest.value > 0.95 for one in found)  # so that there was nothing to gain
    assert abs(np.mean([one.nearest.value for one in found])) < 0.01
    assert {*found[0].as_numbers("mixture")} == {
        f"{key}.mixture.gain" for key in ("gap", "largest_weight", "room")
    }  # fmt: skip


@pytest.mark.parametrize("away", [0.0, 1.0], ids=["like users", "like each other"])
def test_like_simulators_gain_nothing_however_few_conversations_there_are(away):
    """A mixture rests on more conversations than one of them. Plain divergences show a gain of 0.02 here."""
    k, n = 30, 200
    here, there = np.random.default_rng(0).dirichlet(np.full(k, 2.0), size=2)
    shares = [here, *[(1 - away) * here + away * there] * 3]
    gains = []
    for i in range(25):
        draws = np.random.default_rng(i)
        sides = {
            name: Side(draws.choice(k, n, p=one), range(n)) for name, one in zip(("real", *"abc"), shares, strict=True)
        }
        gains.append(gain_of_sides(sides, k=k, n_splits=3, n_boot=2).gain.value)
    assert abs(np.mean(gains)) < 0.005


def test_how_halves_fall_is_no_part_of_what_users_differ_by():
    draws = np.random.default_rng(0)
    of_users, of_halves = draws.normal(0, 0.1, size=(2000, 1)), draws.normal(0, 0.15, size=(2000, 2))
    low, high = _interval(np.full(50, 0.7), of_users + of_halves)
    assert (low, high) == pytest.approx((0.7 - 0.196, 0.7 + 0.196), abs=0.03)  # 1.96 of 0.1; with halves: 0.29
    low, high = _interval(draws.normal(0, 0.15, size=900), of_halves)
    assert high - low < 0.2  # of a replicate's two halves alone: 2 * 1.96 * 0.15 / sqrt(2) = 0.42


def test_simulators_may_be_nearer_to_each_other_than_to_users():
    alike = likeness(gaps(people(0, EVEN), one=people(1, AWAY), two=people(2, FURTHER)), n_boot=50)
    assert alike.low > 0.3
    apart = likeness(gaps(people(0, EVEN), one=people(1, EVEN), two=people(2, AWAY)), n_boot=50)
    assert apart.value < 0


def test_copies_of_one_simulator_make_simulators_look_alike():
    """Two are as far from each other as from users; with two more copies of one, half of the pairs are alike."""
    sides = {"one": people(1, AWAY), "copy": people(2, AWAY), "another": people(3, AWAY), "other": people(4, FIRST)}
    found = gaps(people(0, SECOND), **sides)
    assert likeness(found, n_boot=20).value > 0.25  # ln 2 from users, 0 or ln 2 from each other: ln 2 / 2
    few = likeness(found, ["one", "other"], n_boot=20)
    assert few.low < 0.1
    assert few.value == pytest.approx(0, abs=0.05)
    assert few.n == 240
    with pytest.raises(ReproError, match="no simulator 'nobody' in these gaps; have one, copy, another, other"):
        likeness(found, ["one", "nobody"])
    with pytest.raises(ReproError, match="give two or more"):
        likeness(found, ["one", "one"])


def test_a_facet_may_differ_where_another_does_not():
    """Who writes without capitals asks for the same things, in another style."""
    neat, quick = people(0, EVEN), people(1, EVEN)
    quick = [Conversation(c.id, c.user, (Turn("user", c.turns[0].text.lower().rstrip(".")),)) for c in quick]
    how = {"encoder": "features", "k": 3, "n_permutations": 49}
    by_facet = {f: behavioral_gaps(neat, {"quick": quick}, representation=f, **how) for f in ("requests", "style")}
    found = facet_spread(by_facet, "quick", n_splits=10, n_boot=50)
    assert found.low > 0
    with pytest.raises(ReproError, match="two facets or more, each with the gap of 'nobody'"):
        facet_spread(by_facet, "nobody")


def test_users_who_had_no_part_in_one_facet_are_left_out_of_that_one():
    real, sim = people(0, EVEN), people(1, AWAY)
    how = {"encoder": "features", "k": 3, "n_permutations": 19}
    by_facet = {
        "requests": behavioral_gaps(real, {"sim": sim}, representation="requests", **how),
        "style": behavioral_gaps(real[:50], {"sim": sim[10:]}, representation="style", **how),
    }
    assert np.isfinite(facet_spread(by_facet, "sim", n_splits=5, n_boot=10).value)


def test_dialogues_that_failed_are_counted_in_all_that_is_said_of_simulators_together():
    one, two = people(1, EVEN, n=20), people(2, AWAY, n=20)
    one[0] = replace(one[0], error="broke")
    found = gaps(people(0, EVEN, n=20), one=one, two=two)
    for number in (mixture_gain(found, n_splits=2, n_boot=2).gain, likeness(found, n_boot=2)):
        assert (number.n, number.n_unscored) == (59, 1)


def test_halves_of_too_few_users_are_an_error():
    with pytest.raises(ReproError, match=r"halves of 3 users \(real\) are too small; give 4 users or more"):
        likeness(gaps(people(0, EVEN, n=3), one=people(1, EVEN, n=8), two=people(2, EVEN, n=8)))
    with pytest.raises(ReproError, match="give two or more"):
        likeness(gaps(people(0, EVEN), one=people(1, EVEN)))
