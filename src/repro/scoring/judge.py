"""What does a language model think of an answer, and how do we know that it was asked properly?

Three kinds of question, each with a form that the verdict has to have: which points of a checklist are met (as in arXiv
2605.09808: true or false, a point met in part is not met), a score from 1 to 10, and which of two answers is better, in
both orders. First tries at temperature 0, further ones at 0.3, a bounded number of them. A verdict with too few or too
many points, with points out of order, without the question's ticket or with fields of its own is rejected; what never
fits is unscored. Prompts, all tries and all settings are kept with each verdict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from ..models.base import ChatModel, Sampling
from ..types import Score, Trajectory, Turn
from .asking import Answer, Asker, Question, Row, read_json
from .rules import document_of
from .untrusted import Shown, notes_on, shown, ticket_of

SAMPLING = Sampling(temperature=0.0, max_tokens=2048)  # arXiv 2605.09808: the first try is greedy
RETRY = Sampling(temperature=0.3, max_tokens=2048)  # arXiv 2605.09808: retries at 0.3
MOST_REASON = 2000  # characters of a reason; ours: what is longer is no reason
CHOICES = ("A++", "A+", "A=B", "B+", "B++")
NAN = float("nan")
Kind = Literal["checklist", "score", "pair"]


@dataclass(frozen=True)
class Case:
    """What was asked of the assistants, and the points that a good answer covers."""

    id: str
    query: str
    history: tuple[Turn, ...] = ()
    checklist: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What the judge said. `value` is None where it is unscored, and `reason` then says why.

    Of a checklist `value` is a list of truth values, of a score a whole number, of a pair one of `CHOICES`.
    """

    case: str
    value: Any
    reason: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)  # tries, repaired, suspicious, n_hidden, n_cut


@dataclass(frozen=True)
class Judge:
    """A model that judges; verdicts are kept in `path`, a JSONL file that several judges may share."""

    model: ChatModel
    path: str | Path
    sampling: Sampling = SAMPLING
    retry: Sampling = RETRY
    n_tries: int = 3
    seed: int = 0

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def asker(self) -> Asker:
        return Asker(
            self.model, Path(self.path), self.sampling, self.retry, n_tries=self.n_tries, seed=self.seed, whole=True
        )

    def checklist(self, cases: Sequence[Case], answers: Sequence[str]) -> list[Verdict]:
        """Which points each answer meets, a list as long as the checklist; a case without one is unscored."""
        asked = [checklist_question(c, a) if c.checklist else None for c, a in zip(cases, answers, strict=True)]
        return self._judged(cases, asked, lambda form: [item["met"] for item in form["items"]])

    def score(self, cases: Sequence[Case], answers: Sequence[str]) -> list[Verdict]:
        """A whole number from 1 to 10 for each answer."""
        asked = [score_question(c, a) for c, a in zip(cases, answers, strict=True)]
        return self._judged(cases, asked, lambda form: form["score"])

    def pair(self, cases: Sequence[Case], ours: Sequence[str], theirs: Sequence[str]) -> list[tuple[Verdict, Verdict]]:
        """Which is better, with ours as answer A, and again with ours as B. Both verdicts say A for ours."""
        there = [pair_question(c, a, b) for c, a, b in zip(cases, ours, theirs, strict=True)]
        back = [pair_question(c, b, a) for c, a, b in zip(cases, ours, theirs, strict=True)]
        found = self._judged([*cases, *cases], [*there, *back], lambda form: form["verdict"])
        turned = [Verdict(v.case, swapped(v.value), v.reason, v.notes) for v in found[len(cases) :]]
        return list(zip(found[: len(cases)], turned, strict=True))

    def _judged(self, cases: Sequence[Case], asked: Sequence[Question | None], value: Any) -> list[Verdict]:
        rows = iter(self.asker.ask([q for q in asked if q], label=f"{self.name} judges"))
        return [
            _verdict(case, next(rows), value) if question else Verdict(case.id, None, "no checklist")
            for case, question in zip(cases, asked, strict=True)
        ]


@dataclass(frozen=True)
class ChecklistScorer:
    """A `Scorer` that asks a judge: the share of a task's requirements that the document meets, in [0, 1]."""

    judge: Judge

    @property
    def name(self) -> str:
        return f"checklist_{self.judge.name}"

    def __call__(self, trajectories: Sequence[Trajectory]) -> list[Score]:
        documents = [None if t.error else document_of(t) for t in trajectories]
        cases = [
            Case(t.task.id, t.task.intent, (), tuple(f"{r.label}: {r.value}" for r in t.task.requirements) if d else ())
            for t, d in zip(trajectories, documents, strict=True)
        ]
        verdicts = self.judge.checklist(cases, [d.text if d else "" for d in documents])
        return [_score(t, d, v) for t, d, v in zip(trajectories, documents, verdicts, strict=True)]


def _score(trajectory: Trajectory, document: Turn | None, verdict: Verdict) -> Score:
    if trajectory.error:
        return Score(NAN, f"the dialogue failed: {trajectory.error}")
    if document is None and trajectory.task.requirements:
        return Score(0.0, details={"met": [False] * len(trajectory.task.requirements)})
    if verdict.value is None:
        return Score(NAN, verdict.reason)
    return Score(sum(verdict.value) / len(verdict.value), details={"met": verdict.value, **verdict.notes})


def _verdict(case: Case, row: Row, value: Any) -> Verdict:
    notes = {key: row[key] for key in ("tries", "repaired", "suspicious", "n_hidden", "n_cut")}
    if not row["text"]:
        return Verdict(case.id, None, row["reason"], notes)
    return Verdict(case.id, value(json.loads(row["text"])), notes=notes)


def checklist_question(case: Case, answer: str) -> Question:
    return _question("checklist", case, {"answer": answer}, len(case.checklist))


def score_question(case: Case, answer: str) -> Question:
    return _question("score", case, {"answer": answer})


def pair_question(case: Case, first: str, second: str) -> Question:
    return _question("pair", case, {"answer A": first, "answer B": second})


def _question(kind: Kind, case: Case, answers: Mapping[str, str], n_items: int = 0) -> Question:
    """The question about `answers`; a block for each, for what the user asked, and for what was said before."""
    ticket = ticket_of(kind, case, *answers.values())
    texts = {"what the user asks": case.query, **answers}
    if case.history:
        said = "\n".join(f"{turn.role}: {turn.text}" for turn in case.history)
        texts = {"what was said before": said, **texts}
    blocks = {name: shown(name, text, ticket=ticket) for name, text in texts.items()}
    about = {"kind": kind, "case": case.id, **notes_on(answers, blocks)}
    read = partial(read_verdict, kind=kind, ticket=ticket, n_items=n_items)
    text = f"{_filled(kind, case, blocks, [*answers])}\nThe ticket of this question is {ticket}."
    return Question(prompt("judge"), text, schema_of(kind, n_items), read, about)


def _filled(kind: Kind, case: Case, blocks: Mapping[str, Shown], answers: Sequence[str]) -> str:
    """The prompt with its places filled, each once and none inside what was filled in."""
    history = blocks.get("what was said before")
    slots = ("first", "second") if kind == "pair" else ("answer",)
    filled = {
        "{history}": f"{history.block}\n" if history else "",
        "{query}": blocks["what the user asks"].block,
        "{items}": "\n".join(f"{i}. {' '.join(item.split())}" for i, item in enumerate(case.checklist, 1)) or "(none)",
        "{n}": str(len(case.checklist)),
        **{f"{{{slot}}}": blocks[name].block for slot, name in zip(slots, answers, strict=True)},
    }
    return re.sub("|".join(map(re.escape, filled)), lambda place: filled[place[0]], prompt(kind))


def read_verdict(said: str, *, kind: Kind, ticket: str, n_items: int) -> Answer:
    """The verdict in `said` as JSON of its form, or why it is none."""
    return read_json(said, lambda text: _checked(text, kind, ticket, n_items))


def _checked(text: str, kind: Kind, ticket: str, n_items: int) -> str:
    form = _form(kind).model_validate_json(text)
    if form.ticket != ticket:
        raise ValueError("ticket: not that of the question")
    if kind == "checklist" and [item.item for item in form.items] != list(range(1, n_items + 1)):
        raise ValueError(f"items: {len(form.items)} of {n_items}, or not numbered 1 to {n_items}")
    return str(form.model_dump_json())


def schema_of(kind: Kind, n_items: int = 0) -> dict[str, Any]:
    """The JSON schema of a verdict, for endpoints that can be held to one."""
    schema: dict[str, Any] = _form(kind).model_json_schema()
    if kind == "checklist":
        schema["properties"]["items"] |= {"minItems": n_items, "maxItems": n_items}
    return schema


@cache
def _form(kind: Kind) -> Any:
    from pydantic import ConfigDict, Field, StrictBool, create_model

    strict = ConfigDict(extra="forbid")
    said: Any = (str, Field(max_length=MOST_REASON))
    ticket: dict[str, Any] = {"ticket": (str, Field(pattern=r"^[0-9a-f]{16}$"))}
    if kind == "score":
        number: Any = (int, Field(ge=1, le=10, strict=True))
        return create_model("Scored", __config__=strict, **ticket, strengths=said, weaknesses=said, score=number)
    if kind == "pair":
        choice: Any = (Literal[CHOICES], ...)
        return create_model("Compared", __config__=strict, **ticket, comparison=said, verdict=choice)
    item: Any = create_model("Item", __config__=strict, item=(int, ...), reason=said, met=(StrictBool, ...))
    return create_model("Checked", __config__=strict, **ticket, items=(list[item], ...))


def swapped(choice: str | None) -> str | None:
    """The same verdict with the two answers in the other order."""
    return None if choice is None else choice.translate(str.maketrans("AB", "BA")).replace("B=A", "A=B")


@cache
def prompt(name: str) -> str:
    """The text of `prompts/<name>.txt`."""
    return (resources.files(__package__) / "prompts" / f"{name}.txt").read_text("utf-8").strip()
