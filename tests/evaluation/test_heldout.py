"""Is the perplexity of held-out users what the model's probabilities say?"""

from __future__ import annotations

import math

import pytest

from repro.data.corpora import from_rows
from repro.errors import ReproError
from repro.evaluation.heldout import heldout_perplexity
from repro.models import LocalModel
from repro.models.tiny import tiny_model
from repro.types import Turn

pytest.importorskip("torch")
INTENT = "You are a user chatting with an assistant language model to get a note."


def talk(i: int) -> list[dict[str, str]]:
    said = [f"a note {i}", "when?", "now", "Dear all."]
    return [{"role": ("user", "assistant")[k % 2], "content": text} for k, text in enumerate(said)]


CORPUS = from_rows([{"id": f"c{i}", "user_id": f"u{i}", "messages": talk(i), "intent": INTENT} for i in range(6)])
MODEL = LocalModel(*tiny_model(), name="tiny")


def test_it_is_exp_of_the_mean_cost_of_a_token_of_the_user():
    contexts, said = [], []
    for task in CORPUS:
        for n in (0, 2):
            contexts.append([Turn("system", INTENT), *task.human[:n]])
            said.append(task.human[n])
    logps = [logp for turn in MODEL.logps(contexts, said) for logp in turn[:-1]]  # the last closes the turn
    found = heldout_perplexity(MODEL, CORPUS)
    assert found.value == pytest.approx(math.exp(-sum(logps) / len(logps)), rel=1e-4)
    assert found.low < found.value < found.high
    assert (found.n, found.n_unscored, found.n_clusters) == (6, 0, 6)


def test_a_dialogue_of_which_no_user_turn_is_read_is_unscored():
    found = heldout_perplexity(MODEL, CORPUS, max_length=10)
    assert (found.n, found.n_unscored) == (0, 6)
    assert math.isnan(found.value)


def test_nobody_held_out_gets_a_sentence():
    with pytest.raises(ReproError, match="split off some users first"):
        heldout_perplexity(MODEL, CORPUS.chosen([], "none", {}))
