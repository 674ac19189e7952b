"""Does the warm-up corpus teach copying, and only what it should?"""

from __future__ import annotations

import re
from statistics import mean, median

import pytest

from repro.data import acts
from repro.data.requirements import meets
from repro.data.tasks import make_tasks
from repro.training import warmup
from repro.training.warmup import document, scripted_reply, stated_by_user, warmup_dialogues
from repro.types import Trajectory, Turn


@pytest.fixture(scope="module")
def corpus() -> list[Trajectory]:
    return warmup_dialogues(800, seed=0)


def documents(corpus: list[Trajectory]) -> list[str]:
    return [turn.text for trajectory in corpus for turn in trajectory.assistant_turns if acts.draft_of(turn.text)]


def test_a_document_meets_every_requirement_it_is_given() -> None:
    for task in make_tasks(300, split="train", seed=8):
        text = document(task, task.requirements, seed=1)
        assert all(meets(r, text) for r in task.requirements), (task.requirements, text)


def test_documents_are_short_and_hold_no_placeholder(corpus: list[Trajectory]) -> None:
    texts = documents(corpus)
    lengths = [len(text.split()) for text in texts]
    assert 24 <= median(lengths) <= 45
    assert max(lengths) <= 60
    assert not [text for text in texts if re.search(r"[\[\]{}<>_]|\bX+\b", text)]


def test_documents_differ(corpus: list[Trajectory]) -> None:
    texts = documents(corpus)
    assert len(set(texts)) > 0.95 * len(texts)


def test_every_assistant_turn_reads_as_a_document_or_as_a_question(corpus: list[Trajectory]) -> None:
    for turn in (turn for trajectory in corpus for turn in trajectory.assistant_turns):
        assert bool(acts.draft_of(turn.text)) != bool(acts.question_of(turn.text)), turn.text


def test_a_third_asks_first(corpus: list[Trajectory]) -> None:
    asked = mean(bool(acts.question_of(trajectory.assistant_turns[0].text)) for trajectory in corpus)
    assert abs(asked - warmup.P_ASKS) < 0.06  # three standard errors: 3 * sqrt(.6 * .4 / 800) = .05


def test_documents_copy_what_was_said_but_for_one_value_in_eight(corpus: list[Trajectory]) -> None:
    kept = []
    for trajectory in corpus:
        for at, turn in enumerate(trajectory.turns):
            if turn.role == "assistant" and acts.draft_of(turn.text):
                facts = [
                    r for r in stated_by_user(trajectory.task, trajectory.turns[:at]) if r.kind not in warmup.RULES
                ]
                kept += [meets(r, turn.text) for r in facts]
    assert len(kept) > 500
    assert abs(mean(kept) - (1 - warmup.P_FORGETS)) < 0.03


def test_a_redraft_holds_what_the_user_added() -> None:
    task = next(t for t in make_tasks(50, split="train", seed=3) if t.requirements[0].kind == "name")
    name = task.requirements[0].value
    told = 0
    for seed in range(60):
        turns = [
            Turn("user", "write it"),
            Turn("assistant", document(task, [], seed=0)),
            Turn("user", f"it's for {name}"),
        ]
        told += name in scripted_reply(task, turns, seed=seed)
    assert told >= 42  # .96 * .88 of 60 is 50.7; 42 is three standard errors (2.8) below


def test_only_train_types_and_users_appear(corpus: list[Trajectory]) -> None:
    assert all("/train/" in t.task.id and t.task.user_id.startswith("train-") for t in corpus)


def test_the_same_seed_gives_the_same_corpus_and_another_seed_another() -> None:
    assert warmup_dialogues(30, seed=1) == warmup_dialogues(30, seed=1)
    assert warmup_dialogues(30, seed=1) != warmup_dialogues(30, seed=2)


def test_dialogues_alternate_from_the_user_on_and_the_assistant_speaks_in_each(corpus: list[Trajectory]) -> None:
    for dialogue in corpus:
        roles = [turn.role for turn in dialogue.turns]
        assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"] * (len(roles) % 2)
        assert "assistant" in roles


def test_no_dialogues_give_no_rows() -> None:
    assert warmup_dialogues(0, seed=0) == []
