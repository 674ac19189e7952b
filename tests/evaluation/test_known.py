"""Is every kind of reference user frequent enough to be compared with the others, and a trait of the user alone?"""

from __future__ import annotations

import pytest

from repro.evaluation.known import KINDS, is_of


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_neither_nobody_nor_everybody(kind):
    share = sum(is_of(kind, f"user-{i}") for i in range(500)) / 500
    assert 0.08 < share < 0.92
    assert is_of(kind, "user-1") == is_of(kind, "user-1")
