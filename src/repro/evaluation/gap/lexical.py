"""What does a user do in a conversation, read from the words alone?

Four facets by rules (`lexical.yaml`), as counts of kinds: what is requested of the assistant (requests), how the user
takes what the assistant says (responses), what is told about the situation (context), how it is put (style). The two
that remain are in `dialogue_acts.py`. Topic words play no part: a user who wants a poem and one who wants a notice can
do the same. Rules err; how often, on labels made by hand, is printed by their tests.
"""

from __future__ import annotations

from .dialogue_acts import damsl, sentences
from .rules import load_rules

REQUESTS = ("asks for a text", "asks for a change", "asks for something in it", "asks a question", "asks nothing")
RESPONSES = (
    "answers", "answers and adds", "does not answer", "corrects", "asks for a change", "accepts", "leaves", "goes on",
)  # fmt: skip
CONTEXT = ("for whom", "what for", "about oneself", "when or where", "a limit", "none")
FRAMING = ("order", "question", "wish", "fragment", "statement")
REGISTER = ("formal", "neutral", "informal")


def _is(kind: str, sentence: str) -> bool:
    return bool(load_rules("lexical.yaml")[kind].search(sentence))


def request(sentence: str, *, drafted: bool = False) -> str:
    """One of `REQUESTS`; `drafted`: the assistant has written something that can be changed."""
    act = damsl(sentence)[0] if damsl(sentence) else ""
    if act.endswith("question") and not _is("order", sentence):
        return "asks a question"
    if _is("part", sentence):
        return "asks for a change" if drafted else "asks for something in it"
    if _is("change", sentence) and (drafted or act == "action-directive"):
        return "asks for a change"
    return "asks for a text" if act == "action-directive" else "asks nothing"


def response(said: str, *, heard: str) -> str:
    """One of `RESPONSES`, to the assistant's turn `heard`."""
    acts = damsl(said, heard=heard)
    if not acts or "closing" in acts:
        return "leaves"
    if "reject" in acts:
        return "corrects"
    asked = heard.rstrip().endswith("?")
    kinds = {request(sentence, drafted=not asked) for sentence in sentences(said)}
    if not asked:
        if kinds & {"asks for a change", "asks for something in it"}:
            return "asks for a change"
        return "accepts" if {"thanking", "appreciation", "agree", "acknowledge"} & set(acts) else "goes on"
    if set(acts) <= {"no-opinion", "opening", "uninterpretable"} or kinds == {"asks a question"}:
        return "does not answer"
    return "answers and adds" if len(acts) > 1 else "answers"


def context(sentence: str) -> list[str]:
    """All of `CONTEXT` that a sentence tells, or "none"."""
    found = [kind for kind in CONTEXT[:-1] if _is(kind, sentence)]
    return found or ["none"]


def framing(sentence: str) -> str:
    """One of `FRAMING`: how a sentence is put, whatever it is for."""
    if sentence.rstrip().endswith("?") or damsl(sentence)[:1] in (["wh-question"], ["yes-no-question"]):
        return "question"
    if _is("wish", sentence):
        return "wish"
    if damsl(sentence)[:1] == ["action-directive"]:
        return "order"
    return "statement" if _is("verb", sentence) else "fragment"


def register(text: str) -> str:
    """One of `REGISTER`."""
    rules = load_rules("lexical.yaml")
    informal = len(rules["informal"].findall(text)) + (text[:1].islower() and len(text.split()) > 2)
    formal = len(rules["formal"].findall(text))
    if informal == formal:
        return "neutral"
    return "informal" if informal > formal else "formal"
