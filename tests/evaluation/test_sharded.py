"""Is what an assistant solves measured rightly, and is what the simulator withheld told apart from it?"""

from __future__ import annotations

import math
import threading

import pytest

from repro.data.sharded import sharded_tasks
from repro.evaluation import sharded
from repro.evaluation.sharded import (
    Cell,
    Solved,
    converse,
    drops,
    gain,
    informed,
    solved,
    success_table,
    system_turn,
    told_table,
)
from repro.evaluation.solving import code_of, is_answer, maths_score
from repro.models import Sampling, ScriptedModel
from repro.simulators import Concat, Full, OneByOne, RolePlay, ShardRolePlay, UserLM
from repro.types import Score, Trajectory, Turn

MATHS, CODE = sharded_tasks("maths")[:3], sharded_tasks("code")[:3]
SOLVED = Solved({task.id: task for task in [*MATHS, *CODE]})
TEXTS = {task.id: task.full for task in [*MATHS, *CODE]}


def told_by(user, tasks=MATHS, assistant=None, **options):
    return converse(tasks, user=user, assistant=assistant or informed(tasks), solved=SOLVED, seed=0, **options)


class Forgetful(OneByOne):
    """Leaves out the last shard."""

    name = "forgetful"

    def lines(self, task):
        return super().lines(task)[:-1]


@pytest.mark.parametrize("tasks", [MATHS, CODE], ids=["maths", "code"])
@pytest.mark.parametrize("user", [Full(TEXTS), Concat(), OneByOne()], ids=lambda user: user.name)
def test_who_is_told_everything_solves_everything(tasks, user):
    cell = told_by(user, tasks)
    assert [score.value for score in cell.scores] == [1, 1, 1]
    assert {trajectory.stop for trajectory in cell.held} == {"user_ended"}


@pytest.mark.parametrize("tasks", [MATHS, CODE], ids=["maths", "code"])
def test_what_a_simulator_withholds_cannot_be_solved(tasks):
    cell = told_by(Forgetful(), tasks)
    assert [score.value for score in cell.scores] == [0, 0, 0]
    assert told_table([cell]).set_index("measure").value["coverage"] == pytest.approx(2 / 3)  # two of three pieces


def test_the_assistant_is_told_what_its_family_of_tasks_needs_and_the_writing_prompt_stays():
    heard = []

    def listen(context):
        heard.append(context[0].text)
        return "The answer is 1."

    told_by(Concat(), assistant=ScriptedModel(listen))
    told_by(Concat(), CODE, assistant=ScriptedModel(listen))
    assert set(heard) == {system_turn("maths").text, system_turn("code").text}
    from repro.rollouts import system_prompt

    assert system_prompt().text == "You help people write short texts. If something is missing, ask."


def test_pieces_are_said_one_a_turn_and_nothing_after_the_last():
    (said, *_) = told_by(OneByOne()).held
    assert [turn.text for turn in said.user_turns] == [*MATHS[0].shards, ""]
    assert (said.n_user_turns, said.user_turns[-1].ends) == (3, True)


def test_role_play_has_a_prompt_and_an_agenda_for_pieces_and_is_otherwise_as_it_was():
    model = ScriptedModel("It bakes 40 rolls a day.")
    user = ShardRolePlay(model)
    said = user.told(MATHS[0].task, 0).text
    assert "the question: How many rolls does the bakery bake in a week?; detail 1: It bakes 40 rolls a day." in said
    assert "write" in RolePlay(model).told(MATHS[0].task, 0).text
    assert "The assistant does the work" in said
    held = told_by(user).held[0]
    begun = [turn.text.split(":")[0] for turn in held.user_turns]
    assert begun[0].startswith("How many rolls does the bakery bake in a week?")
    assert begun[1] == "Detail 1"


def test_a_user_model_is_told_the_pieces():
    model = ScriptedModel("40 rolls a day")
    assert UserLM(model).told(MATHS[0].task, 0).text.endswith("\ndetail 2: It is open 6 days a week.")


def test_dialogues_are_kept_and_repeats_are_others(tmp_path):
    first = told_by(OneByOne(), n_repeats=2, folder=tmp_path)
    assert len(first.held) == 2 * len(MATHS)
    assert first.held[0].seed != first.held[3].seed
    silent = ScriptedModel("never asked", name="informed")
    again = told_by(OneByOne(), n_repeats=2, folder=tmp_path, assistant=silent)
    assert [t.turns for t in again.held] == [t.turns for t in first.held]


# is the answer right?


@pytest.mark.parametrize(
    ("answer", "text", "right"),
    [
        ("240", "40 * 6 = 240, so the answer is 240 rolls.", True),
        ("240", "The answer is 40.", False),
        ("1150", "It makes $1,150.", True),
        ("1150", "It makes 1150.00 dollars.", True),
        ("1/6", r"Each gets \boxed{\frac{1}{6}}.", True),
        ("1/6", "Each gets 1/6 of the land.", True),
        ("1/6", "Each gets 1/3 of the land.", False),
        ("1.5", "There are 1.5 litres.", True),
        ("1.5", "There are 3/2 litres.", True),
        ("2.25", "Each pays 4.50/2 dollars.", True),
        ("2.25", "Each pays 4.50/3 dollars.", False),
        ("0.4", "It is 1/2.5 of it.", True),
        ("0.4", "It is 2/0 of it.", False),
    ],
)
@pytest.mark.parametrize("where", ["main thread", "another thread"])
def test_numbers_are_compared_by_value(answer, text, right, where):
    found = []
    if where == "main thread":
        found.append(is_answer(answer, text))
    elif "frac" in text:
        pytest.skip("only math-verify reads LaTeX")
    else:
        thread = threading.Thread(target=lambda: found.append(is_answer(answer, text)))
        thread.start()
        thread.join()
    assert found == [right]


def test_the_last_turn_with_a_number_is_the_attempt():
    assert maths_score("12", ["It is 5.", "Sorry: 12.", "What else?"]).value == 1
    assert maths_score("12", ["It is 12.", "No, 13."]).value == 0
    assert (maths_score("12", ["What?", ""]).value, maths_score("12", []).reason) == (0, "no number")


def test_a_program_is_the_last_block_that_defines_the_function():
    said = "```python\ndef f(x):\n    return x\n```\nUse it:\n```\nprint(f(1))\n```"
    assert code_of(said, "f") == "def f(x):\n    return x"
    assert code_of("```\nx = 1\n```", "f") == "x = 1"
    assert code_of("Sure.\ndef f(x):\n    return x", "f") == "def f(x):\n    return x"
    assert code_of("```python\ndef f(x):\n    return x", "f") == "def f(x):\n    return x"  # cut off
    assert code_of("I cannot.", "f") == ""


def dialogue(task, *said, error=None):
    turns = tuple(Turn("assistant", text) for text in said)
    return Trajectory(task.task, turns, "u", "a", 0, "error" if error else "max_turns", error)


def test_programs_are_run_and_a_failed_dialogue_is_unscored():
    right, wrong = CODE[0].solution, f"```python\n{CODE[0].wrong}\n```"
    scores = SOLVED([dialogue(CODE[0], wrong, right), dialogue(CODE[0], right, wrong), dialogue(CODE[0], "?")])
    assert [score.value for score in scores] == [1, 0, 0]
    assert scores[1].reason.startswith("failed: AssertionError")
    (lost,) = SOLVED([dialogue(CODE[0], error="Timeout: no answer")])
    assert lost.unscored
    assert "Timeout" in lost.reason


# what is made of it


def cell(simulator, values, solver="model", family="maths"):
    tasks = sharded_tasks(family)[: len(values)]
    return Cell(family, simulator, solver, tuple(dialogue(t) for t in tasks), tuple(Score(v) for v in values))


def test_a_gain_is_paired_by_task_over_both_families():
    more = [cell("roleplay", [1, 1, 0, 1]), cell("roleplay", [1, 0], family="code")]
    less = [cell("userlm", [0, 1, 0, 0]), cell("userlm", [1, math.nan], family="code")]
    found, mde = gain(more, less)
    assert found.value == pytest.approx(2 / 5)  # 1, 0, 0, 1, 0 and one unscored
    assert (found.n, found.n_unscored) == (5, 1)
    assert found.low <= 2 / 5 <= found.high
    assert mde > 0


def test_a_gain_that_is_the_same_for_every_task_claims_no_certainty():
    found, mde = gain([cell("roleplay", [0, 0, 0, 0])], [cell("userlm", [0, 0, 0, 0])])
    assert found.value == 0
    assert -found.low == found.high == pytest.approx(0.49, abs=0.005)  # Wilson's upper end of 0 of 4
    assert math.isnan(mde)


def test_no_gain_is_larger_than_what_is_solved_on_the_one_side():
    side = [cell("roleplay", [1, 0, 0, 0]), cell("roleplay", [0, math.nan], family="code")]
    found = solved(side)
    assert (found.value, found.n, found.n_unscored) == (pytest.approx(1 / 5), 5, 1)
    assert gain(side, [cell("userlm", [0, 0, 0, 0]), cell("userlm", [0, 0], family="code")])[0].value <= found.value


def test_a_drop_is_relative_to_what_is_solved_when_told_whole():
    cells = [cell("full", [1, 1, 1, 1, 0]), cell("userlm", [1, 0, 0, 1, 0]), cell("full", [0, 0], "dull")]
    found = drops([*cells, cell("userlm", [0, 0], "dull")])
    assert found["model", "userlm"].value == pytest.approx(1 / 2)  # 1 - 2 / 4
    assert math.isnan(found["dull", "userlm"].value)


def test_a_drop_may_be_below_zero_and_counts_what_is_unscored():
    cells = [cell("full", [1, 1, 1, 1, math.nan]), cell("userlm", [1, 1, 1, 1, 1]), cell("roleplay", [0, 0, 0, 0, 0])]
    found = drops(cells)
    same, lost = found["model", "userlm"], found["model", "roleplay"]
    assert (same.value, same.n, same.n_unscored) == (0, 4, 1)
    assert -same.low == same.high == pytest.approx(0.49, abs=0.005)  # as a gain of 0 in four tasks
    assert (lost.value, lost.high) == (1, 1)
    assert lost.low < 0.1


def test_success_has_an_interval_over_tasks():
    (row,) = success_table([cell("full", [1, 0, math.nan])]).to_dict("records")
    assert (row["value"], row["n"], row["n_unscored"]) == (0.5, 2, 1)
    assert row["low"] < 0.5 < row["high"]


def test_greedy_is_what_it_says():
    (turn,) = informed(MATHS).generate([[Turn("user", "hm")]], sampling=Sampling(temperature=0), seeds=[0])
    assert turn.text == sharded.ASKS
