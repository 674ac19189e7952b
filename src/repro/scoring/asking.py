"""How do we get an answer of a known form out of a language model, once and for all?

A question is asked of any `ChatModel`; the answer is held to a schema, by the endpoint where it can be and by us in any
case. What is not JSON is repaired if that is possible, and the row says so. What does not fit is asked for again, a few
times, and if it never fits it is unscored: its row says why, and the next run asks anew. Answers are kept in a JSONL
file under a key of everything that decides them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from ..errors import ReproError, one_line
from ..models.base import ChatModel, MeteredModel, Sampling, identity_of
from ..models.hashes import digest
from ..models.usage import Meter, Usage, guessed_tokens
from ..rollouts.store import append_rows, read_rows
from ..seeds import derive
from ..types import Turn

BATCH_SIZE = 64  # questions between two writes: what a stop can lose. ours
Row = dict[str, Any]
Numbered = tuple[int, "Question"]  # a question with its place among those that are asked
Said = tuple[int, str, str]  # the place of a question, what the model said, and "" or why it failed


@dataclass(frozen=True)
class Answer:
    """What was read: `text` is "" where nothing could be, and `reason` then says why."""

    text: str = ""
    repaired: bool = False  # the model did not write JSON, and json-repair made some of it
    reason: str = ""


@dataclass(frozen=True)
class Question:
    """What a model is asked, the schema of its answer, and how that is read. `about` goes into the row as it is."""

    system: str
    text: str
    schema: Mapping[str, Any]
    read: Callable[[str], Answer]
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def turns(self) -> list[Turn]:
        return [Turn("system", self.system), Turn("user", self.text)]


@dataclass(frozen=True)
class Asker:
    """A model with a file of its answers. The first try is sampled by `sampling`, further ones by `retry`, if given."""

    model: ChatModel
    path: Path
    sampling: Sampling
    retry: Sampling | None = None
    n_tries: int = 3
    seed: int = 0
    whole: bool = False  # keep prompts, every try and the settings in each row as well
    batch_size: int = BATCH_SIZE

    def ask(self, questions: Sequence[Question], *, label: str = "") -> list[Row]:
        """One row a question, same order; equal questions are asked once. A row without `text` is no answer."""
        from tqdm import tqdm

        keys = [self.key(question) for question in questions]
        rows, unscored = self.kept, dict[str, Row]()
        todo = [(key, q) for key, q in dict(zip(keys, questions, strict=True)).items() if key not in rows]
        parts = [dict(todo[i : i + self.batch_size]) for i in range(0, len(todo), self.batch_size)]
        for part in tqdm(parts, desc=label or self.model.name, unit="batch", disable=not parts):
            before, answered = meter.total if (meter := self._meter) else Usage(), dict[str, Row]()
            try:
                self._answer(part, answered)
            finally:  # what was answered before a stop is paid for
                new = [self._row(answered[key], q) for key, q in part.items() if key in answered]
                used = [{"kind": "usage", **asdict(meter.total - before)}] if meter and meter.total != before else []
                append_rows(self.path, [*new, *used])
                rows |= {row["key"]: row for row in new if row["text"]}
            unscored |= {row["key"]: row for row in new if not row["text"]}
        return [rows[key] if key in rows else unscored[key] for key in keys]

    @cached_property
    def kept(self) -> dict[str, Row]:
        """The answers so far, by key: those in the file, which is read once, and ours since.

        Rows without an answer, of a run that failed or was stopped, do not count.
        """
        return {row["key"]: row for row in read_rows(self.path) if row.get("text") and "key" in row}

    def missing(self, questions: Sequence[Question]) -> list[Question]:
        """What would have to be asked: each question once that has no answer yet."""
        return [q for key, q in {self.key(q): q for q in questions}.items() if key not in self.kept]

    def used(self) -> Usage:
        """Calls and tokens over all runs that wrote into the file, as the endpoint counted them."""
        rows = [row for row in read_rows(self.path) if row.get("kind") == "usage"]
        return sum((Usage(*(int(r[k]) for k in asdict(Usage()))) for r in rows), Usage())

    def key(self, question: Question) -> str:
        """Whatever decides an answer: the model, how it samples, seed and tries, all that it reads, and the schema."""
        asked = [question.system, question.text, question.schema]
        return digest([self.settings, *asked])

    @property
    def settings(self) -> Row:
        retry = asdict(self.retry or self.sampling)
        sampled = {"sampling": asdict(self.sampling), "retry": retry}
        return {"model": identity_of(self.model), **sampled, "seed": self.seed, "n_tries": self.n_tries}

    @property
    def _meter(self) -> Meter | None:
        return self.model.meter if isinstance(self.model, MeteredModel) else None

    def _answer(self, part: Mapping[str, Question], rows: dict[str, Row]) -> None:
        """Fill `rows` as answers come: each question is asked again, with another seed, until an answer fits."""
        for trial in range(1, self.n_tries + 1):
            left = {key: q for key, q in part.items() if key not in rows or not rows[key]["text"]}
            keys, sampling = [*left], self.sampling if trial == 1 else self.retry or self.sampling
            seeds = [derive(self.seed, key, trial) for key in keys]
            for i, text, failed in self._said([*enumerate(left.values())], sampling, seeds):
                key, question = keys[i], left[keys[i]]
                answer = Answer(reason=failed) if failed else question.read(text)
                tries = [*rows[key]["said"], text] if key in rows else [text]
                rows[key] = {"key": key, **question.about, "tries": trial, **asdict(answer), "said": tries}

    def _row(self, row: Row, question: Question) -> Row:
        if not self.whole:
            return {name: value for name, value in row.items() if name != "said"}
        return {**row, "system": question.system, "question": question.text, "settings": self.settings}

    def _said(self, asked: Sequence[Numbered], sampling: Sampling, seeds: Sequence[int]) -> Iterator[Said]:
        """What the model says to each, in any order; a question that it cannot take costs nobody theirs."""
        by_schema: dict[str, list[Numbered]] = {}
        for i, question in asked:
            by_schema.setdefault(digest(question.schema), []).append((i, question))
        for alike in by_schema.values():
            yield from self._said_alike(alike, sampling, seeds)

    def _said_alike(self, asked: Sequence[Numbered], sampling: Sampling, seeds: Sequence[int]) -> Iterator[Said]:
        """The same of questions whose answers have one schema."""
        model = self.model.held_to(asked[0][1].schema) if isinstance(self.model, MeteredModel) else self.model
        try:
            turns = model.generate([q.turns for _, q in asked], sampling=sampling, seeds=[seeds[i] for i, _ in asked])
        except ReproError:
            raise
        except Exception as error:
            if len(asked) == 1:
                yield asked[0][0], "", one_line(error)
                return
            for one in asked:
                yield from self._said_alike([one], sampling, seeds)
            return
        cut = f"cut off after {sampling.max_tokens} tokens"  # repaired, half a number would be another number
        for (i, _), turn in zip(asked, turns, strict=True):
            yield i, turn.text, cut if "truncated" in turn.flags else ""


def read_json(said: str, check: Callable[[str], str]) -> Answer:
    """The answer that `check` makes of JSON (a ValueError: it does not fit), repaired if it has to be.

    What pydantic or `json` cannot parse is repaired once: JSON within a fence or between words, or in single
    quotes. `repaired` says so.
    """
    from json_repair import repair_json

    try:
        return Answer(check(said))
    except ValueError as error:
        if not _is_no_json(error):
            return Answer(reason=reason_of(error))
    try:
        return Answer(check(repair_json(said)), repaired=True)
    except ValueError as error:
        return Answer(repaired=True, reason=reason_of(error))


def reason_of(error: ValueError) -> str:
    """Why an answer does not fit, in a few words."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'answer'}: {first['msg']}"


def _is_no_json(error: ValueError) -> bool:
    from pydantic import ValidationError

    if isinstance(error, JSONDecodeError):
        return True
    return isinstance(error, ValidationError) and any(one["type"] == "json_invalid" for one in error.errors())


def planned(asker: Asker, questions: Sequence[Question]) -> Usage:
    """About what would be used, if each question took one try and as many tokens as it may write."""
    todo = asker.missing(questions)
    prompts = sum(guessed_tokens(q.system) + guessed_tokens(q.text) for q in todo)
    return Usage(len(todo), prompts, len(todo) * asker.sampling.max_tokens)
