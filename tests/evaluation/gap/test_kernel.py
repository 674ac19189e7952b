"""Does the kernel test find what was planted, and nothing where nothing was?"""

from __future__ import annotations

import numpy as np
import pytest

from repro.errors import ReproError
from repro.evaluation.gap import behavioral_gaps, kernel, kernel_check
from repro.evaluation.gap.conversations import Conversation
from repro.types import Turn


class Written:
    """An encoder that reads the vector out of the text."""

    name = "written"

    def encode(self, texts):
        return np.array([[float(x) for x in text.split()] for text in texts], dtype=np.float32)


def people(seed: int, shift: float, n: int = 40, prefix: str = "u", each: int = 1) -> list[Conversation]:
    draws = np.random.default_rng(seed)
    out = []
    for i in range(n):
        place = draws.normal(size=3) + shift
        for j in range(each):
            words = " ".join(f"{x:.4f}" for x in place + 0.1 * draws.normal(size=3))
            out.append(Conversation(f"{prefix}{i}-{j}", f"{prefix}{i}", (Turn("user", words),)))
    return out


def gaps(seed: int, shift: float, **sim):
    how = {"representation": "utterances", "encoder": Written(), "k": 2, "n_permutations": 9}
    return behavioral_gaps(people(seed, 0.0), {"sim": people(seed + 500, shift, **sim)}, **how)


@pytest.mark.parametrize("prefix", ["u", "s"])  # the same users, or others
def test_a_shift_is_found_and_no_shift_is_not(prefix):
    far = kernel_check(gaps(0, 1.5, prefix=prefix), "sim", n_permutations=99)
    assert far.p == pytest.approx(0.01)
    assert (far.mmd2 > 0.05, far.n) == (True, 80)
    p = [kernel_check(gaps(i, 0.0, prefix=prefix), "sim", n_permutations=99).p for i in range(20)]
    assert 0.25 < np.mean(p) < 0.75
    assert np.mean(np.array(p) <= 0.05) <= 0.2


def test_conversations_of_one_user_are_no_evidence_of_their_own():
    sides = [people(i, 0.0, n=10, prefix=prefix, each=8) for i, prefix in enumerate("us")]
    how = {"representation": "utterances", "encoder": Written(), "k": 2, "n_permutations": 9}
    found = kernel_check(behavioral_gaps(sides[0], {"sim": sides[1]}, **how), "sim", n_permutations=199)
    assert found.p > 0.02  # by conversation it would be below 0.005: eight of a user lie on one spot


def test_a_few_users_on_one_side_only_leave_the_others_paired():
    real, sim = people(0, 0.0), people(500, 0.0)
    how = {"representation": "utterances", "encoder": Written(), "k": 2, "n_permutations": 9}
    found = kernel_check(behavioral_gaps(real[1:], {"sim": sim[:-2]}, **how), "sim", n_permutations=99)
    both = kernel_check(behavioral_gaps(real[1:-2], {"sim": sim[1:-2]}, **how), "sim", n_permutations=99)
    assert (found.paired, found.n_unpaired, found.n) == (True, 3, 74)
    assert (found.p, found.mmd2) == pytest.approx((both.p, both.mmd2))
    assert not kernel_check(gaps(0, 0.0, prefix="s"), "sim", n_permutations=9).paired


def test_of_many_conversations_those_of_the_same_users_are_taken(monkeypatch):
    monkeypatch.setattr(kernel, "MOST", 20)
    sides = people(0, 0.0)[2:], {"sim": people(500, 0.0)[1:]}
    how = {"representation": "utterances", "encoder": Written(), "k": 2, "n_permutations": 9}
    found = kernel_check(behavioral_gaps(*sides, **how), "sim", n_permutations=9)
    assert found.paired
    assert found.n >= 38


def test_many_conversations_are_a_part_of_them(monkeypatch):
    monkeypatch.setattr(kernel, "MOST", 20)
    assert kernel_check(gaps(0, 1.5), "sim", n_permutations=99).n == 40


def test_a_mistake_gets_one_sentence():
    with pytest.raises(ReproError, match="no simulator 'nobody' in these gaps; have sim"):
        kernel_check(gaps(0, 0.0), "nobody")
    with pytest.raises(ReproError, match="2 users or more on each side"):
        kernel_check(gaps(0, 0.0, n=1), "sim")
