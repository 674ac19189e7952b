"""Is a gain by mixing, a difference of facets, a family of simulators found where it was planted, and only there?"""

from __future__ import annotations

import numpy as np
import pytest

from repro.errors import ReproError
from repro.evaluation.gap import behavioral_gaps, facet_spread, likeness, mixture_gain
from repro.evaluation.gap.conversations import Conversation
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
    found = gaps(people(0, EVEN), one=people(1, FIRST), two=people(2, SECOND))
    gain = mixture_gain(found, n_splits=10, n_boot=50)
    assert 0.1 < gain.low < gain.value < gain.high
    assert (gain.n_clusters, gain.unit) == (80, "nats")


def test_a_simulator_that_is_right_gains_nothing_from_others():
    gains = [
        mixture_gain(
            gaps(people(i, EVEN), right=people(i + 50, EVEN), wrong=people(i + 90, AWAY)), n_splits=5, n_boot=50
        )
        for i in range(5)
    ]
    assert all(gain.low <= 0.005 for gain in gains)
    assert abs(np.mean([gain.value for gain in gains])) < 0.01


def test_simulators_may_be_nearer_to_each_other_than_to_users():
    alike = likeness(gaps(people(0, EVEN), one=people(1, AWAY), two=people(2, FURTHER)), n_boot=50)
    assert alike.low > 0.3
    apart = likeness(gaps(people(0, EVEN), one=people(1, EVEN), two=people(2, AWAY)), n_boot=50)
    assert apart.value < 0


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


def test_halves_of_too_few_users_are_an_error():
    with pytest.raises(ReproError, match="halves of 3 users are too small"):
        likeness(gaps(people(0, EVEN, n=3), one=people(1, EVEN, n=8), two=people(2, EVEN, n=8)))
    with pytest.raises(ReproError, match="give two or more"):
        likeness(gaps(people(0, EVEN), one=people(1, EVEN)))
