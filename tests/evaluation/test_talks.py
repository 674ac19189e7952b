"""Are dialogues held once, and again when something that matters has changed?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from repro.config import load_profile
from repro.evaluation.talks import hold, study_tasks, talk_tasks, talks
from repro.models import ScriptedModel
from repro.training import checkpoints
from repro.training.lab import Lab
from repro.types import Turn

SMOKE = load_profile("smoke")
OPENED: list[tuple[str, int | None]] = []  # assistants that were loaded


class Counted:
    name = "counted"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def reply(self, tasks, dialogues, *, seed):
        self.asked += [task.id for task, dialogue in zip(tasks, dialogues, strict=True) if not dialogue]
        return [Turn("user", "a note please", ends=bool(dialogue)) for dialogue in dialogues]


def opened(lab, arm, seed):
    OPENED.append((arm, seed))
    return ScriptedModel(["Dear all."] * 99)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(Lab, "assistant", opened)
    monkeypatch.setattr(
        Lab, "adapter", lambda self, arm, seed: Path(arm if seed is None else f"assistant-{arm}-s{seed}")
    )
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
    assert [path.name.partition("-")[0] for path in tmp_path.glob("work/smoke/talks/*.jsonl")] == ["path_to_user"]


def test_an_assistant_is_loaded_only_if_a_dialogue_is_missing(lab):
    user, both = Counted(), [("initial", None), ("userlm", 1)]
    OPENED.clear()
    first = hold(lab, both, tasks=study_tasks(3, seed=0), user=user, seed=0)
    assert both == OPENED
    assert hold(lab, both, tasks=study_tasks(3, seed=0), user=user, seed=0) == first
    assert both == OPENED
    hold(lab, both[1:], tasks=study_tasks(4, seed=0), user=user, seed=0)
    assert [*both, ("userlm", 1)] == OPENED
    assert len(user.asked) == 3 + 3 + 1  # one more task, and only with the one assistant


def test_an_assistant_of_no_name_here_is_known_by_its_weights(lab):
    user, mine = Counted(), ("mine", 0)
    own = {mine: (ScriptedModel(["Hello."] * 99), "weights")}
    held = hold(lab, [mine], tasks=study_tasks(2, seed=0), user=user, seed=0, own=own)
    assert held[mine][0].turns[1].text == "Hello."
    retrained = {mine: (ScriptedModel(["Hi."] * 99), "other weights")}
    assert hold(lab, [mine], tasks=study_tasks(2, seed=0), user=user, seed=0, own=retrained)[mine] != held[mine]


def test_two_who_need_the_same_dialogues_hold_them_once(lab):
    user = Counted()
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(talks, lab, {"counted": user}, n=3, seed=0) for _ in range(2)]
    assert both[0].result() == both[1].result()
    assert len(user.asked) == 3


def test_what_another_process_is_at_comes_last(lab, tmp_path):
    users = {name: Counted() for name in ("first", "second")}
    talks(lab, users, n=1, seed=0)
    taken = next((tmp_path / "work/smoke/talks").glob("first-*.lock"))
    order = []
    for name, user in users.items():
        user.reply = lambda tasks, dialogues, *, seed, name=name: (
            order.append(name) or [Turn("user", "a note", ends=bool(dialogue)) for dialogue in dialogues]
        )
    with ThreadPoolExecutor(1) as pool:
        with FileLock(taken):
            both = pool.submit(talks, lab, users, n=2, seed=0)
            while "second" not in order:
                assert not both.done()
        assert [*both.result()] == ["first", "second"]
    assert order.index("second") < order.index("first")
