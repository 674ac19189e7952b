"""From conversations to a gap: is one found where users behave otherwise, and none where they do not?"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from repro.errors import ReproError
from repro.evaluation.gap import (
    READINGS,
    behavioral_gap,
    behavioral_gaps,
    behaviours,
    gap_table,
    held_out_mixture,
    optimal_mixture,
    pairwise_table,
    path_table,
)
from repro.evaluation.gap.conversations import Conversation, read_conversations
from repro.evaluation.gap.facets import FACETS, KINDS, LexicalFacets, combined, kinds_of, represent
from repro.evaluation.gap.report import as_data, as_text
from repro.types import Turn

PEOPLE = os.environ.get("REPRO_PEOPLE", "")  # a file of conversations that people had
ASK, DRAFT = Turn("assistant", "When is it?"), Turn("assistant", "Dear all, please come to our party in the garden.")
TERSE = ("need a note", "saturday", "thx")
EXHAUSTIVE = (
    "Please write a note for my neighbours. The party is on Saturday at 5 pm in the garden. Sign it from Ana.",
    "The date is Saturday, as mentioned above.",
    "Thank you very much, that is all I needed.",
)


def talk(name: str, texts, seed: int) -> Conversation:
    draws = np.random.default_rng(seed)
    extra = ["", " ok", " please", " and a cake", " for 12 people"]
    said = [text + extra[draws.integers(5)] for text in texts[: 2 + draws.integers(2)]]
    turns = [Turn("user", said[0]), ASK, Turn("user", said[1]), DRAFT, *(Turn("user", text) for text in said[2:])]
    return Conversation(name, name, tuple(turns))


def many(texts, seed: int, n: int = 40) -> list[Conversation]:
    return [talk(f"u{i}", texts, seed * 1000 + i) for i in range(n)]


def test_what_a_user_does_is_told_turn_by_turn():
    found = kinds_of(talk("u", TERSE, 0))
    assert found["requests"][0] == ["asks for a text"]
    assert found["responses"][:2] == [[], ["answers"]]
    told = LexicalFacets().annotate([talk("u", TERSE, 0)])[0]
    assert told is not None
    assert set(told) == set(FACETS)
    assert told["requests"].startswith("first: asks for a text; then: asks nothing")
    assert combined(told).split("\n\n")[0] == f"requests: {told['requests']}"


def test_every_kind_that_is_found_is_counted():
    talks = [*many(TERSE, 0), *many(EXHAUSTIVE, 1)]
    for one in talks:
        for facet, turns in kinds_of(one).items():
            assert {kind for kinds in turns for kind in kinds} <= set(KINDS[facet])
    features = LexicalFacets().features(talks)
    assert np.linalg.norm(features, axis=1) == pytest.approx(1, abs=1e-5)


def test_raw_representations_are_the_words():
    one = talk("u", TERSE, 0)
    texts = {name: represent([one], name, LexicalFacets())[1][0] for name in ("utterances", "conversation", "intent")}
    assert texts["intent"] == one.turns[0].text
    assert texts["utterances"].splitlines()[0] == texts["intent"]
    assert "assistant: When is it?" in texts["conversation"]
    with pytest.raises(ReproError, match="no representation 'vibes'; have requests"):
        represent([one], "vibes", LexicalFacets())


@pytest.mark.parametrize("encoder", ["features", "minilm"])
def test_users_are_no_way_from_users_and_far_from_those_who_say_all_at_once(encoder):
    sides = {"alike": many(TERSE, 1), "other": many(EXHAUSTIVE, 2)}
    found = behavioral_gaps(many(TERSE, 0), sides, encoder=encoder, k=6, n_permutations=199)
    alike, other = found.results["alike"], found.results["other"]
    assert alike.p > 0.05
    assert alike.js.low <= 0
    assert other.p_holm < 0.05
    assert other.js.low > alike.js.high
    assert other.divergences.js > 3 * found.floor.high
    mixed = optimal_mixture(found.histograms["real"], [found.histograms[name] for name in sides])
    assert mixed.weights[0] > 0.9


def test_what_fails_is_counted_and_what_fails_whole_is_an_error():
    class Half:
        name = "half"

        def annotate(self, conversations, facets):
            whole = LexicalFacets().annotate(conversations, facets)
            return [said if i % 2 else None for i, said in enumerate(whole)]

    how = {"annotator": Half(), "k": 4, "n_permutations": 19}
    found = behavioral_gap(many(TERSE, 0), many(TERSE, 1), **how)
    assert (found.n_unscored, found.js.n, found.js.n_unscored) == (40, 40, 40)  # half of both sides
    with pytest.raises(ReproError, match="no conversation of 'simulated' could be represented"):
        behavioral_gap(many(TERSE, 0), many(TERSE, 1, n=1), **how)
    with pytest.raises(ReproError, match="features are what the lexical rules counted"):
        behavioral_gap(many(TERSE, 0), many(TERSE, 1), encoder="features", **how)
    with pytest.raises(ReproError, match="none of them called 'real'"):
        behavioral_gaps(many(TERSE, 0), {"real": many(TERSE, 1)})


@pytest.mark.parametrize("representation", ["style", "intent"])
def test_dialogues_that_failed_are_unscored_on_both_sides_and_their_users_left_out(representation):
    real, sim = many(TERSE, 0), many(TERSE, 1)
    real[0], sim[1], sim[2] = (replace(one, error="broke") for one in (real[0], sim[1], sim[2]))
    found = behavioral_gaps(real, {"sim": sim}, representation=representation, k=3, n_permutations=19)
    one = found.results["sim"]
    assert one.sure.paired
    assert (one.js.n, one.n_unscored, one.sure.n_unpaired) == (74, 6, 3)  # 37 users have both; 3 failed, 3 are alone
    assert one.js.n_clusters == 37
    table = gap_table(found).set_index("simulator")
    assert (table.n_unscored["sim"], table.n_unpaired["sim"], table.paired["sim"]) == (6, 3, True)
    assert (table.n["real"], table.n_unscored["real"]) == (39, 1)
    assert "(6 unscored)" in as_text(found)
    assert as_data(found)["simulators"]["sim"]["n_unpaired"] == 3


@pytest.mark.skipif(not PEOPLE, reason="REPRO_PEOPLE names no file of conversations that people had")
def test_people_are_read_and_stand_apart_from_a_script():
    people = read_conversations(PEOPLE)
    assert len(people) > 20
    script = many(EXHAUSTIVE, 0, n=len(people))
    found = behavioral_gap(people, script, encoder="features", k=10, n_permutations=99)
    assert found.p <= 0.05


def test_behaviours_that_nobody_has_are_hallucinated_and_those_of_users_missed():
    found = behavioral_gaps(many(TERSE, 0), {"other": many(EXHAUSTIVE, 2)}, encoder="features", k=4, n_permutations=19)
    read = behaviours(found, "other")
    assert {one.reading for one in read} >= {"missed", "hallucinated"}
    assert sum(one.real for one in read) == pytest.approx(1)
    for one in read:
        assert (one.reading == "missed") == (one.q < 0.05 and one.real > one.simulated)
        assert one.terms
        assert 1 <= len(one.examples) <= 3
    missed = next(one for one in read if one.reading == "missed")
    assert any(text.startswith("need a note") for text in missed.examples)
    with pytest.raises(ReproError, match="no simulator 'nobody' in these gaps; have other"):
        behaviours(found, "nobody")


def test_texts_that_say_nothing_have_no_terms():
    users = [Conversation(f"u{i}", f"u{i}", (Turn("user", "red"),)) for i in range(8)]
    how = {"representation": "context", "encoder": "features", "k": 2, "n_permutations": 5}
    found = behavioral_gaps([*users, *many(TERSE, 5, n=1)], {"other": users}, **how)
    assert all(isinstance(one.terms, tuple) for one in behaviours(found, "other"))


def test_users_like_users_are_not_shown_to_differ():
    found = behavioral_gaps(many(TERSE, 0), {"alike": many(TERSE, 1)}, encoder="features", k=3, n_permutations=19)
    readings = {one.reading for one in behaviours(found, "alike")}
    assert "captured" in readings
    assert READINGS["captured"] == "common on both sides, not shown to differ"
    assert not readings & {"missed", "hallucinated"}


def test_a_mixture_is_judged_on_users_it_was_not_fitted_to():
    users = [*many(TERSE, 0, n=30), *many(EXHAUSTIVE, 3, n=30)]
    users = [Conversation(f"u{i}", f"u{i}", one.turns) for i, one in enumerate(users)]
    sides = {"terse": many(TERSE, 1), "other": many(EXHAUSTIVE, 2)}
    found = behavioral_gaps(users, sides, encoder="features", k=6, n_permutations=19)
    held = held_out_mixture(found)
    assert held.js < min(held.js_of_each)
    path = path_table(found)
    assert list(path["size"]) == [1, 2]
    assert {*path.added} == {"terse", "other"}
    assert path.js_held_out.iloc[1] < path.js_held_out.iloc[0]
    table = gap_table(found)
    assert set(table.simulator) == {"terse", "other", "real"}
    apart = pairwise_table(found)
    assert len(apart) == 9
    assert {*zip(apart.a, apart.n_a, strict=True)} == {*zip(apart.b, apart.n_b, strict=True)}
    assert dict(zip(apart.a, apart.n_a, strict=True)) == {name: found.histograms[name].sum() for name in found.labels}
    assert apart[apart.a == apart.b].js.max() < 1e-12
