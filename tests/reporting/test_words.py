from __future__ import annotations

import pytest

from repro.evaluation.preference import PairResult
from repro.reporting.words import comparison, sentence
from repro.types import Estimate

NAN = float("nan")


def pair(low: float, value: float, high: float, *, p: float = 0.5, tost_p: float = 0.5, mde: float = 0.1, n: int = 96):
    rate = Estimate(value, low, high, n, n_clusters=n)
    return PairResult("userlm", "initial", rate, rate, p, p, tost_p, 0.05, mde, 3, 2, 0)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (pair(0.52, 0.6, 0.68, p=0.01), "beats"),
        (pair(0.52, 0.6, 0.68, p=0.2), "cannot be told from"),  # the exact test does not agree
        (pair(0.5, 0.6, 0.7, p=0.01), "cannot be told from"),  # one half is not excluded
        (pair(0.3, 0.4, 0.48, p=0.01), "loses to"),
        (pair(0.48, 0.5, 0.52, p=0.9, tost_p=0.01), "is no different from"),
        (pair(0.505, 0.52, 0.53, p=0.01, tost_p=0.01), "beats"),  # small and real: the direction is said first
        (pair(0.4, 0.5, 0.6, p=0.9), "cannot be told from"),  # a large p is no evidence of no difference
        (pair(NAN, NAN, NAN, p=NAN, tost_p=NAN, n=0), "was not compared with"),
    ],
)
def test_the_direction_of_a_sentence_is_computed(result, said):
    assert comparison(result) == said


def test_a_win_is_told_with_its_interval():
    told = sentence(pair(0.52, 0.6, 0.68, p=0.01))
    assert told.startswith(
        "The assistant trained against the fine-tuned user beats the initial assistant: win rate 0.60"
    )
    assert told.endswith("0.60 [0.52, 0.68], n=96.")


def test_a_null_result_says_what_could_have_been_seen():
    assert sentence(pair(0.4, 0.5, 0.6)).endswith("n=96; an effect of 0.10 or more would have been seen.")
    assert sentence(pair(0.5, 0.5, 0.5, mde=NAN)).endswith("n=96.")
