"""What does each sentence of a user do?

Two tag sets by rules, without a model: the SWBD-DAMSL acts that users of assistants perform (Jurafsky, Shriberg and
Biasca 1997) and the user's acts of Schema-Guided Dialogue (Rastogi et al. 2020). Rules (`dialogue_acts.yaml`) are tried
in order and the first that fits decides; what the assistant said matters, because a word is an answer to a question and
a reaction to anything else. How often the rules agree with labels made by hand is printed by their test.
"""

from __future__ import annotations

import re

from .rules import load_rules

DAMSL = (
    "action-directive", "wh-question", "yes-no-question", "declarative-question", "statement", "opinion", "yes-answer",
    "no-answer", "no-opinion", "agree", "reject", "acknowledge", "appreciation", "commit", "thanking", "apology",
    "opening", "closing", "uninterpretable",
)  # fmt: skip
SGD = (
    "INFORM_INTENT", "INFORM", "REQUEST", "REQUEST_ALTS", "SELECT", "AFFIRM", "NEGATE", "THANK_YOU", "GOODBYE", "OTHER",
)  # fmt: skip
_FILE = "dialogue_acts.yaml"
_FIRST = ("thanking", "closing", "opening", "apology", "no-opinion", "action-directive")
_THEN = ("reject", "appreciation", "acknowledge", "opinion", "commit")
_QUESTIONS = ("wh-question", "yes-no-question", "declarative-question")
_SGD_OF = {
    **dict.fromkeys(_QUESTIONS, "REQUEST"),
    **dict.fromkeys(("yes-answer", "agree", "acknowledge", "appreciation"), "AFFIRM"),
    **dict.fromkeys(("no-answer", "reject"), "NEGATE"),
    **dict.fromkeys(("statement", "opinion", "no-opinion"), "INFORM"),
    "thanking": "THANK_YOU",
    "closing": "GOODBYE",
    "action-directive": "INFORM_INTENT",
}
_SENTENCE = re.compile(r"[^.?!\n]+(?:\.(?=\d)[^.?!\n]+)*[.?!]*|[.?!]+")
_SHORT = 12  # words; ours: a longer sentence with "when" or "how" at its head and no question mark tells something


def sentences(text: str) -> list[str]:
    """The sentences and lines of a turn, without their bullet marks; empty ones are left out."""
    parts = [part.strip(" \t-*\N{BULLET}") for part in _SENTENCE.findall(text)]
    return [part for part in parts if part]


def damsl(text: str, *, heard: str = "") -> list[str]:
    """One act of `DAMSL` per sentence; `heard` is the assistant's turn before it."""
    return [_damsl(sentence, heard) for sentence in sentences(text)]


def sgd(text: str, *, heard: str = "") -> list[str]:
    """One act of `SGD` per sentence: to ask for a text is INFORM_INTENT, to ask for something in it INFORM."""
    return [_sgd(sentence, heard) for sentence in sentences(text)]


def _damsl(sentence: str, heard: str) -> str:
    bare, rules = sentence.rstrip(".?! "), load_rules(_FILE)
    if not re.search(r"\w", bare):
        return "uninterpretable"
    if act := next((act for act in _FIRST if rules[act].search(bare)), ""):
        return act
    asks = sentence.endswith("?")
    if rules["wh-question"].search(bare) and (asks or len(bare.split()) < _SHORT):
        return "wh-question"
    if asks:
        return "yes-no-question" if rules["yes-no-question"].search(bare) else "declarative-question"
    answers = heard.rstrip().endswith("?")
    if rules["yes"].search(bare):
        return "yes-answer" if answers else "agree"
    if rules["no"].search(bare):
        return "no-answer" if answers else "reject"
    return next((act for act in _THEN if rules[act].search(bare)), "statement")


def _sgd(sentence: str, heard: str) -> str:
    act, rules = _damsl(sentence, heard), load_rules(_FILE)
    if act not in ("thanking", "closing", "wh-question") and rules["alternatives"].search(sentence):
        return "REQUEST_ALTS"
    if act not in _QUESTIONS and rules["select"].search(sentence):
        return "SELECT"
    if act == "action-directive" and rules["detail"].search(sentence):
        return "INFORM"
    return _SGD_OF.get(act, "OTHER")
