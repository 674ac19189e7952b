"""Does the verifier of rules say what its rules say, and nothing where there is none?"""

from __future__ import annotations

import pytest

from repro.errors import ReproError
from repro.scoring.verifier import ChecklistVerifier, keeps


@pytest.mark.parametrize(
    ("rule", "answer", "kept"),
    [
        ("has: rain | wet", "It RAINS a lot", False),  # whole words
        ("has: rain | wet", "A lot of Rain.", True),
        ("lacks: buy", "nothing to buy", False),
        ("has: 40.8", "It is 40.8.", True),
        ("has: 40.8", "It is 140.8.", False),
        ("words: 2..3", "one two three", True),
        ("words: ..2", "one two three", False),
        ("bullets: 2..2", "- a\n2. b\nc", True),
        ("lines: 1", "one\n\n", True),
        ("questions: ..1", "What? Why?", False),
        ("code:", "```sh\nls\n```", True),
        ("table:", "| a | b |", True),
        ("json:", 'Here:\n```json\n{"a": 1}\n```', True),
        ("json:", "{a: 1}", False),
        ("ends: ?", 'He asked: "why?"', True),
        ("starts: dear", "Dear all", True),
        ("has: a & lacks: b", "a b", False),
    ],
)
def test_rules(rule, answer, kept):
    assert keeps(rule, answer) is kept


def test_a_point_without_a_rule_is_neither_met_nor_not_met():
    assert ChecklistVerifier()(["has: a", ""], "a") == [True, None]


@pytest.mark.parametrize("rule", ["says: a", "has:", "words: few", "code: x"])
def test_what_is_no_rule_is_an_error(rule):
    with pytest.raises(ReproError, match=r"no rule|needs a range"):
        keeps(rule, "x")
