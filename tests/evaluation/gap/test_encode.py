"""Is a text read as its encoder was published to be read, and is it counted where it is cut?"""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from repro.evaluation.gap import behavioral_gaps, gap_table, load_encoder
from repro.evaluation.gap.conversations import Conversation
from repro.evaluation.gap.encode import _over_tokens, n_cut
from repro.evaluation.gap.report import as_text
from repro.models.weights import minilm_path
from repro.types import Turn

SHORT, LONG = "a note please", "word " * 400


@pytest.fixture
def encoder(tmp_path, monkeypatch):
    """A copy of MiniLM whose published files may be changed: `encoder(file=what it holds)`; None takes the file out."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def copy(pooling=None, reads=None):
        where = tmp_path / "encoder"
        shutil.copytree(minilm_path(), where)
        for file, holds in (("1_Pooling/config.json", pooling), ("sentence_bert_config.json", reads)):
            (where / file).write_text(json.dumps(holds)) if holds else (where / file).unlink()
        return load_encoder(str(where))

    return copy


def test_minilm_reads_what_it_is_published_to_read(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    minilm = load_encoder()
    assert (minilm.max_tokens, minilm.pooling) == (256, "mean_tokens")
    assert minilm.n_cut([SHORT, LONG, "word " * 254, "word " * 255]) == 2  # two tokens frame each


def test_without_a_word_on_it_the_tokenizer_and_the_places_say_where_reading_ends(encoder):
    assert encoder().max_tokens == 512


@pytest.mark.parametrize(
    ("said", "pooling"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls_token"),
        ({"pooling_mode_mean_tokens": False, "pooling_mode_lasttoken": True}, "lasttoken"),
        ({"pooling_mode_max_tokens": True}, "mean_tokens"),  # of any other kind: the mean
    ],
)
def test_pooling_is_that_of_the_encoder_s_files(encoder, said, pooling):
    found = encoder(pooling=said, reads={"max_seq_length": 8})
    assert (found.pooling, found.max_tokens) == (pooling, 8)
    vectors = found.encode([SHORT, LONG])
    assert vectors.shape == (2, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("pooling", "expected"), [("mean_tokens", 2.0), ("cls_token", 1.0), ("lasttoken", 3.0)])
@pytest.mark.parametrize("left", [True, False])
def test_padding_on_either_side_is_no_token(pooling, expected, left):
    mask = torch.tensor([[0, 0, 1, 1, 1] if left else [1, 1, 1, 0, 0]])
    hidden = torch.full((1, 5, 2), 9.0)
    hidden[mask == 1] = torch.tensor([1.0, 2.0, 3.0])[:, None].expand(3, 2)
    assert _over_tokens(hidden, mask, pooling).tolist() == [[expected, expected]]


def test_texts_that_are_cut_are_counted_on_each_side(encoder):
    def people(*texts):
        return [Conversation(f"u{i}", f"u{i}", (Turn("user", text),)) for i, text in enumerate(texts)]

    reader = encoder(reads={"max_seq_length": 64})
    sides = people(SHORT, "hi", "thanks", LONG), {"sim": people(LONG, LONG + "end", "hi", "bye")}
    found = behavioral_gaps(*sides, representation="utterances", encoder=reader, k=2, n_permutations=5)
    assert found.n_cut == {"real": 1, "sim": 2}
    assert gap_table(found).set_index("simulator").n_cut.to_dict() == {"real": 1, "sim": 2}
    assert "3 of 8 texts are longer than the encoder reads" in as_text(found)


def test_an_encoder_of_one_s_own_says_nothing_of_cuts():
    class Own:
        name = "own"

        def encode(self, texts):
            return np.ones((len(texts), 2), np.float32)

    assert n_cut(Own(), [LONG]) == 0
