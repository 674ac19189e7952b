"""Are tokens added up, and is a cost only said where a price is known?"""

from __future__ import annotations

import math

import pytest

from repro.errors import ReproError
from repro.models.base import Sampling
from repro.models.served import ServedModel
from repro.models.usage import Price, Usage, guessed_tokens
from repro.types import Turn

from ..endpoint import serving


def test_a_million_tokens_cost_their_price():
    # 2 million in at 0.15, half a million out at 0.60: 0.30 + 0.30
    assert Usage(3, 2_000_000, 500_000).cost(Price.parse("0.15,0.60")) == pytest.approx(0.6)
    assert math.isnan(Usage(1, 1, 1).cost(None))
    assert Usage(3, 20, 10) - Usage(1, 5, 4) == Usage(2, 15, 6)
    assert [guessed_tokens(text) for text in ("", "abcd", "abcde")] == [0, 1, 2]


@pytest.mark.parametrize("text", ["1", "a,b", "1,-2", "1,2,3"])
def test_a_price_is_two_numbers(text):
    with pytest.raises(ReproError, match="dollars per million tokens IN,OUT"):
        Price.parse(text)


def test_an_endpoint_counts_what_it_says_it_used_held_to_a_schema_or_not():
    with serving() as server:
        model = ServedModel(server.url, "m")
        contexts = [[Turn("system", "s"), Turn("user", "u")]] * 3
        model.held_to({"type": "object"}).generate(contexts, sampling=Sampling(), seeds=[1, 2, 3])
        assert model.meter.total == Usage(3, 21, 6)
