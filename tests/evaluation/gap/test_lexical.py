"""How often do the rules say what a person said of a sentence?"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.evaluation.gap import lexical

HERE = Path(__file__).parent
READERS = {
    "requests": ("request", lambda row: lexical.request(row.said, drafted=row.drafted == "yes"), lexical.REQUESTS),
    "responses": ("response", lambda row: lexical.response(row.said, heard=row.heard), lexical.RESPONSES),
    "context": ("context", lambda row: "|".join(lexical.context(row.said)), None),
    "framing": ("framing", lambda row: lexical.framing(row.said), lexical.FRAMING),
    "register": ("register", lambda row: lexical.register(row.said), lexical.REGISTER),
}


@pytest.mark.parametrize("facet", READERS)
def test_rules_agree_with_labels_made_by_hand(facet, capsys):
    column, read, known = READERS[facet]
    file = "style" if facet in ("framing", "register") else facet
    labelled = pd.read_csv(HERE / f"{file}.csv", keep_default_na=False)
    assert len(labelled) >= 60
    assert known is None or set(labelled[column]) <= set(known)
    rows = [(row.said, getattr(row, column), read(row)) for row in labelled.itertuples()]
    wrong = [row for row in rows if row[2] != row[1]]
    with capsys.disabled():
        print(f"\n{facet}: {1 - len(wrong) / len(rows):.0%} of {len(rows)} labelled", *wrong, sep="\n  ")
    assert len(wrong) <= 0.15 * len(rows)


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_can_be_read(text, heard):
    assert lexical.request(text) in lexical.REQUESTS
    assert lexical.response(text, heard=heard) in lexical.RESPONSES
    assert set(lexical.context(text)) <= set(lexical.CONTEXT)
    assert lexical.framing(text) in lexical.FRAMING
    assert lexical.register(text) in lexical.REGISTER
