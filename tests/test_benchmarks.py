"""Do the benchmarks measure what they say, and does docs/speed.md show what is on record?"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    """One of the scripts, by name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def test_contestants_take_turns_and_a_run_that_was_stopped_goes_on(script, tmp_path):
    side_by_side, asked = script("side_by_side"), []

    def worker(name, fails_at=99):
        def work(turn):
            if turn == fails_at:
                raise KeyboardInterrupt
            asked.append((name, turn))
            return {"units": 10.0 * turn}

        return work

    kept = tmp_path / "kept.jsonl"
    with pytest.raises(KeyboardInterrupt):
        side_by_side.take_turns({"a": worker("a"), "b": worker("b", fails_at=2)}, 2, kept)
    assert asked == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2)]
    asked.clear()
    turns = side_by_side.take_turns({"a": worker("a"), "b": worker("b")}, 2, kept)
    assert asked == [("b", 0), ("b", 2)]  # who has something left to do warms up again; what was kept is not done again
    assert turns.of("a", "units") == turns.of("b", "units") == [10, 20]  # turn 0 is not counted
    assert all(rate > 1000 for rate in turns.rate("a", "units"))  # nothing was done, in far less than a hundredth
    with kept.open("a") as file:
        file.write('{"name": "a", "turn": 3, "di')  # a crash
    assert side_by_side.Turns(kept, 3).of("a", "units") == [10, 20]


def test_turns_of_other_code_on_another_machine_or_at_another_server_are_not_taken(script, monkeypatch, tmp_path):
    side_by_side = script("side_by_side")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(side_by_side.SERVER, raising=False)

    def places(turns=2):
        asked = argparse.Namespace(turns=turns)
        with side_by_side.recorded("some", asked) as (run, kept):
            run.number("a.number", side_by_side.middle([1.0]))
        record = json.loads((tmp_path / "results/bench/some/run.json").read_text())
        return kept, record["params"]

    first, params = places()
    assert params == {"turns": 2, "code": side_by_side.code()[:12]}
    assert places(turns=5)[0] == first  # more turns of the same
    monkeypatch.setenv(side_by_side.SERVER, "openai:http://h/v1#a,b")
    other, params = places()
    assert params["server"] == "openai:http://h/v1#a,b"
    monkeypatch.setattr(side_by_side.provenance, "hardware", lambda: {"cpu": "another", "cores": 64})
    another = places()[0]
    monkeypatch.setattr(side_by_side, "code", lambda: 64 * "0")
    assert len({first, other, another, places()[0]}) == 4


def test_a_busy_machine_lends_one_core_and_one_thread(tmp_path):
    program = (
        "import os, numpy, torch; from side_by_side import arguments; arguments('What?');"
        "print(len(os.sched_getaffinity(0)), torch.get_num_threads(), len(os.listdir('/proc/self/task')))"
    )
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    environment["PYTHONPATH"] = os.pathsep.join([str(BENCHMARKS), str(BENCHMARKS.parent / "src")])
    command = [sys.executable, "-c", program, "--busy"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "1 1 1\n"


def test_a_ratio_is_of_the_same_turn(script):
    found = script("side_by_side").ratio([2, 30, 4], [1, 10, 4])  # 2, 3 and 1; not 4 over 4
    assert (found.value, found.low, found.high, found.n) == (2, 1, 3, 3)


def test_a_goal_is_reached_from_above_or_from_below(script):
    goal = script("side_by_side").Goal
    assert goal("k", "w", least=2).met_by(2)
    assert not goal("k", "w", least=2).met_by(1.99)
    assert goal("k", "w", most=0.5).met_by(0.5)
    assert not goal("k", "w", most=0.5).met_by(0.51)


def test_every_goal_has_one_side(script):
    for goal in script("side_by_side").goals():
        assert (goal.least is None) != (goal.most is None), goal.key


def test_what_begins_alike_is_read_once(script):
    # 1, 2 and 3 of the first row; 4 of the second; nothing of the third; 2 after nothing, of the fourth
    assert script("limit").n_distinct([[1, 2, 3], [1, 2, 4], [1, 2], [2]]) == 5


def test_slopes_are_of_logarithms(script):
    slope = script("growth").slope
    assert slope([1, 2, 4], [3, 6, 12]) == pytest.approx(1)
    assert slope([1, 2, 4], [5, 20, 80]) == pytest.approx(2)
    assert slope([1, 2, 4], [7, 7, 7]) == pytest.approx(0, abs=1e-9)


def test_clusters_of_the_benchmark_are_of_two_sides_and_length_one(script):
    sides = script("gap").sides(100)
    assert [len(rows) for rows in sides.values()] == [50, 50]
    assert all(math.isclose(float((row**2).sum()), 1, rel_tol=1e-4) for row in sides["sim"])


@pytest.mark.slow
def test_both_ways_to_talk_hold_the_same_conversations(script):
    talking, local = script("talking"), importlib.import_module("repro.models.local")
    tasks = importlib.import_module("repro.data.tasks").make_tasks(3, split="eval", seed=0)
    user, assistant = (local.LocalModel.from_pretrained("tiny", dtype="float32") for _ in range(2))
    ours = talking.Talks(user, assistant, tasks, 3)
    theirs = talking.Talks(talking.plain(user), talking.plain(assistant), tasks, 1)
    for talk in (ours, theirs):
        did = talk(1)
        assert did["conversations"] == 3
        said = [turn for dialogue in talk.held for turn in dialogue.turns]
        assert did["tokens"] == sum(len(turn.token_ids) for turn in said) > 0
        for turn in said:
            ends = {user.format.end_of_turn, user.format.end_of_conversation}
            assert not ends & {*turn.token_ids[:-1]}
    assert [d.task.id for d in ours.held] == [d.task.id for d in theirs.held]


@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("*.py")), ids=lambda path: path.stem)
def test_every_script_finds_what_it_imports(script, path):
    assert script(path.stem).__doc__


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("who", ["Ours", "Stock"])
def test_a_step_of_either_trainer_says_where_its_time_went(script, who):
    rl_step, local = script("rl_step"), importlib.import_module("repro.models.local")
    user, initial = (local.LocalModel.from_pretrained("tiny", dtype="float32") for _ in range(2))
    recipe = rl_step.ours.GRPORecipe(
        max_steps=1, n_groups=1, num_generations=2, learning_rate=1e-3, lora_r=2, lora_layers=1, max_turns=2,
        max_tokens=8, micro_batch=2,
    )  # fmt: skip
    did = getattr(rl_step, who)(user, initial, recipe, time.perf_counter)(1)
    assert did["trained"] > 0
    assert all(did[part] > 0 for part in rl_step.PARTS)
    assert sum(did[part] for part in rl_step.PARTS) <= did["step"]
    if who == "Ours":
        assert 2 <= did["trained"] <= 2 * 2 * 8  # dialogues x turns x tokens
        assert did["trained"] < did["passed"] <= did["padded"]
        assert did["passed"] == did["needed"]  # each row is read once for the loss
        assert did["read"] > 0 < did["distinct"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_of_the_steps_of_a_run_the_first_and_the_last_are_not_timed(script, monkeypatch):
    gpu, local = script("gpu"), importlib.import_module("repro.models.local")
    user, initial = (local.LocalModel.from_pretrained("tiny", dtype="float32") for _ in range(2))
    monkeypatch.setattr(gpu.ours, "GRPORecipe", functools.partial(small, gpu.ours.GRPORecipe))
    numbers = gpu.Steps(user, initial, "transformers", 2, 1).numbers()
    assert set(numbers) == {"seconds", "tokens_per_s", "rollouts"}  # an engine that is the trainer is not apart from it
    assert {one.n for one in numbers.values()} == {2}
    assert 0 < numbers["rollouts"].low <= numbers["rollouts"].high < 1


def small(recipe, **settings):
    """The same recipe with little to draw and to learn."""
    return recipe(**settings | {"num_generations": 2, "micro_batch": 2, "max_turns": 2, "max_tokens": 8})


def measured(**values):
    estimate = importlib.import_module("repro.types").Estimate
    return {key.replace("__", "."): estimate(value, value, value, 5) for key, value in values.items()}


@pytest.mark.parametrize(
    ("numbers", "labels"),
    [
        ({}, []),
        ({"sft__vs_trl": 1.2}, ["times as fast"]),
        ({"sft__vs_trl": 1.2, "growth__gap__time": 1}, ["times as fast", "slope"]),
        ({"sft__vs_trl": 1, "rl_step__ours__rollouts": 0.5, "growth__gap__time": 1}, ["times", "where", "slope"]),
    ],
)
def test_what_was_not_measured_has_no_panel(script, numbers, labels):
    page = script("page")
    fig, data = page.figure(measured(**numbers))
    assert len(data) == len(numbers)
    assert [ax.get_xlabel()[: len(label)] for ax, label in zip(fig.axes, labels, strict=True)] == labels


def test_no_goal_s_mark_strikes_through_a_number(script):
    """Just at the goal, just above it or below, and in a panel of many rows."""
    page = script("page")
    slopes = {goal.key: 1.04 for goal in page.goals() if goal.key.startswith("growth.")}
    fig, _ = page.figure(measured(sft__vs_trl=1.0, gap__vs_published_10000=5.1, rollouts__vs_generate=1.9, **slopes))
    fig.draw_without_rendering()
    n_numbers = 0
    for ax in fig.axes:
        numbers = [text.get_window_extent() for text in ax.texts]
        n_numbers += len(numbers)
        for mark in (line for line in ax.lines if line.get_marker() == "|"):
            reach = mark.get_markersize() / 2 * fig.dpi / 72
            x, y = ax.transData.transform((mark.get_xdata()[0], mark.get_ydata()[0]))
            assert not any(box.x0 <= x <= box.x1 and box.y0 < y + reach and y - reach < box.y1 for box in numbers)
    assert n_numbers == 3 + len(slopes)


def test_the_page_says_first_how_much_is_known(script):
    page = script("page")
    numbers = measured(sft__vs_trl=0.9, growth__gap__time=1.0)
    assert page.tally(numbers) == f"2 of {len(page.goals())} goals are measured, 1 of them reached"
    assert page.tables().startswith(f"**{page.tally(page.measured())}.**")


def test_the_tables_in_the_docs_are_what_the_records_say(script):
    """Written by benchmarks/page.py, never by hand."""
    page = script("page")
    shown = page.DOCS.read_text("utf-8").split(page.BEGIN)[1].split(page.END)[0]
    assert shown.strip("\n") == page.tables()
