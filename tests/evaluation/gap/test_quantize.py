"""Do texts get their place, and conversations of a kind one label?"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from repro.errors import ReproError
from repro.evaluation.gap import divergences, load_encoder, quantize
from repro.evaluation.gap.encode import Pooled
from repro.evaluation.gap.kept_vectors import KeptVectors

TEXTS = ["I need an invitation to a party.", "Write an invitation for my birthday party", "The engine of the car broke"]


@pytest.fixture
def minilm(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return load_encoder("minilm")


def test_texts_about_one_thing_lie_together_whatever_the_order(minilm):
    vectors = minilm.encode(TEXTS)
    assert vectors.shape == (3, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    near, far = vectors[0] @ vectors[1], vectors[0] @ vectors[2]
    assert near > 0.5 > far
    afresh = replace(minilm, kept=KeptVectors("another"))
    assert afresh.encode(TEXTS[::-1])[::-1] == pytest.approx(vectors, abs=1e-5)


def test_no_text_is_read_twice_not_even_after_a_stop(minilm, monkeypatch):
    read = []
    pooled = Pooled._pooled
    monkeypatch.setattr("repro.evaluation.gap.encode.BATCH_SIZE", 2)

    def stopped(self, texts):
        if read:
            raise KeyboardInterrupt
        read.extend(texts)
        return pooled(self, texts)

    with monkeypatch.context() as patch:
        patch.setattr(Pooled, "_pooled", stopped)
        with pytest.raises(KeyboardInterrupt):
            minilm.encode(TEXTS)
    again = load_encoder("minilm")
    with monkeypatch.context() as patch:
        patch.setattr(Pooled, "_pooled", lambda self, texts: read.extend(texts) or pooled(self, texts))
        vectors = again.encode([*TEXTS, TEXTS[0]])
        assert sorted(read) == sorted(TEXTS)
        assert np.array_equal(minilm.encode(TEXTS), vectors[:3])
        assert np.array_equal(vectors[0], vectors[3])
    assert sorted(read) == sorted(TEXTS)


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path, monkeypatch):
    (tmp_path / "a_file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a_file"))
    kept = KeptVectors("key")
    kept.put({"a": np.ones(3, np.float32)})
    assert kept.get(["a", "b"])["a"].tolist() == [1, 1, 1]
    kept._database.execute("PRAGMA query_only = ON")  # as on a full disk
    kept.put({"b": np.ones(3, np.float32)})
    assert [*kept.get(["a", "b"])] == ["a"]


def test_a_vector_is_found_by_what_made_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    many = {f"text {i}": np.full(2, i, np.float32) for i in range(1200)}
    KeptVectors("one encoder").put(many)
    found = KeptVectors("one encoder").get([*many, "unknown"])
    assert {text: vector[0] for text, vector in found.items()} == {text: vector[0] for text, vector in many.items()}
    assert KeptVectors("another").get(list(many)) == {}


def planted(seed: int, shares, n: int = 300):
    """n labels of five kinds, and vectors around five places in 16 dimensions."""
    draws = np.random.default_rng(seed)
    places = np.random.default_rng(99).normal(size=(5, 16)) * 8
    labels = draws.choice(5, n, p=shares)
    return labels, (places[labels] + draws.normal(size=(n, 16))).astype(np.float32)


def kinds(seed: int, shares, n: int = 300):
    return planted(seed, shares, n)[1]


def test_what_was_planted_is_found():
    shares = {"real": np.full(5, 0.2), "same": np.full(5, 0.2), "other": np.array([0.4, 0.4, 0.1, 0.1, 0.0])}
    made = {name: planted(i, share) for i, (name, share) in enumerate(shares.items())}
    found = quantize({name: vectors for name, (_, vectors) in made.items()}, k=5)
    for name in ("same", "other"):
        truth = divergences(made["real"][0], made[name][0], k=5)
        assert divergences(found.labels["real"], found.labels[name], k=5).js == pytest.approx(truth.js)
    assert found.n_components < 16


def test_many_rows_are_seen_in_batches_and_what_was_planted_is_found(monkeypatch):
    monkeypatch.setattr(sys.modules[quantize.__module__], "MANY", 100)
    labels, vectors = planted(0, np.full(5, 0.2), n=400)
    found = quantize({"real": vectors[:200], "sim": vectors[200:]}, k=5)
    assert adjusted_rand_score(labels, np.concatenate([*found.labels.values()])) > 0.95


def test_many_rows_of_many_kinds_are_clustered_from_one_start_as_well_as_from_five(monkeypatch):
    module, (_, vectors) = sys.modules[quantize.__module__], planted(0, np.full(5, 0.2), n=400)
    five = quantize({"real": vectors}, k=40)
    monkeypatch.setattr(module, "SOME", 300)
    assert quantize({"real": vectors}, k=40).inertia == five.inertia  # many rows, few kinds
    monkeypatch.setattr(module, "MANY_KINDS", 30)
    once = quantize({"real": vectors}, k=40)
    assert once.inertia == quantize({"real": vectors}, k=40, n_init=1).inertia
    assert five.inertia <= once.inertia < 1.1 * five.inertia


def test_vectors_on_disk_are_clustered_like_those_in_memory(tmp_path):
    sides = {"real": kinds(0, np.full(5, 0.2)), "sim": kinds(1, np.full(5, 0.2))}
    for name, vectors in sides.items():
        np.save(tmp_path / f"{name}.npy", vectors)
    mapped = {name: np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in sides}
    here, there = quantize(sides, k=5), quantize(mapped, k=5)
    assert all((here.labels[name] == there.labels[name]).all() for name in sides)


def test_faiss_finds_the_same_kinds():
    pytest.importorskip("faiss")
    labels, vectors = planted(0, np.full(5, 0.2), n=400)
    found = quantize({"real": vectors[:200], "sim": vectors[200:]}, k=5, engine="faiss")
    assert adjusted_rand_score(labels, np.concatenate([*found.labels.values()])) > 0.95


def test_an_engine_that_is_not_there_is_named(monkeypatch):
    some = kinds(0, np.full(5, 0.2), n=8)
    with pytest.raises(ReproError, match="no engine 'abacus'; have sklearn, faiss"):
        quantize({"real": some}, k=2, engine="abacus")
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ReproError, match=r"the engine faiss is not installed; pip install -e '.\[gap\]'"):
        quantize({"real": some}, k=2, engine="faiss")


def test_no_text_is_read_twice(minilm, monkeypatch):
    before = minilm.encode(TEXTS)
    monkeypatch.setattr(type(minilm), "_pooled", lambda self, texts: pytest.fail(f"read again: {texts}"))
    assert (minilm.encode([*TEXTS, TEXTS[0]]) == [*before, before[0]]).all()


def test_the_same_seed_gives_the_same_labels():
    sides = {"real": kinds(0, np.full(5, 0.2)), "sim": kinds(1, np.full(5, 0.2))}
    one, two = quantize(sides, k=9, n_init=1), quantize(sides, k=9, n_init=1)
    assert all((one.labels[name] == two.labels[name]).all() for name in sides)


def test_a_mistake_gets_one_sentence(minilm):
    some = kinds(0, np.full(5, 0.2), n=8)
    torn = some.copy()
    torn[3, 2] = np.nan
    for sides, k, words in (
        ({"real": some, "sim": some}, 17, "17 clusters of 16 conversations cannot be"),
        ({"real": some, "sim": some[:0]}, 2, "no conversations of 'sim'"),
        ({"real": some, "sim": torn}, 2, "1 of the 8 vectors of 'sim' are not numbers"),
    ):
        with pytest.raises(ReproError, match=words):
            quantize(sides, k=k)
    with pytest.raises(ReproError, match="no texts"):
        minilm.encode([])
    with pytest.raises(ReproError, match="no encoder 'no/such/folder'"):
        load_encoder("no/such/folder")
