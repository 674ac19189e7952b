"""What leaves a study, and what does each column mean?

Votes, chats and participants as CSV, parquet and JSON lines with a codebook: votes in the columns that notebook 08
(`votes_path`) reads, each conversation in the `messages` format of `repro gap --real` and notebook 05 (`real_path`).
Participants are random ids; neither PROLIFIC_PIDs nor their hashes leave the database.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO
from typing import Any

from sqlmodel import col, select

from .store import Store
from .tables import Answer, Ballot, Comparison, Look, Message, Participant
from .talk import LABELS

Row = dict[str, Any]
COLUMNS = {
    "votes": {
        "participant": "random id of the participant",
        "number": "place of the comparison in the participant's session, from 1",
        "task": "id of the task",
        "a": "first assistant of the pair, as the study names it",
        "b": "second assistant of the pair",
        "vote": "a, b, tie (no difference) or both_bad (neither is good); empty: opened and not voted",
        "position": "a_first or b_first: which of the two was shown as A",
        "left_out": "true: of somebody who failed more attention checks than the study allows; not analysed",
        "first": "the assistant that was shown as A",
        "choice": "the vote as the participant saw it: A, B, tie or both_bad",
        "winner": "the assistant that was chosen; empty for tie, both_bad and no vote",
        "strength": "1 slightly, 2 clearly, 3 by far; empty without a winner",
        "reason": "in the participant's words; may be empty",
        "seconds": "from opening the comparison to the vote",
        "n_messages_A": "messages the participant wrote to the assistant shown as A",
        "n_messages_B": "the same for B",
        "n_failed_checks": "attention checks the participant did not pass",
        "voted_at": "seconds since 1970, UTC",
    },
    "participants": {
        "participant": "random id of the participant",
        "place": "place in the schedule",
        "joined_at": "seconds since 1970, UTC: when they agreed to the consent text",
        "instructed_at": "when they had read the instructions; empty: they left before",
        "finished_at": "when the last vote or check was in; empty: unfinished",
        "withdrawn_at": "when they withdrew their data; all they wrote is deleted then",
        "n_votes": "votes cast",
        "n_failed_checks": "attention checks not passed",
    },
    "conversations": {
        "user_id": "random id of the participant",
        "messages": "what was said: a list of role (user, assistant) and content",
        "assistant": "who answered, as the study names it",
        "label": "A or B, as the participant saw it",
        "task": "id of the task",
        "number": "place of the comparison in the session, from 1",
        "seconds_to_first_words": "how long each reply took to begin",
    },
}


def vote_rows(store: Store) -> list[Row]:
    """Every comparison that was opened, voted or not; people who withdrew are gone."""
    with store.database.reading() as session:
        opened = select(Comparison).where(Comparison.step != "").order_by(col(Comparison.id))
        comparisons = session.exec(opened).all()
        ballots = {ballot.comparison_id: ballot for ballot in session.exec(select(Ballot)).all()}
        said = session.exec(select(Message.comparison_id, Message.label).where(Message.role == "user")).all()
    failed, allowed = _failed(store), store.design.max_failed_checks
    counts = Counter(said)
    return [_vote_row(c, ballots.get(c.id or 0), counts, failed[c.participant_id], allowed) for c in comparisons]


def _vote_row(
    c: Comparison, ballot: Ballot | None, counts: Mapping[tuple[int, str], int], n_failed: int, allowed: int
) -> Row:
    choice = ballot.choice if ballot else None
    winner = c.arm(choice) if choice in LABELS else None
    return {
        "participant": c.participant_id,
        "number": c.number + 1,
        "task": c.task,
        "a": c.a,
        "b": c.b,
        "vote": {c.a: "a", c.b: "b", None: choice}[winner],
        "position": "a_first" if c.first == c.a else "b_first",
        "left_out": n_failed > allowed,
        "first": c.first,
        "choice": choice,
        "winner": winner,
        "strength": ballot.strength if ballot else None,
        "reason": ballot.reason if ballot else None,
        "seconds": round(ballot.at - (c.opened_at or ballot.at), 1) if ballot else None,
        **{f"n_messages_{label}": counts.get((c.id or 0, label), 0) for label in LABELS},
        "n_failed_checks": n_failed,
        "voted_at": ballot.at if ballot else None,
    }


def _failed(store: Store) -> Counter[str]:
    with store.database.reading() as session:
        return Counter(session.exec(select(Answer.participant_id).where(col(Answer.passed).is_(False))).all())


def participant_rows(store: Store) -> list[Row]:
    """Everybody who agreed to take part, in the order in which they came."""
    failed = _failed(store)
    with store.database.reading() as session:
        people = session.exec(select(Participant).order_by(col(Participant.joined_at))).all()
        voted = Counter(session.exec(select(Comparison.participant_id).join(Ballot)).all())
    kept = ("place", "joined_at", "instructed_at", "finished_at", "withdrawn_at")
    return [
        {
            "participant": person.id,
            **{name: getattr(person, name) for name in kept},
            "n_votes": voted[person.id],
            "n_failed_checks": failed[person.id],
        }
        for person in people
    ]


def conversation_rows(store: Store) -> list[Row]:
    """Each chat in which something was said, in the `messages` format."""
    with store.database.reading() as session:
        comparisons = {c.id: c for c in session.exec(select(Comparison)).all()}
        order = (col(Message.comparison_id), col(Message.label), col(Message.turn))
        messages = session.exec(select(Message).order_by(*order)).all()
    chats: dict[tuple[int, str], list[Message]] = {}
    for message in messages:
        chats.setdefault((message.comparison_id, message.label), []).append(message)
    return [_conversation(comparisons[key], label, said) for (key, label), said in chats.items()]


def _conversation(c: Comparison, label: str, said: Sequence[Message]) -> Row:
    return {
        "user_id": c.participant_id,
        "messages": [{"role": message.role, "content": message.text} for message in said],
        "assistant": c.arm(label),
        "label": label,
        "task": c.task,
        "number": c.number + 1,
        "seconds_to_first_words": [message.seconds for message in said if message.role == "assistant"],
    }


def look_rows(store: Store) -> list[Row]:
    with store.database.reading() as session:
        looks = session.exec(select(Look).order_by(col(Look.at))).all()
    return [{"at": look.at, "n_votes": look.n_votes} for look in looks]


def export_files(store: Store) -> dict[str, bytes]:
    """Every file of an export by name."""
    tables = {
        "votes": vote_rows(store),
        "participants": participant_rows(store),
        "conversations": conversation_rows(store),
    }
    files: dict[str, bytes] = {"codebook.md": _codebook(store).encode()}
    for name, rows in tables.items():
        files[f"{name}.jsonl"] = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
        files[f"{name}.parquet"] = _parquet(rows, list(COLUMNS[name]))
        if name != "conversations":
            files[f"{name}.csv"] = _csv(rows, list(COLUMNS[name]))
    return files


def _csv(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    """A cell that a spreadsheet would run as a formula gets an apostrophe before it."""
    import csv

    text = StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(value) for key, value in row.items()})
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _parquet(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: [row[name] for row in rows] for name in columns})
    file = BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def times(n: int) -> str:
    """How often, in words."""
    return "once" if n == 1 else f"{n} times"


def _codebook(store: Store) -> str:
    design, looks = store.design, look_rows(store)
    lines = [
        f"# Codebook of the study {design.name}",
        "",
        f"Title: {design.title}",
        "",
        f"Assistants: {', '.join(design.assistants)}. Each participant compares {design.n_comparisons} "
        f"of {len(design.all_pairs)} pairs, {design.layout.replace('_', ' ')}.",
        f"Win rates were looked at {times(len(looks))} while votes came in.",
    ]
    for table, columns in COLUMNS.items():
        lines += ["", f"## {table}", "", "| column | meaning |", "| --- | --- |"]
        lines += [f"| {name} | {meaning} |" for name, meaning in columns.items()]
    return "\n".join(lines) + "\n"
