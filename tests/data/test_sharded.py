"""Is every sharded task what it says: right, checked by its tests, and whole in its pieces?"""

from __future__ import annotations

import re
from fractions import Fraction

import pytest

from repro.data.sharded import pick, sharded_tasks
from repro.errors import ReproError
from repro.evaluation.sharded import informed, is_answer, reveals, run_sandboxed
from repro.evaluation.solving import code_of, maths_score
from repro.evaluation.telling import _features

MATHS, CODE = sharded_tasks("maths"), sharded_tasks("code")
ALL = [*MATHS, *CODE]
ids = [task.id for task in ALL]


def numbers(text):
    return {Fraction(n) for n in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", text)}


def test_there_are_enough_of_both_and_each_has_a_name_of_its_own():
    assert len(MATHS) >= 60
    assert len(CODE) >= 40
    assert len(set(ids)) == len(ids)
    assert len({task.full for task in ALL}) == len({task.shards for task in ALL}) == len(ALL)


def test_the_first_are_easy():
    assert [task.steps for task in MATHS[:16]] == [1] * 16
    assert {task.steps for task in MATHS} >= {1, 2, 3, 4, 5}


@pytest.mark.parametrize("task", ALL, ids=ids)
def test_the_pieces_are_three_to_six_and_the_first_says_what_is_asked(task):
    assert 3 <= len(task.shards) <= 6
    assert task.shards[0].endswith("?") if task.family == "maths" else task.shards[0].startswith("I need a Python")


@pytest.mark.parametrize("task", ALL, ids=ids)
def test_the_pieces_together_say_what_the_whole_text_says(task):
    """Every number and every content word of either is in the other."""
    whole, pieces = _features(task.full), [_features(shard) for shard in task.shards]
    assert set().union(*(numbers for numbers, _ in pieces)) == whole[0]
    said = set().union(*(words for _, words in pieces))
    assert whole[1] - said == set()
    assert said - whole[1] == set()


@pytest.mark.parametrize("task", ALL, ids=ids)
def test_no_piece_can_be_left_out(task):
    """Whoever is told the whole text is told every piece; whoever lacks a piece is not told it by the others."""
    for i, shard in enumerate(task.shards):
        assert reveals(task.shards, i, task.full), shard
        assert not reveals(task.shards, i, "\n".join(task.shards[:i] + task.shards[i + 1 :])), shard


@pytest.mark.parametrize("task", MATHS, ids=[task.id for task in MATHS])
def test_the_answer_follows_from_the_numbers_in_the_pieces(task):
    exact = re.sub(r"\d+", r"Fraction(\g<0>)", task.solve)
    assert eval(exact, {"Fraction": Fraction}) == Fraction(task.answer)
    told = {Fraction(n) for n in _features(" ".join(task.shards))[0]}
    assert numbers(task.solve) <= told | {2, 100}  # halves, the sides of a rectangle, and per cent
    assert is_answer(task.answer, f"Let me think. 17 and 4 are 21. The answer is {task.answer}.")
    assert not is_answer(task.answer, f"The answer is {Fraction(task.answer) + 1}.")


def test_reference_programs_pass_their_tests():
    """All in one program and one run: their functions have different names."""
    found = run_sandboxed("\n\n".join(t.reference for t in CODE), tests="\n".join(t.tests for t in CODE))
    assert found.passed, found.detail


def test_wrong_programs_fail_their_tests():
    tests = "passed = []\n"
    for task in CODE:
        body = "\n".join(f"    {line}" for line in task.tests.splitlines())
        tests += f"try:\n{body}\n    passed.append('{task.id}')\nexcept Exception: pass\n"
    found = run_sandboxed("\n\n".join(task.wrong for task in CODE), tests=tests + "assert passed == [], passed")
    assert found.passed, found.detail


@pytest.mark.parametrize("task", CODE, ids=[task.id for task in CODE])
def test_a_piece_says_how_the_function_is_called(task):
    called = re.search(rf"def {task.entry}\((.*?)\)", task.reference)[1]
    assert f"Call it {task.entry}({called})." in task.shards
    assert f"{task.entry}({called})" in task.full
    assert task.entry in task.tests


@pytest.mark.parametrize("task", ALL, ids=ids)
def test_the_informed_assistant_is_right_if_and_only_if_it_was_told_everything(task):
    from repro.models import Sampling
    from repro.types import Turn

    def answer(said):
        (turn,) = informed(ALL).generate([[Turn("user", said)]], sampling=Sampling(), seeds=[0])
        return turn.text

    def right(text):
        if task.family == "maths":
            return maths_score(task.answer, [text]).value == 1
        return code_of(text, task.entry) == task.reference

    assert right(answer(task.full))
    assert right(answer("\n".join(task.shards)))
    assert not any(right(answer("\n".join(task.shards[:i] + task.shards[i + 1 :]))) for i in range(len(task.shards)))


def test_a_task_tells_simulators_its_pieces_and_not_its_answer():
    task = MATHS[0].task
    assert task.intent == "You are a user chatting with an assistant language model to get help with rolls in a bakery."
    assert [(r.label, r.value) for r in task.requirements] == [
        ("the question", "How many rolls does the bakery bake in a week?"),
        ("detail 1", "It bakes 40 rolls a day."),
        ("detail 2", "It is open 6 days a week."),
    ]
    assert "240" not in str(task)


def test_some_are_picked_from_all_over_the_list():
    assert pick(MATHS, 2) == [MATHS[0], MATHS[32]]  # 64 tasks: the first and the one in the middle
    assert pick(MATHS, 1000) == MATHS
    with pytest.raises(ReproError, match="asked for 0"):
        pick(MATHS, 0)
    with pytest.raises(ReproError, match="no sharded tasks of family 'sql'; have maths, code"):
        sharded_tasks("sql")
