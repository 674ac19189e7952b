"""Is a gap found in the part where it is, and are kinds of users told apart where they differ?"""

from __future__ import annotations

import numpy as np
import pytest

from repro.errors import ReproError
from repro.evaluation.gap import behavioral_gaps, between, part, places
from repro.evaluation.gap.conversations import Conversation
from repro.types import Turn

TERSE, FULL = "note pls", "Please write a note for my aunt. She is 80 on Monday."


def people(seed: int, here: str, there: str, n: int = 40) -> list[Conversation]:
    """Half of them write about work and say `here`, half about home and say `there`; one in four says the other."""
    draws = np.random.default_rng(seed)
    out = []
    for i in range(n):
        domain, usual, other = ("work", here, there) if i % 2 else ("home", there, here)
        said = usual if draws.random() < 0.75 else other
        out.append(Conversation(f"u{i}", f"u{i}", (Turn("user", said),), domain))
    return out


def gaps():
    how = {"encoder": "features", "k": 2, "n_permutations": 19}
    return behavioral_gaps(people(0, FULL, FULL), {"sim": people(1, TERSE, FULL)}, **how)


def test_a_gap_is_in_the_part_where_it_is():
    found = gaps()
    work, home = (part(found, "sim", lambda one, d=d: one.domain == d, n_permutations=199) for d in ("work", "home"))
    assert work.p < 0.01 < home.p
    assert work.js.low > home.js.value
    assert work.js.n == home.js.n == 40


def test_kinds_of_users_are_told_apart_where_they_differ():
    sides = {"sim": people(5, TERSE, FULL)}
    found = behavioral_gaps(people(3, TERSE, FULL, n=60), sides, encoder="features", k=2, n_permutations=19)
    known = between(found, lambda one: one.domain == "work", n_permutations=199)
    other = between(found, lambda one: int(one.user[1:]) % 4 < 2, n_permutations=199)
    assert known.p < 0.01 < other.p
    few = between(found, lambda one: one.user in {"u0", "u1", "u2"}, n_permutations=19)
    assert few.js.n == 6  # three of either kind


def test_a_part_with_nobody_in_it_is_an_error():
    with pytest.raises(ReproError, match="no conversation of 'real' is in this part"):
        part(gaps(), "sim", lambda one: False)
    with pytest.raises(ReproError, match="no simulator 'nobody' in these gaps; have sim"):
        part(gaps(), "nobody", lambda one: True)


def test_every_conversation_has_a_place():
    found = gaps()
    points = places(found)
    assert list(points.columns) == ["side", "x", "y"]
    assert points.side.value_counts().to_dict() == {"real": 40, "sim": 40}
    assert points.groupby("side").x.mean()["real"] != pytest.approx(points.groupby("side").x.mean()["sim"], abs=0.05)
    with pytest.raises(ReproError, match="no map by 'hand'; have pca, umap"):
        places(found, method="hand")


def test_umap_is_an_extra(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ReproError, match=r"umap is not installed; pip install -e '.\[gap\]'"):
        places(gaps(), method="umap")
