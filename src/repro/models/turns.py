"""Which tokens may be drawn in a turn, and which turn do they make?

The same for every engine that is given token ids: transformers, vLLM in process, vLLM behind a port.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..types import Role, Turn
from .base import Sampling
from .chat import ChatFormat


@dataclass(frozen=True)
class Rules:
    """Ids that end a turn, that are never drawn, and that are not drawn first."""

    stop: frozenset[int]
    banned: tuple[int, ...]
    banned_first: tuple[int, ...]


def rules(chat: ChatFormat, sampling: Sampling, role: Role) -> Rules:
    """No turn is empty, and only a user may end the conversation, by a turn of that token alone if they like."""
    ends = {chat.end_of_turn, chat.end_of_conversation} - {-1}
    banned = [] if role == "user" and sampling.may_end else [chat.end_of_conversation]
    firsts = {first for text in sampling.suppress_first for first in chat.encode(text)[:1]}
    return Rules(frozenset(ends), tuple(b for b in banned if b >= 0), (*sorted(firsts), chat.end_of_turn))


def prompts(
    chat: ChatFormat, contexts: Sequence[Sequence[Turn]], role: Role, prefixes: Sequence[str] | None
) -> tuple[list[list[int]], list[list[int]]]:
    """What is read before each turn, and the part of it that the turn begins with."""
    before = [chat.ids(context, role) for context in contexts]
    begun = [chat.encode(prefix) for prefix in prefixes or [""] * len(before)]
    return [a + b for a, b in zip(before, begun, strict=True)], begun


def check_length(ids: Sequence[Sequence[int]], sampling: Sampling, n_readable: int, name: str) -> None:
    """A dialogue that is too long for the model raises a plain ValueError: it is data, not the caller's mistake."""
    n_needed = max(map(len, ids), default=0) + sampling.max_tokens
    if n_needed > n_readable:
        raise ValueError(f"{name!r} can read {n_readable} tokens; this dialogue needs {n_needed}")


def turn_of(chat: ChatFormat, role: Role, prefix: Sequence[int], ids: Sequence[int], logps: Sequence[float]) -> Turn:
    """The turn of a prefix and of what was drawn after it."""
    ended = ids[-1] == chat.end_of_conversation
    closed = ended or ids[-1] == chat.end_of_turn
    every = (*prefix, *ids)
    flags = () if closed else ("truncated",)
    body = every[:-1] if closed else every
    return Turn(role, text_of(chat.tokenizer, body), ended, every, None if prefix else tuple(logps), flags)


def text_of(tokenizer: Any, ids: Sequence[int]) -> str:
    text: str = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text.strip()
