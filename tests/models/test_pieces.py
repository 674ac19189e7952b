from __future__ import annotations

import pytest

from repro.models.base import Sampling, StreamingModel
from repro.models.local import LocalModel
from repro.models.pieces import TokenPieces
from repro.types import Turn


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return LocalModel.from_pretrained("tiny", dtype="float32", device="cpu")


def said(n):
    return [[Turn("system", "s"), Turn("user", f"question {i}")] for i in range(n)]


def test_listening_changes_nothing_and_the_pieces_are_the_text(model, monkeypatch):
    monkeypatch.setattr("repro.models.local.MAX_BATCH", 4)  # so that rows are not indices
    sampling, heard = Sampling(max_tokens=12), [[] for _ in range(10)]
    model.decoder.reset()
    quiet = model.generate(said(10), sampling=sampling, seeds=range(10))
    model.decoder.reset()
    turns = model.stream(said(10), sampling=sampling, seeds=range(10), on_text=lambda i, text: heard[i].append(text))
    assert turns == quiet
    assert ["".join(pieces) for pieces in heard] == [turn.text for turn in turns]
    assert max(map(len, heard)) > 3  # it did not come all at once
    assert isinstance(model, StreamingModel)


def test_words_put_into_its_mouth_are_heard_too(model):
    heard = []
    turns = model.generate(
        said(1), sampling=Sampling(max_tokens=6), seeds=[0], prefixes=["Well, "], on_text=lambda i, t: heard.append(t)
    )
    assert "".join(heard) == turns[0].text
    assert heard[0].startswith("Well,")


def test_half_a_character_and_a_last_space_are_held_back():
    euro = "€".encode()  # three bytes, one token each
    heard = []

    def text_of(ids):
        return bytes(ids).decode(errors="replace").strip()

    pieces = TokenPieces(text_of, [[]], lambda i, text: heard.append((i, text)), offset=7)
    for byte in b" a " + euro + b" ":
        pieces.add(0, byte)
    assert heard == [(7, "a"), (7, " €")]
    pieces.close(["a €"])
    assert heard == [(7, "a"), (7, " €")]


def test_a_text_that_ends_in_a_broken_character_is_still_whole():
    heard = []
    pieces = TokenPieces(lambda ids: bytes(ids).decode(errors="replace").strip(), [[]], lambda i, t: heard.append(t))
    for byte in b"a\xe2\x82":
        pieces.add(0, byte)
    pieces.close(["a\ufffd"])
    assert "".join(heard) == "a\ufffd"
