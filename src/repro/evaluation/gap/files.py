"""How far are the conversations of some files from those of another?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...errors import ReproError
from .conversations import Schema, read_conversations
from .gap import Gaps, behavioral_gaps

SCHEMAS: dict[str, tuple[Schema, Schema]] = {
    "messages": ("messages", "messages"),
    "paired": ("real_messages", "simulated_messages"),  # both sides in one line, as the published set has them
}


def gaps_of_files(real: str | Path, simulated: Sequence[str], *, schema: str = "messages", **how: Any) -> Gaps:
    """`simulated` are NAME=FILE; `how` is what `behavioral_gaps` takes."""
    if schema not in SCHEMAS:
        raise ReproError(f"no schema '{schema}'; have {', '.join(SCHEMAS)}")
    if how.get("k", 2) < 2:
        raise ReproError(f"k is {how['k']}; tell 2 kinds of behaviour apart or more")
    pairs = [_pair(text) for text in simulated]
    if len(dict(pairs)) < len(pairs):
        raise ReproError("two simulators have one name; give each a name of its own")
    mine, theirs = SCHEMAS[schema]
    sides = {name: read_conversations(path, schema=theirs) for name, path in pairs}
    return behavioral_gaps(read_conversations(real, schema=mine), sides, **how)


def _pair(text: str) -> tuple[str, str]:
    name, _, path = text.partition("=")
    if not name or not path:
        raise ReproError(f"a simulator is given as NAME=FILE, found '{text}'")
    return name, path
