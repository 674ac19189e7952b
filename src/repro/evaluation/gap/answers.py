"""What may a language model answer when it is asked about a facet?

One JSON object a facet, with the fields that its prompt asks for; dialogue acts are labels, a list for each turn of the
user. The text that stands for the conversation is made from the fields, in their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from ...scoring.asking import Answer, read_json
from .dialogue_acts import DAMSL, SGD
from .facets import in_words

FIELDS: Mapping[str, tuple[str, ...]] = {
    "requests": ("specification", "unfolding", "changes"),
    "responses": ("answers", "corrections", "acceptance", "ending"),
    "context": ("given", "timing"),
    "style": ("tone", "verbosity", "formatting", "politeness", "framing"),
}
LABELS: Mapping[str, tuple[str, ...]] = {"damsl": DAMSL, "sgd": SGD}
MOST = 400  # characters of a field; ours: what is longer is no description


def schema_of(facet: str) -> dict[str, Any]:
    """The JSON schema of an answer, for endpoints that can be held to one."""
    schema: dict[str, Any] = _model(facet).model_json_schema()
    return schema


def read_answer(said: str, facet: str, *, n_turns: int) -> Answer:
    """The text that `said` gives for a conversation with `n_turns` turns of the user."""
    return read_json(said, lambda text: _text(facet, _model(facet).model_validate_json(text), n_turns))


@cache
def _model(facet: str) -> Any:
    from pydantic import ConfigDict, Field, create_model

    if facet in FIELDS:
        fields: dict[str, Any] = {name: (str, Field(min_length=1, max_length=MOST)) for name in FIELDS[facet]}
    else:
        one_of: Any = Literal
        fields = {"turns": (list[list[one_of[LABELS[facet]]]], ...)}
    return create_model(facet.capitalize(), __config__=ConfigDict(extra="forbid"), **fields)


def _text(facet: str, answer: Any, n_turns: int) -> str:
    if facet in FIELDS:
        return "\n".join(f"{name}: {getattr(answer, name)}" for name in FIELDS[facet])
    if len(answer.turns) != n_turns:
        raise ValueError(f"labels for {len(answer.turns)} turns of {n_turns}")
    return in_words(answer.turns)
