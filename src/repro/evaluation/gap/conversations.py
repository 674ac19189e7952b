"""Which conversations are compared?

Two files of conversations are enough, one JSON object a line or parquet: `messages` (role, content), and where there
are any `id`, `user_id` and `domain`. The published set of 24 simulators keeps both sides in a line, as `real_messages`
and `simulated_messages`. Dialogues rolled out here are taken as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from ...data.lines import given_rows
from ...errors import ReproError
from ...rollouts.parquet import read_rows_of
from ...types import Role, Trajectory, Turn

Schema = Literal["messages", "real_messages", "simulated_messages"]


@dataclass(frozen=True)
class Conversation:
    """What was said. `user` is who is resampled: conversations of one user belong together."""

    id: str
    user: str
    turns: tuple[Turn, ...]
    domain: str = ""
    error: str = ""  # of a dialogue that failed: it is compared with none, and counted

    @property
    def user_turns(self) -> list[Turn]:
        return [turn for turn in self.turns if turn.role == "user"]


def of_trajectories(trajectories: Iterable[Trajectory]) -> list[Conversation]:
    """One each, in order, also of dialogues that failed: those are unscored. A silent leave is no turn."""
    return [
        Conversation(
            t.task.id, t.task.user_id, tuple(turn for turn in t.turns if turn.text), t.task.domain, t.error or ""
        )
        for t in trajectories
    ]


def read_conversations(path: str | Path, *, schema: Schema = "messages") -> list[Conversation]:
    """All conversations of a JSONL or parquet file, held to one schema. What cannot be read raises with its place."""
    if schema not in get_args(Schema):
        raise ReproError(f"no schema '{schema}'; have {', '.join(get_args(Schema))}")
    found = [_conversation(row, schema, where) for where, row in _rows(Path(path))]
    if not found:
        raise ReproError(f"{path} holds no conversations; give one JSON object a line")
    _check_ids(found, path)
    return found


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row after the place where it stands, one at a time; parquet by its suffix, else JSONL."""
    if path.suffix == ".parquet":
        return ((f"{path}, row {number}", row) for number, row in enumerate(read_rows_of(path), 1))
    return iter(given_rows(path, "conversations"))


def _conversation(row: Mapping[str, Any], schema: Schema, where: str) -> Conversation:
    if schema not in row:
        other = next((name for name in get_args(Schema) if name in row), None)
        hint = f"it has '{other}': name that schema" if other else f"it has {', '.join(map(str, row)) or 'nothing'}"
        raise ReproError(f"{where} has no '{schema}'; {hint}")
    turns = tuple(_turn(message, where) for message in _listed(row[schema], where))
    if not any(turn.role == "user" for turn in turns):
        raise ReproError(f"{where} has no user turn; leave out conversations in which the user says nothing")
    name = str(row.get("id", where))
    return Conversation(name, str(row.get("user_id", name)), turns, str(row.get("domain", "")))


def _listed(messages: Any, where: str) -> Sequence[Any]:
    if isinstance(messages, list):
        return messages
    raise ReproError(f"{where} has messages that are no list; give a list of role and content")


def _turn(message: Any, where: str) -> Turn:
    said: Any = message if isinstance(message, dict) else {}
    role, content = said.get("role"), said.get("content")
    if role not in get_args(Role) or not isinstance(content, str):
        raise ReproError(f"{where} has a message without a role of {', '.join(get_args(Role))} and text as its content")
    return Turn(role, content)


def _check_ids(conversations: Sequence[Conversation], path: str | Path) -> None:
    seen: set[str] = set()
    for one in conversations:
        if one.id in seen:
            raise ReproError(f"{path} has two conversations with the id '{one.id}'; ids have to differ")
        seen.add(one.id)
