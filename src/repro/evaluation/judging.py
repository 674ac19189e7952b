"""What do a judge's verdicts on several assistants' answers come to?

Answers to the same tasks are judged by a model, or by the verifier of rules, and become records in the public format of
WildBench, and from these its numbers. An answer that is missing is unscored. Nothing is asked twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

from ..data.lines import given_rows
from ..errors import ReproError
from ..models.base import ChatModel
from ..models.hashes import cache_path
from ..models.load import load_model
from ..models.usage import Usage
from ..scoring.asking import Question, planned
from ..scoring.judge import Judge, Kind, Verdict, checklist_question, pair_question, score_question
from ..scoring.verifier import ChecklistVerifier
from ..types import Estimate
from .bench_tasks import BenchTask
from .wildbench import K, checklist_votes, satisfaction, wb_reward, wb_score, wb_task_macro, wins

Answers = Mapping[str, Mapping[str, str]]  # by assistant and task id
Records = dict[str, list[dict[str, Any]]]  # by assistant, or `<a>_vs_<b>`
Judging = Judge | ChecklistVerifier


@dataclass(frozen=True)
class Judged:
    """The records, and the numbers that they come to."""

    records: Records
    numbers: Mapping[str, Estimate]


def load_judge(
    spec: str, *, notes: str | Path | None = None, seed: int = 0, load: Callable[[str], ChatModel] = load_model
) -> Judging:
    """`verifier`, or whatever `load` finds; `notes` is where verdicts are kept."""
    if spec == "verifier":
        return ChecklistVerifier()
    return Judge(load(spec), notes or cache_path() / "verdicts.jsonl", seed=seed)


def read_answers(given: Sequence[str]) -> dict[str, dict[str, str]]:
    """`NAME=FILE` each: JSONL with `session_id` and `output` (text, or a list of one) or `model_output`."""
    found: dict[str, dict[str, str]] = {}
    for text in given:
        name, _, path = text.partition("=")
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", name) or not path or name in found:
            raise ReproError(f"answers are given as NAME=FILE, each name once, of letters and digits; found '{text}'")
        found[name] = _answers(Path(path))
    return found


def _answers(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, row in given_rows(path, "answers"):
        session, said = _answer(row, place)
        if session in found:
            raise ReproError(f"{place} answers session {session} a second time; give one answer a session")
        found[session] = said
    if not found:
        raise ReproError(f"{path} has no answers; give a JSONL file with session_id and output")
    return found


def _answer(row: Mapping[str, Any], place: str) -> tuple[str, str]:
    said = row.get("output", row.get("model_output"))
    said = said[0] if isinstance(said, list) and len(said) == 1 else said
    identity = row.get("session_id", row.get("id"))
    if identity is None or not isinstance(said, str):
        raise ReproError(f"{place} has {', '.join(sorted(row)) or 'nothing'}; needs session_id and output")
    return str(identity), said


def judge_answers(tasks: Sequence[BenchTask], answers: Answers, judge: Judging, *, kind: Kind, k: int = K) -> Judged:
    """Every assistant's answers, or for pairs those of each assistant against those of the first."""
    check_judging(tasks, answers, judge, kind)
    if kind == "pair":
        assert isinstance(judge, Judge)
        return _pairs(tasks, answers, judge, k)
    records = {name: _records(tasks, name, mine, judge, kind) for name, mine in answers.items()}
    numbers: dict[str, Estimate] = {}
    tags = {task.id: task.tags for task in tasks}
    for name, mine in records.items():
        if kind == "score":
            numbers |= {f"wb_score.{name}": wb_score(mine), f"wb_task_macro.{name}": wb_task_macro(mine, tags)}
        else:
            numbers[f"satisfied.{name}"] = satisfaction(mine)
    for b, a in combinations(records, 2) if kind == "checklist" else ():
        found = wins(checklist_votes(a, records[a], b, records[b]), a=a, b=b)
        numbers |= {f"{key}.{a}_vs_{b}": value for key, value in found.items()}
    return Judged(records, numbers)


def plan_judging(tasks: Sequence[BenchTask], answers: Answers, judge: Judging, *, kind: Kind) -> Usage:
    """About what `judge_answers` would still use if each question took one try: calls and tokens."""
    check_judging(tasks, answers, judge, kind)
    if isinstance(judge, ChecklistVerifier):
        return Usage()
    return planned(judge.asker, questions(tasks, answers, kind))


def questions(tasks: Sequence[BenchTask], answers: Answers, kind: Kind) -> list[Question]:
    """All that a judge is asked about some answers."""
    first, *others = answers.values()
    if kind == "pair":
        both = [(t.case, mine[t.id], first[t.id]) for mine in others for t in tasks if t.id in mine and t.id in first]
        return [pair_question(c, *order) for c, a, b in both for order in ((a, b), (b, a))]
    ask = checklist_question if kind == "checklist" else score_question
    cases = [task.case for task in tasks if task.case.checklist or kind == "score"]
    return [ask(case, mine[case.id]) for mine in answers.values() for case in cases if case.id in mine]


def _records(
    tasks: Sequence[BenchTask], name: str, mine: Mapping[str, str], judge: Judging, kind: Kind
) -> list[dict[str, Any]]:
    there = [task for task in tasks if task.id in mine]
    if isinstance(judge, ChecklistVerifier):
        verdicts = [_verified(judge, task, mine[task.id]) for task in there]
    else:
        ask = judge.checklist if kind == "checklist" else judge.score
        verdicts = ask([t.case for t in there], [mine[t.id] for t in there])
    found = {verdict.case: verdict for verdict in verdicts}
    field = "met" if kind == "checklist" else "score"
    rows = []
    for task in tasks:
        verdict = found.get(task.id, Verdict(task.id, None, "no answer"))
        said = {"model_test": name, "model_output": mine.get(task.id, ""), field: verdict.value}
        rows.append({"session_id": task.id, **said, "reason": verdict.reason, **verdict.notes})
    return rows


def _verified(judge: ChecklistVerifier, task: BenchTask, answer: str) -> Verdict:
    met = judge(task.rules, answer)
    known = bool(met) and None not in met
    return Verdict(task.id, met if known else None, "" if known else "a point without a rule")


def _pairs(tasks: Sequence[BenchTask], answers: Answers, judge: Judge, k: int) -> Judged:
    (reference, theirs), *others = answers.items()
    records: Records = {}
    for name, mine in others:
        both = [task for task in tasks if task.id in mine and task.id in theirs]
        cases = [task.case for task in both]
        verdicts = judge.pair(cases, [mine[t.id] for t in both], [theirs[t.id] for t in both])
        found = dict(zip((task.id for task in both), verdicts, strict=True))
        missing = Verdict("", None, "no answer")
        records[f"{name}_vs_{reference}"] = [
            _compared(task.id, verdict, order, {name: mine.get(task.id, ""), reference: theirs.get(task.id, "")})
            for task in tasks
            for order, verdict in zip(("a_first", "b_first"), found.get(task.id, (missing, missing)), strict=True)
        ]
    return Judged(records, {f"wb_reward.{pair}": wb_reward(rows, k=k) for pair, rows in records.items()})


def _compared(session: str, verdict: Verdict, order: str, outputs: Mapping[str, str]) -> dict[str, Any]:
    """A verdict as a record: who won, and how clearly. The first of `outputs` is A."""
    ours, theirs = outputs
    choice = verdict.value
    winner = None if choice is None else "tie" if choice == "A=B" else ours if choice[0] == "A" else theirs
    extent = None if choice is None else 0 if choice == "A=B" else choice.count("+")
    said = {"winner": winner, "extent": extent, "model_outputs": dict(outputs), "order": order}
    return {"session_id": session, "model_test": ours, **said, "reason": verdict.reason, **verdict.notes}


def check_judging(tasks: Sequence[BenchTask], answers: Answers, judge: Judging, kind: Kind) -> None:
    """Raise where these answers cannot be judged that way, before anything is asked."""
    if kind not in get_args(Kind):
        raise ReproError(f"no kind of judging '{kind}'; have {', '.join(get_args(Kind))}")
    if isinstance(judge, ChecklistVerifier) and kind != "checklist":
        raise ReproError(f"the verifier checks rules and cannot judge by {kind}; give a model, or --kind checklist")
    if not answers or (kind == "pair" and len(answers) < 2):
        raise ReproError(f"judging by {kind} takes answers of {2 if kind == 'pair' else 1} or more; got {len(answers)}")
    known = {task.id for task in tasks}
    for name, mine in answers.items():
        if not known & set(mine):
            some = next(iter(mine), "none")
            raise ReproError(f"'{name}' answers none of the tasks (session {some}, say); give the tasks it answers")


def as_lines(records: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
