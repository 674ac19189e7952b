"""How is a conversation represented?

By six facets of what its user does (arXiv 2605.07847): requests, responses, context, style, and two sets of dialogue
acts; `combined` is all six under their names. An annotator gives each facet as a short text, from which topics are
gone. Beside them stand raw representations: the user's utterances, the whole conversation, the first request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ...errors import ReproError
from . import lexical
from .conversations import Conversation
from .dialogue_acts import DAMSL, SGD, damsl, sentences, sgd
from .kept_vectors import Vectors

FACETS = ("requests", "responses", "context", "style", "damsl", "sgd")
RAW = ("utterances", "conversation", "intent")
REPRESENTATIONS = (*FACETS, "combined", *RAW)
_LENGTHS = {3: "a few words", 12: "a short sentence", 30: "some sentences"}  # words a turn; ours
Kinds = list[list[str]]  # by user turn, what was found in it


class Annotator(Protocol):
    """Puts what a user does into words."""

    @property
    def name(self) -> str: ...

    def annotate(
        self, conversations: Sequence[Conversation], facets: Sequence[str] = FACETS
    ) -> list[dict[str, str] | None]:
        """A text for each of `facets`, one dict a conversation in order; None where any of them failed."""
        ...


def represent(
    conversations: Sequence[Conversation], representation: str, annotator: Annotator
) -> tuple[list[Conversation], list[str]]:
    """The conversations that did not fail and could be represented, and a text for each."""
    if representation not in REPRESENTATIONS:
        raise ReproError(f"no representation '{representation}'; have {', '.join(REPRESENTATIONS)}")
    whole = [one for one in conversations if not one.error]
    if representation in RAW:
        return whole, [_raw(one, representation) for one in whole]
    asked = FACETS if representation == "combined" else (representation,)
    told = annotator.annotate(whole, asked)
    both = [(one, said) for one, said in zip(whole, told, strict=True) if said]
    texts = [combined(said) if representation == "combined" else said[representation] for _, said in both]
    return [one for one, _ in both], texts


def combined(facets: Mapping[str, str]) -> str:
    """All six, each under its name, with blank lines between."""
    return "\n\n".join(f"{name}: {facets[name]}" for name in FACETS)


def _raw(one: Conversation, representation: str) -> str:
    if representation == "conversation":
        return "\n".join(f"{turn.role}: {turn.text}" for turn in one.turns)
    turns = one.user_turns[:1] if representation == "intent" else one.user_turns
    return "\n".join(turn.text for turn in turns)


@dataclass(frozen=True)
class LexicalFacets:
    """By rules, without a model: the same text for the same conversation, at once."""

    name: str = "lexical"

    def annotate(
        self, conversations: Sequence[Conversation], facets: Sequence[str] = FACETS
    ) -> list[dict[str, str] | None]:
        found = [kinds_of(one) for one in conversations]
        return [{facet: in_words(one[facet]) for facet in facets} for one in found]

    def features(self, conversations: Sequence[Conversation], facet: str = "combined") -> Vectors:
        """(n, d) counts of each kind, first turn and later ones apart, scaled to length 1."""
        if facet not in (*FACETS, "combined"):
            raise ReproError(f"no representation '{facet}' has features; have {', '.join(FACETS)}, combined")
        names = FACETS if facet == "combined" else (facet,)
        rows = np.array([_counts(kinds_of(one), names) for one in conversations], dtype=np.float32)
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


def kinds_of(one: Conversation) -> dict[str, Kinds]:
    """What the rules find in each user turn, by facet."""
    heard, drafted, found = "", False, {facet: list[list[str]]() for facet in FACETS}
    for turn in one.turns:
        if turn.role == "assistant":
            heard, drafted = turn.text, drafted or not turn.text.rstrip().endswith("?")
        elif turn.role == "user":
            parts = sentences(turn.text)
            found["requests"].append([lexical.request(part, drafted=drafted) for part in parts])
            found["responses"].append([lexical.response(turn.text, heard=heard)] if heard else [])
            found["context"].append([kind for part in parts for kind in lexical.context(part) if kind != "none"])
            found["style"].append(_style(turn.text, parts))
            found["damsl"].append(damsl(turn.text, heard=heard))
            found["sgd"].append(sgd(turn.text, heard=heard))
    return found


KINDS: Mapping[str, Sequence[str]] = {
    "requests": lexical.REQUESTS,
    "responses": lexical.RESPONSES,
    "context": lexical.CONTEXT[:-1],
    "style": (
        *lexical.FRAMING,
        *lexical.REGISTER,
        *_LENGTHS.values(),
        "much text",
        "no capital",
        "no full stop",
        "list",
    ),
    "damsl": DAMSL,
    "sgd": SGD,
}


def _style(text: str, parts: Sequence[str]) -> list[str]:
    n_words = len(text.split())
    length = next((name for most, name in _LENGTHS.items() if n_words <= most), "much text")
    marks = {
        "no capital": text[:1].islower(),
        "no full stop": bool(text) and text.rstrip()[-1:] not in ".?!",
        "list": sum(line.lstrip().startswith(("-", "*", "\N{BULLET}")) for line in text.splitlines()) > 1,
    }
    framings = [lexical.framing(part) for part in parts]
    return [length, lexical.register(text), *framings, *(name for name, there in marks.items() if there)]


def in_words(found: Sequence[Sequence[str]]) -> str:
    """The kinds of each turn in words: "first: asks for a text; then: answers, asks for a change"."""
    turns = [", ".join(dict.fromkeys(kinds)) or "nothing" for kinds in found]
    return "; ".join(f"{'first' if i == 0 else 'then'}: {said}" for i, said in enumerate(turns)) or "nothing"


def _counts(found: Mapping[str, Kinds], names: Iterable[str]) -> list[float]:
    row: list[float] = []
    for name in names:
        for part in (found[name][:1], found[name][1:]):
            seen = Counter(kind for kinds in part for kind in kinds)
            row += [seen[kind] / max(1, len(part)) for kind in KINDS[name]]
    return row
