"""How often do the rules name the act that a person named?"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.evaluation.gap.dialogue_acts import DAMSL, SGD, damsl, sentences, sgd

LABELLED = pd.read_csv(Path(__file__).parent / "acts.csv", keep_default_na=False)


@pytest.mark.parametrize(("kind", "read", "known"), [("damsl", damsl, DAMSL), ("sgd", sgd, SGD)])
def test_rules_agree_with_labels_made_by_hand(kind, read, known, capsys):
    assert set(LABELLED[kind]) <= set(known)
    found = [read(row.said, heard=row.heard) for row in LABELLED.itertuples()]
    wrong = [
        (row.said, getattr(row, kind), acts)
        for row, acts in zip(LABELLED.itertuples(), found, strict=True)
        if acts != [getattr(row, kind)]
    ]
    share = 1 - len(wrong) / len(LABELLED)
    with capsys.disabled():
        print(f"\n{kind}: {share:.0%} of {len(LABELLED)} labelled utterances", *wrong, sep="\n  ")
    assert share >= 0.85


def test_every_sentence_of_a_turn_has_its_act():
    assert damsl("hi. I need a note for 4.30 pm!\n- sign it Ana") == ["opening", "action-directive", "action-directive"]
    assert sentences("a. b? c\n* d") == ["a.", "b?", "c", "d"]
    assert damsl("") == []


@given(st.text(max_size=80), st.text(max_size=20))
def test_any_text_has_known_acts(text, heard):
    assert set(damsl(text, heard=heard)) <= set(DAMSL)
    assert set(sgd(text, heard=heard)) <= set(SGD)
