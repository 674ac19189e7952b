"""What does a row of this corpus say?

WildChat (arXiv 2405.01470), PRISM (arXiv 2404.16019), LMSYS-Chat-1M (arXiv 2309.11998) and plain `messages` rows are
read into the same few fields. Only these are taken: request headers, times and whatever else identifies somebody stay
behind. A schema is recognised by its columns, so that a local file and the hub are read by the same code.

What a turn says is text, or OpenAI's list of parts where all of them are text; a dialogue with anything else in it (an
image, a tool's call, no turns at all) is left out by `fault`, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from repro.errors import ReproError

_ADDRESS = re.compile(r"\s*(?:\d{1,3}(?:\.\d{1,3}){3}|(?=\S*::|(?:[0-9a-fA-F]+:){7})[0-9a-fA-F:.]+)(?:/\d+)?\s*")
_ROLES = {"human": "user", "prompter": "user", "model": "assistant", "gpt": "assistant", "bot": "assistant"}
Said = list[tuple[str, str | None]]  # role and words, in order; None: what was said is not text
_TEXT_PARTS = ("text", "input_text", "output_text")  # as chat completions and responses call them


@dataclass(frozen=True)
class Read:
    """What is taken of a row. `user` is a pseudonym; "" where the corpus has none."""

    id: str
    messages: Said
    user: str = ""
    country: str = ""
    language: str = ""
    intent: str = ""
    toxic: bool = False


def wildchat(row: Mapping[str, Any]) -> Read:
    """`hashed_ip` is a hash when it reaches us."""
    return Read(
        _text(row["conversation_hash"]), _said(row["conversation"]), _text(row.get("hashed_ip")),
        _text(row.get("country")), _text(row.get("language")), toxic=bool(row.get("toxic")),
    )  # fmt: skip


def lmsys(row: Mapping[str, Any]) -> Read:
    """No users: every conversation counts as one of its own."""
    flagged = any(_flagged(one) for one in row.get("openai_moderation") or ())
    return Read(
        _text(row["conversation_id"]), _said(row["conversation"]), language=_text(row.get("language")), toxic=flagged
    )


def prism(row: Mapping[str, Any]) -> Read:
    """People choose among several answers at each turn; the chosen one is what the conversation went on from."""
    history = [m for m in _listed(row["conversation_history"]) if _role(m) != "assistant" or m.get("if_chosen", True)]
    return Read(_text(row["conversation_id"]), _said(history), _text(row.get("user_id")))


def messages(row: Mapping[str, Any]) -> Read:
    """Rows of one's own: `messages`, and where there are any `id`, `user_id`, `country`, `language`, `intent`."""
    user, country, language, intent = (_text(row.get(key)) for key in ("user_id", "country", "language", "intent"))
    said = _said(row["messages"])
    return Read(_text(row.get("id")), said, user, country, language, intent, toxic=bool(row.get("toxic")))


# Recognised by these columns, in this order.
SCHEMAS: dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Read]]] = {
    "wildchat": (("conversation_hash", "conversation"), wildchat),
    "prism": (("conversation_id", "conversation_history"), prism),
    "lmsys": (("conversation_id", "conversation"), lmsys),
    "messages": (("messages",), messages),
}


def schema_of(columns: Sequence[str], source: str) -> str:
    """The schema whose columns are all there."""
    for name, (needed, _) in SCHEMAS.items():
        if set(needed) <= set(columns):
            return name
    known = "; ".join(f"{name}: {', '.join(needed)}" for name, (needed, _) in SCHEMAS.items())
    raise ReproError(f"{source} has the columns {', '.join(columns)}, which are of no schema we know ({known})")


def is_address(name: str) -> bool:
    """Whether somebody is named by an IP address, which must not be kept."""
    return bool(_ADDRESS.fullmatch(name))


def fault(said: Said) -> str:
    """Why a dialogue cannot be learned from, "" if it can: arXiv 2605.09808 wants turns that alternate, none empty."""
    if any(text is None for _, text in said):
        return "a turn that is not text"
    roles = [role for role, _ in said]
    if not said or roles[0] != "user":
        return "does not begin with the user"
    if any(role != ("user", "assistant")[i % 2] for i, role in enumerate(roles)):
        return "roles do not alternate"
    if not all(text and text.strip() for _, text in said):
        return "an empty turn"
    return "" if len(said) > 1 else "nobody answered"


def _said(turns: Any) -> Said:
    """Role and words of each turn; what stands before the user's first turn as a system prompt is not the user's."""
    said = [(_role(turn), _words(turn)) for turn in _listed(turns)]
    return said[1:] if said and said[0][0] == "system" else said


def _listed(turns: Any) -> list[Any]:
    """The turns; what is no list counts as one turn that says no text."""
    return list(turns) if isinstance(turns, list | tuple) else [turns] if turns is not None else []


def _role(turn: Any) -> str:
    role = _text(turn.get("role")).lower() if isinstance(turn, Mapping) else ""
    return _ROLES.get(role, role)


def _words(turn: Any) -> str | None:
    """What a turn says, its parts a line each; "" if nothing, None where it is not text."""
    if not isinstance(turn, Mapping):
        return None
    content = turn.get("content") or ""
    if isinstance(content, list | tuple):
        parts = [_part(part) for part in content]
        return None if None in parts else "\n".join(map(str, parts))
    return content if isinstance(content, str) else None


def _part(part: Any) -> str | None:
    is_text = isinstance(part, Mapping) and part.get("type") in _TEXT_PARTS and isinstance(part.get("text"), str)
    return str(part["text"]) if is_text else None


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _flagged(judged: Any) -> bool:
    return bool(judged.get("flagged")) if isinstance(judged, Mapping) else False
