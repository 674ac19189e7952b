"""Are tokens drawn with the probabilities they should have, each row by its own seed?"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import ReproError
from repro.models.base import Sampling
from repro.models.sampling import sample, uniforms

torch = pytest.importorskip("torch")
P = [0.15, 0.5, 0.05, 0.3]  # tokens 0 to 3
N = 1000


def shares(sampling, p=P, banned=()):
    """How often each token comes when u runs evenly over [0, 1): exact to one part in N."""
    logits = torch.tensor(p).log().expand(N, -1)
    tokens, _ = sample(logits, (torch.arange(N) + 0.5) / N, sampling, banned)
    return (torch.bincount(tokens, minlength=len(p)) / N).tolist()


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Sampling(), P),
        # squares .0225 .25 .0025 .09, their sum .365
        (Sampling(temperature=0.5), [0.0616, 0.6849, 0.0068, 0.2466]),
        # at least .2 * .5 = .1: token 2 goes, the others are divided by .95
        (Sampling(min_p=0.2), [0.1579, 0.5263, 0, 0.3158]),
        # .5 and .3 reach .7; divided by .8
        (Sampling(top_p=0.7), [0, 0.625, 0, 0.375]),
        # .5 + .3 = .80 is below .82, so .15 is still in; divided by .95
        (Sampling(top_p=0.82), [0.1579, 0.5263, 0, 0.3158]),
        # min_p first: of the rest, .5263 + .3158 = .842 is above .82, so .15 is out
        (Sampling(min_p=0.2, top_p=0.82), [0, 0.625, 0, 0.375]),
        # cuts see the tempered distribution: squares / .25 = .09 1 .01 .36, so .1 leaves .25 and .09, their sum .34
        (Sampling(temperature=0.5, min_p=0.1), [0, 0.7353, 0, 0.2647]),
        (Sampling(top_p=1e-6), [0, 1, 0, 0]),
        (Sampling(temperature=0), [0, 1, 0, 0]),
    ],
    ids=str,
)
def test_cuts_leave_the_hand_worked_distribution(sampling, expected):
    assert shares(sampling) == pytest.approx(expected, abs=1.5 / N)


def test_drawn_frequencies_are_the_probabilities():
    u = uniforms(range(4000), 1)[:, 0]
    tokens, _ = sample(torch.tensor(P).log().expand(4000, -1), u, Sampling())
    counts = torch.bincount(tokens, minlength=4).double().numpy()
    expected = 4000 * np.array(P)
    assert ((counts - expected) ** 2 / expected).sum() < 16.3  # chi-squared, 3 degrees of freedom, p = 0.001


def test_banned_tokens_are_never_drawn_and_cuts_do_not_see_them():
    # without token 1: .15 .05 .3 of .5; min_p .2 of .3 is .06, so token 2 goes too: .15 and .3 of .45
    assert shares(Sampling(min_p=0.2), banned=[1]) == pytest.approx([1 / 3, 0, 0, 2 / 3], abs=1.5 / N)
    assert shares(Sampling(temperature=0), banned=[1]) == [0, 0, 0, 1]
    assert shares(Sampling(temperature=0.5), banned=[1, 3]) == pytest.approx([0.9, 0, 0.1, 0], abs=1.5 / N)


@pytest.mark.parametrize(
    "sampling", [Sampling(temperature=0), Sampling(temperature=0.5, top_p=0.6, min_p=0.1), Sampling()]
)
def test_logps_are_the_models_own_before_temperature_cuts_and_bans(sampling):
    tokens, logps = sample(torch.tensor([P]).log(), torch.tensor([0.1]), sampling, banned=[1])
    assert logps.item() == pytest.approx(math.log(P[tokens.item()]), abs=1e-6)


def test_logits_are_left_as_they_were():
    logits = torch.tensor([P]).log()
    before = logits.clone()
    for temperature in (0, 0.5, 1):
        sample(logits, torch.tensor([0.1]), Sampling(temperature=temperature), banned=[1])
    assert torch.equal(logits, before)


@given(st.integers(0, 2**32), st.sampled_from([3, 255, 256, 257, 700]), st.floats(0, 1, exclude_max=True, width=32))
def test_the_search_by_blocks_finds_what_a_plain_search_finds(seed, n_tokens, u):
    weights = np.random.default_rng(seed).gamma(0.1, size=n_tokens) + 1e-9
    tokens, _ = sample(torch.tensor(weights).log()[None], torch.tensor([u]), Sampling())
    cumulative = np.cumsum(weights / weights.sum())
    below = cumulative[tokens.item() - 1] if tokens.item() else 0.0
    assert below - 1e-6 <= u <= cumulative[tokens.item()] + 1e-6  # float32 probabilities


@pytest.mark.parametrize("u", [0.0, 0.5, 1 - 2**-24])
def test_tokens_without_weight_are_never_drawn(u):
    logits = torch.full((1, 600), -torch.inf)
    logits[0, [300, 555]] = 0.0
    tokens, logps = sample(logits, torch.tensor([u]), Sampling())
    assert tokens.item() == (300 if u < 0.5 else 555)
    assert logps.item() == pytest.approx(math.log(0.5))


def test_a_rows_numbers_depend_on_its_seed_alone_and_go_on_where_they_stopped():
    assert torch.equal(uniforms([1, 2], 5)[1], uniforms([2], 9)[0, :5])
    assert not torch.equal(uniforms([1], 5), uniforms([2], 5))


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1}, {"top_p": 0}, {"top_p": 1.1}, {"min_p": 2}, {"max_tokens": 0}], ids=str
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ReproError, match="need temperature"):
        Sampling(**wrong)
