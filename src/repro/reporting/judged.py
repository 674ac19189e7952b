"""What does a person type to have answers judged, and what do they see?

repro judge --answers mine=a.jsonl --answers theirs=b.jsonl --judge openai:URL#MODEL --dry-run
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from repro.models.usage import Price, Usage
from repro.types import Estimate

from .record import as_json, write_whole


def add_verb(verbs: Any) -> None:
    """`repro judge`, for the command line."""
    judge = verbs.add_parser("judge", help="have answers to tasks judged: by checklist, by score, or in pairs")
    judge.add_argument("--tasks", metavar="FILE", help="JSONL in WildBench's schema, or wildbench@COMMIT (ours, 40)")
    judge.add_argument("--answers", action="append", required=True, metavar="NAME=FILE", help="session_id and output")
    judge.add_argument("--judge", default="verifier", metavar="SPEC", help="openai:URL#MODEL, ..., or verifier: rules")
    judge.add_argument("--kind", default="checklist", help="checklist, score or pair: each with the first (checklist)")
    judge.add_argument("--k", type=int, default=500, help="a slight win by more characters is a tie; -1: off (500)")
    judge.add_argument("--price", metavar="IN,OUT", help="dollars per million tokens, for the cost")
    judge.add_argument("--notes", metavar="FILE", help="where verdicts are kept (~/.cache/repro/verdicts.jsonl)")
    judge.add_argument("--seed", type=int, default=0)
    judge.add_argument("--cluster", nargs="?", const="cpu", metavar="PROFILE", help="ask from Ray tasks (as in cpu)")
    judge.add_argument("--out", metavar="FOLDER", help="also write records and numbers there")
    judge.add_argument("--dry-run", action="store_true", help="only say how many calls there would be, and their cost")
    judge.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    from repro.cluster import answer, named, to_judge
    from repro.evaluation import judging
    from repro.evaluation.bench_tasks import OURS, read_tasks, source_of
    from repro.models import load_model
    from repro.scoring.judge import Judge

    price = Price.parse(arguments.price) if arguments.price else None
    tasks, answers = read_tasks(arguments.tasks or OURS), judging.read_answers(arguments.answers)
    load = named if arguments.cluster else load_model
    judge = judging.load_judge(arguments.judge, notes=arguments.notes, seed=arguments.seed, load=load)
    judging.check_judging(tasks, answers, judge, arguments.kind)
    if arguments.dry_run:
        usage = judging.plan_judging(tasks, answers, judge, kind=arguments.kind)
        print(planned_text(usage, price, judge.n_tries if isinstance(judge, Judge) else 0))
        return
    if arguments.cluster and isinstance(judge, Judge):
        asked = judging.questions(tasks, answers, arguments.kind)
        answer(judge.asker, asked, spec=arguments.judge, resources=to_judge(arguments.cluster))
    judged = judging.judge_answers(tasks, answers, judge, kind=arguments.kind, k=arguments.k)
    print(f"{len(tasks)} tasks, judged by {judge.name}, {arguments.kind}")
    print("\n".join(f"  {key:<40} {value}" for key, value in judged.numbers.items()))
    if isinstance(judge, Judge):
        print(used_text(judge.asker.used(), price))
    if arguments.out:
        how = {"tasks": source_of(arguments.tasks or OURS), "judge": judge.name}
        how |= {key: vars(arguments)[key] for key in ("kind", "k", "seed")}
        _write(Path(arguments.out), how, {k: judging.as_lines(r) for k, r in judged.records.items()}, judged.numbers)


def planned_text(usage: Usage, price: Price | None, n_tries: int) -> str:
    """What a run would ask and cost."""
    calls = f"{usage.n_calls} calls, {usage.n_calls * n_tries} at most (up to {n_tries} tries each)"
    tokens = f"about {usage.prompt_tokens} tokens in, {usage.completion_tokens} out at most, if each takes one try"
    return f"{calls}\n{tokens}\n{_cost(usage, price, 'at most about ')}" if usage.n_calls else "nothing to ask"


def used_text(usage: Usage, price: Price | None) -> str:
    """What was asked so far, by all runs that kept their verdicts in the same file."""
    if not usage.n_calls:
        return "the model counts no tokens"
    counted = f"{usage.n_calls} calls, {usage.prompt_tokens} tokens in, {usage.completion_tokens} out"
    return f"{counted} (all runs with these notes)\n{_cost(usage, price, '')}"


def _cost(usage: Usage, price: Price | None, how: str) -> str:
    cost = usage.cost(price)
    return "no price given (--price IN,OUT)" if math.isnan(cost) else f"{how}${cost:.2f}"


def _write(folder: Path, how: Mapping[str, Any], records: Mapping[str, str], numbers: Mapping[str, Estimate]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kind = how["kind"]
    for name, lines in records.items():
        write_whole(folder / f"{kind}-{name}.jsonl", lines)
    told = {key: as_json(key, value) for key, value in numbers.items()}
    write_whole(folder / f"{kind}-numbers.json", json.dumps(told, indent=1) + "\n")
    write_whole(folder / f"{kind}-settings.json", json.dumps(how, indent=1) + "\n")
