"""Are dialogues with the initial assistant held once, and again when something that matters has changed?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from repro.config import load_profile
from repro.evaluation.talks import talk_tasks, talks
from repro.models import ScriptedModel
from repro.training import checkpoints
from repro.training.lab import Lab
from repro.types import Turn

SMOKE = load_profile("smoke")


class Counted:
    name = "counted"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def reply(self, tasks, dialogues, *, seed):
        self.asked += [task.id for task, dialogue in zip(tasks, dialogues, strict=True) if not dialogue]
        return [Turn("user", "a note please", ends=bool(dialogue)) for dialogue in dialogues]


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(Lab, "initial", lambda self: ScriptedModel(["Dear all."] * 99))
    monkeypatch.setattr(checkpoints, "load_record", lambda folder: {"sha256": folder.name})
    return Lab(SMOKE, root=tmp_path)


def test_what_was_held_is_not_held_again_and_more_adds_to_it(lab):
    user = Counted()
    first = talks(lab, {"counted": user}, n=3, seed=0)
    again = talks(lab, {"counted": user}, n=5, seed=0)
    assert user.asked == [task.id for task in talk_tasks(5, seed=0)]
    assert again["counted"][:3] == first["counted"]


def test_another_seed_setting_or_user_is_another_dialogue(lab, tmp_path):
    user = Counted()
    talks(lab, {"counted": user}, n=2, seed=0)
    talks(lab, {"counted": user}, n=2, seed=1)
    talks(lab, {"counted": user}, n=2, seed=0, made_of={"counted": "other code"})
    talks(Lab(replace(SMOKE, max_turns=1), root=tmp_path), {"counted": user}, n=2, seed=0)
    assert len(user.asked) == 8


def test_a_path_is_a_name_too(lab, tmp_path):
    talks(lab, {"path/to/user": Counted()}, n=2, seed=0)
    assert [path.name.partition("-")[0] for path in tmp_path.glob("work/smoke/talks/*")] == ["path_to_user"]
