"""How do many machines put questions to a language model: for annotations, and for judging?

`repro judge --cluster` and `repro gap --cluster`: questions that have no answer yet are put in parts, each a task that
loads the model (or calls the endpoint) and hands back the rows that an `Asker` keeps. They are added to its file, under
the keys of the driver's `Asker`, whose model may be no more than a name; whoever asks after that finds the answers,
also where other parts failed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from ..config import load_profile
from ..errors import ReproError, one_line
from ..evaluation.gap.annotate import LLMFacets, questions
from ..evaluation.gap.conversations import Conversation
from ..evaluation.gap.facets import FACETS, Annotator
from ..models.base import ChatModel
from ..models.load import load_model
from ..rollouts.store import append_rows, read_rows
from ..scoring.asking import Asker, Question, Row
from .spread import Resources, kept, map

FAILED = "failed"  # the kind of a row that says why a part broke off; it stays out of the file


def answer(
    asker: Asker, questions: Sequence[Question], *, spec: str, resources: Resources | None = None, on_ray: bool = True
) -> int:
    """Have the questions that `asker` has no answer to answered by the model that `spec` stands for; how many were.

    What any part has answered is in the file in the end; only then it is raised that a part failed.
    """
    store = asker.path.with_name(f"{asker.path.name}.parts")
    n_answered = _moved(store, asker)  # by a run that was killed
    todo = [(asker.key(question), question) for question in asker.missing(questions)]
    parts = [todo[i : i + asker.batch_size] for i in range(0, len(todo), asker.batch_size)]
    how = {f: getattr(asker, f) for f in ("sampling", "retry", "n_tries", "seed", "whole", "batch_size")}
    try:
        told = map(
            partial(_answered, spec=spec, how=how), parts, key=lambda part: [key for key, _ in part], store=store,
            resources=resources, on_ray=on_ray, stay_loaded=True,
        )  # fmt: skip
    finally:
        n_answered += _moved(store, asker)
    if failed := [row["reason"] for part in told for row in part if row.get("kind") == FAILED]:
        raise ReproError(f"{len(failed)} of {len(parts)} parts failed, the first with {failed[0]}")
    return n_answered


def _moved(store: Path, asker: Asker) -> int:
    """Move what parts have answered from their folder to the file, each answer once; how many were new."""
    paths = sorted(store.glob("*.json"))
    rows: list[Row] = [row for path in paths for row in kept(path)]
    said = [row for row in rows if "key" in row and row["key"] not in asker.kept]
    new = {row["key"]: row for row in sorted(said, key=lambda row: bool(row["text"]))}  # of two the one with an answer
    if lines := [*new.values(), *(row for row in rows if row.get("kind") == "usage")]:
        append_rows(asker.path, lines)
    answered = {key: row for key, row in new.items() if row["text"]}
    asker.kept.update(answered)
    for path in paths:
        path.unlink(missing_ok=True)
    with suppress(OSError):  # not there, or a part has just come in, which the next run moves
        store.rmdir()
    return len(answered)


@dataclass(frozen=True)
class SpreadFacets:
    """An `Annotator` whose model is asked by the tasks of a cluster. `spec` is what the model was loaded by."""

    facets: LLMFacets
    spec: str
    resources: Resources
    on_ray: bool = True

    @property
    def name(self) -> str:
        return self.facets.name

    def annotate(
        self, conversations: Sequence[Conversation], facets: Sequence[str] = FACETS
    ) -> list[dict[str, str] | None]:
        """As `LLMFacets.annotate`, which finds nearly all answers there."""
        asked = questions(conversations, facets)
        answer(self.facets.asker, asked, spec=self.spec, resources=self.resources, on_ray=self.on_ray)
        return self.facets.annotate(conversations, facets)


def on_cluster(annotator: Annotator, spec: str, *, profile: str) -> Annotator:
    """The same annotator, spread; rules need no machines."""
    return SpreadFacets(annotator, spec, to_judge(profile)) if isinstance(annotator, LLMFacets) else annotator


def to_judge(profile: str) -> Resources:
    """What one task that judges or annotates takes, as the profile says."""
    c = load_profile(profile).cluster
    return Resources(c.judge_cpus, c.judge_gpus)


def _answered(part: Sequence[tuple[str, Question]], *, spec: str, how: dict[str, Any]) -> list[Row]:
    """The rows of one part, and what they used; where it broke off, those until then and one that says why."""
    model, failed = _model(spec), list[Row]()
    with tempfile.TemporaryDirectory() as folder:
        asker = Asker(model, Path(folder) / "rows.jsonl", **how)
        keys = {asker.key(question): key for key, question in part}
        try:
            asker.ask([question for _, question in part])
        except Exception as error:  # the endpoint is gone, say; what it said before is paid for
            failed = [{"kind": FAILED, "reason": one_line(error)}]
        rows = [*read_rows(asker.path)]
    return [*({**row, "key": keys[row["key"]]} if "key" in row else row for row in rows), *failed]


@cache
def _model(spec: str) -> ChatModel:
    """Loaded once by each worker."""
    return load_model(spec)
