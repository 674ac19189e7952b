"""Does the contract pass what keeps it, and name what breaks it?"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest

from repro.cli import main
from repro.evaluation.contract import check_contract
from repro.seeds import derive
from repro.simulators import Exhaustive, ReferenceUsers, load_simulator
from repro.types import Turn


def results(user) -> dict[str, str]:
    return {check.name: check.result for check in check_contract(user)}


@pytest.mark.parametrize("user", [ReferenceUsers(), Exhaustive(), load_simulator("examples/telegraph.py:Telegraph")])
def test_scripted_users_keep_it(user):
    assert "failed" not in results(user).values()


def test_role_play_of_a_random_model_keeps_it_too():
    assert "failed" not in results(load_simulator("roleplay:tiny", dtype="float32")).values()


@dataclass
class User:
    """Keeps the contract, but for what a test changes."""

    name: str = "user"

    def reply(self, tasks, dialogues, *, seed):
        return [
            self.turn(task, d, Random(derive(seed, task.id, len(d)))) for task, d in zip(tasks, dialogues, strict=True)
        ]

    def turn(self, task, dialogue, draw):
        if len(dialogue) > 5:
            return Turn("user", "fine", ends=True)
        return Turn("user", f"please do {draw.random():.6f} of it")


class Fails(User):
    def reply(self, tasks, dialogues, *, seed):
        raise RuntimeError("no licence\nanywhere")


class Short(User):
    def reply(self, tasks, dialogues, *, seed):
        return super().reply(tasks, dialogues, seed=seed)[1:]


class NoList(User):
    def reply(self, tasks, dialogues, *, seed):
        return "hello" if tasks else []


class Strings(User):
    def turn(self, task, dialogue, draw):
        return "hello"


class Assistant(User):
    def turn(self, task, dialogue, draw):
        return Turn("assistant", "hello")


class Changes(User):
    def turn(self, task, dialogue, draw):
        dialogue.append(Turn("user", "x"))
        return Turn("user", "x")


class Silent(User):
    def turn(self, task, dialogue, draw):
        return super().turn(task, dialogue, draw) if dialogue else Turn("user", "")


class Quitter(User):
    def turn(self, task, dialogue, draw):
        return Turn("user", "bye", ends=True)


class Marked(User):
    def turn(self, task, dialogue, draw):
        return Turn("user", "hello<|im_end|>")


class Reciter(User):
    def turn(self, task, dialogue, draw):
        return Turn("user", "\n".join(f"{r.label}: {r.value}" for r in task.requirements))


class Unseeded(User):
    random = Random(0)

    def turn(self, task, dialogue, draw):
        return super().turn(task, dialogue, self.random)


class ByPlace(User):
    def reply(self, tasks, dialogues, *, seed):
        return [Turn("user", f"number {i} of {len(tasks)}") for i in range(len(tasks))]


class Stubborn(User):
    def turn(self, task, dialogue, draw):
        return Turn("user", "again")


class FailsAlone(User):
    def reply(self, tasks, dialogues, *, seed):
        if len(tasks) == 6:
            raise KeyError("half a batch")
        return super().reply(tasks, dialogues, seed=seed)


BROKEN = [
    (FailsAlone, "speaks", "it raised KeyError: 'half a batch'"),
    (Fails, "speaks", "it raised RuntimeError: no licence"),
    (Short, "speaks", "asked for 12 turns, got 11"),
    (NoList, "speaks", "asked for 12 turns, got str"),
    (Strings, "speaks", "reply returned 'hello'"),
    (Assistant, "speaks", "each has to be a Turn"),
    (Changes, "speaks", "reply changed the dialogues"),
    (Silent, "opens", "12 are empty"),
    (Quitter, "opens", "12 end the dialogue"),
    (Marked, "role", "marks of a chat template"),
    (Reciter, "format", "recites the task's record"),
    (Unseeded, "same seed", "0% of turns"),
    (ByPlace, "batching", "0% of turns"),
]


@pytest.mark.parametrize(("kind", "name", "words"), BROKEN)
def test_what_breaks_it_is_named(kind, name, words):
    failed = {check.name: check.found for check in check_contract(kind()) if check.result == "failed"}
    assert words in failed[name]


def test_what_is_unusual_is_noted_and_passes():
    found = results(Stubborn())
    assert {name for name, result in found.items() if result == "noted"} >= {"other seed", "leaving"}
    assert "failed" not in found.values()


def test_the_command_prints_every_check_and_fails_with_one_sentence(root, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(root)
    assert main(["simulators", "check", "examples/half_and_half.yaml"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("half_and_half, 12 dialogues\n")
    assert out.count("passed") >= 7
    (tmp_path / "mine.py").write_text(
        "class Mine:\n    name = 'mine'\n    def reply(self, tasks, d, *, seed):\n        1 / 0\n"
    )
    assert main(["simulators", "check", f"{tmp_path}/mine.py:Mine"]) == 2
    out, err = capsys.readouterr()
    assert "it raised ZeroDivisionError: division by zero" in out
    assert err.count("\n") == 1
    assert "does not keep the contract: speaks" in err
    assert main(["simulators", "check", "oracle", "-n", "1"]) == 2


def test_the_command_lists_what_has_a_name(capsys):
    assert main(["simulators", "list"]) == 0
    assert "roleplay_persona     ours" in capsys.readouterr().out
