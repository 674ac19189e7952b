"""How do many machines put questions to a language model: for annotations, and for judging?

`repro judge --cluster` and `repro gap --cluster`: questions that have no answer yet are put in parts, each a task that
loads the model (or calls the endpoint) and hands back the rows that an `Asker` keeps. They are added to its file, under
the keys of the driver's `Asker`, whose model may be no more than a name; whoever asks after that finds the answers.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from ..config import load_profile
from ..evaluation.gap.annotate import LLMFacets, questions
from ..evaluation.gap.conversations import Conversation
from ..evaluation.gap.facets import FACETS, Annotator
from ..models.base import ChatModel
from ..models.load import load_model
from ..rollouts.store import append_rows, read_rows
from ..scoring.asking import Asker, Question, Row
from .spread import Resources, map


def answer(
    asker: Asker, questions: Sequence[Question], *, spec: str, resources: Resources | None = None, on_ray: bool = True
) -> int:
    """Have the questions that `asker` has no answer to answered by the model that `spec` stands for; how many were."""
    todo = [(asker.key(question), question) for question in asker.missing(questions)]
    parts = [todo[i : i + asker.batch_size] for i in range(0, len(todo), asker.batch_size)]
    how = {f: getattr(asker, f) for f in ("sampling", "retry", "n_tries", "seed", "whole", "batch_size")}
    store = asker.path.with_name(f"{asker.path.name}.parts")
    told = map(
        partial(_answered, spec=spec, how=how), parts, key=lambda part: [key for key, _ in part], store=store,
        resources=resources, on_ray=on_ray, stay_loaded=True,
    )  # fmt: skip
    rows = [row for part in told for row in part]
    append_rows(asker.path, rows)
    asker.kept.update({row["key"]: row for row in rows if row.get("text")})
    shutil.rmtree(store, ignore_errors=True)  # all of it is in the file
    return sum(bool(row.get("text")) for row in rows)


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
    """The rows of one part, and what they used."""
    with tempfile.TemporaryDirectory() as folder:
        asker = Asker(_model(spec), Path(folder) / "rows.jsonl", **how)
        rows = asker.ask([question for _, question in part])
        used = [row for row in read_rows(asker.path) if row.get("kind") == "usage"]
    return [*({**row, "key": key} for (key, _), row in zip(part, rows, strict=True)), *used]


@cache
def _model(spec: str) -> ChatModel:
    """Loaded once by each worker."""
    return load_model(spec)
