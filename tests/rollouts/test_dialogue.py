"""Does the one conversation loop give each side what it may see, and keep what was said?"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from repro.errors import ReproError
from repro.models import LocalModel, Sampling, ScriptedModel
from repro.rollouts import TrajectoryStore, dialogue, rollout, system_prompt
from repro.types import Requirement, Task, Turn

TASKS = [
    Task(f"t{i}", f"u{i}", f"get a note {i}", (Requirement("date", "date", "4 May", "the date"),)) for i in range(5)
]
ASSISTANT = ScriptedModel(lambda context: f"reply {len(context)} to {context[-1].text}", name="echo")


@dataclass
class Users:
    """Says `<task> <turn>`, or what `says` makes of (task, dialogue); notes what it was asked."""

    says: object = None
    name: str = "users"
    asked: list = field(default_factory=list)

    def reply(self, tasks, dialogues, *, seed):
        self.asked += [(task.id, len(turns)) for task, turns in zip(tasks, dialogues, strict=True)]
        return [self._one(task, turns) for task, turns in zip(tasks, dialogues, strict=True)]

    def _one(self, task, turns):
        said = self.says(task, turns) if self.says else f"{task.id} {len(turns)}"
        return said if isinstance(said, Turn) else Turn("user", said)


@dataclass
class Recorder:
    """An assistant that keeps the contexts, seeds and sizes of its batches."""

    name: str = "recorder"
    contexts: list = field(default_factory=list)
    seeds: list = field(default_factory=list)
    sizes: list = field(default_factory=list)

    def generate(self, contexts, *, sampling, seeds, role="assistant", prefixes=None):
        self.contexts += [list(context) for context in contexts]
        self.seeds += seeds
        self.sizes.append(len(contexts))
        return [Turn("assistant", f"{seed}") for seed in seeds]


def test_user_and_assistant_speak_in_turns_until_the_maximum():
    (one,) = rollout(TASKS[:1], user=Users(), assistant=ASSISTANT, max_turns=2, seed=3)
    assert [(t.role, t.text) for t in one.turns] == [
        ("user", "t0 0"),
        ("assistant", "reply 2 to t0 0"),  # system turn and user turn
        ("user", "t0 2"),
        ("assistant", "reply 4 to t0 2"),
    ]
    assert (one.stop, one.error, one.user, one.assistant, one.seed) == ("max_turns", None, "users", "echo", 3)
    assert one.task is TASKS[0]


def test_user_ending_at_turn_one_yields_no_assistant_turn():
    users = Users(lambda task, turns: Turn("user", "", ends=task.id == "t1"))
    out = rollout(TASKS[:3], user=users, assistant=ASSISTANT, max_turns=2)
    assert [len(t.assistant_turns) for t in out] == [2, 0, 2]
    assert [t.stop for t in out] == ["max_turns", "user_ended", "max_turns"]


def test_a_user_who_leaves_with_a_word_gets_no_answer():
    users = Users(lambda task, turns: Turn("user", "bye", ends=bool(turns)))
    (one,) = rollout(TASKS[:1], user=users, assistant=ASSISTANT, max_turns=5)
    assert [t.text for t in one.turns][-1] == "bye"
    assert len(one.assistant_turns) == 1
    assert one.stop == "user_ended"


def test_order_is_kept_when_dialogues_end_at_different_times():
    users = Users(lambda task, turns: Turn("user", task.id, ends=len(turns) >= 2 * (int(task.id[1]) % 3)))
    out = rollout(TASKS, user=users, assistant=ASSISTANT, max_turns=3, n_samples=2)
    assert [t.task.id for t in out] == ["t0", "t0", "t1", "t1", "t2", "t2", "t3", "t3", "t4", "t4"]
    assert [len(t.assistant_turns) for t in out] == [0, 0, 1, 1, 2, 2, 0, 0, 1, 1]


def test_samples_share_the_first_user_turn_which_is_asked_for_once():
    users = Users()
    out = rollout(TASKS[:2], user=users, assistant=Recorder(), max_turns=1, n_samples=3)
    assert users.asked == [("t0", 0), ("t1", 0)]
    assert {id(t.turns[0]) for t in out[:3]} == {id(out[0].turns[0])}
    assert len({t.turns[1].text for t in out}) == 6  # what differs is the assistant's doing


def test_seeds_of_the_assistant_depend_on_task_sample_and_turn_alone(monkeypatch):
    together, apart = Recorder(), Recorder()
    a = rollout(TASKS, user=Users(), assistant=together, max_turns=2, n_samples=2, seed=1)
    monkeypatch.setattr(dialogue, "BATCH_SIZE", 3)
    b = rollout(TASKS[::-1], user=Users(), assistant=apart, max_turns=2, n_samples=2, seed=1)
    assert len(set(together.seeds)) == 20  # 5 tasks, 2 samples, 2 turns
    assert sorted(together.seeds) == sorted(apart.seeds)
    assert {(t.task.id, t.turns) for t in a} == {(t.task.id, t.turns) for t in b}
    assert max(apart.sizes) == 3


def test_the_assistant_sees_the_system_prompt_the_history_and_the_words_alone():
    history = (Turn("user", "before"), Turn("assistant", "then"))
    task = Task("t", "u", "secret intent", TASKS[0].requirements, history=history)
    recorder = Recorder()
    rollout([task], user=Users(), assistant=recorder, max_turns=2)
    first, second = recorder.contexts
    assert first[0] == system_prompt()
    assert [t.text for t in first[1:]] == ["before", "then", "t 0"]
    assert [t.role for t in second] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert "secret" not in str(recorder.contexts)
    assert "4 May" not in str(recorder.contexts)


def test_a_users_token_ids_never_reach_the_assistants_context(monkeypatch):
    from repro.models.tiny import tiny_model

    model = LocalModel(*tiny_model(), name="tiny")
    read = []
    generate = model.decoder.generate
    monkeypatch.setattr(model.decoder, "generate", lambda ids, **rest: read.extend(ids) or generate(ids, **rest))
    foreign = (255, 256, 257, 2)
    users = Users(lambda task, turns: Turn("user", f"hi {len(turns)}", token_ids=foreign, logps=(0.0,) * 4))
    (one,) = rollout(TASKS[:1], user=users, assistant=model, max_turns=2, sampling=Sampling(0, max_tokens=8))
    said = [system_prompt(), Turn("user", "hi 0"), one.turns[1], Turn("user", "hi 2")]
    assert read == [model.format.ids(said[:2], "assistant"), model.format.ids(said, "assistant")]
    assert not set(foreign[:3]) & set(read[0])


def test_a_dialogue_that_fails_becomes_data_while_the_others_go_on():
    def stumble(context):
        if context[-1].text == "t1 2":
            raise RuntimeError("lost the thread")
        return "fine"

    out = rollout(TASKS[:3], user=Users(), assistant=ScriptedModel(stumble), max_turns=3)
    assert [t.stop for t in out] == ["max_turns", "error", "max_turns"]
    assert out[1].error == "RuntimeError: lost the thread"
    assert [t.text for t in out[1].turns] == ["t1 0", "fine", "t1 2"]
    assert [len(t.turns) for t in out] == [6, 3, 6]


def test_a_user_who_fails_at_once_fails_all_samples_of_the_task_and_no_other():
    def say(task, turns):
        return 1 / 0 if task.id == "t0" else "hi"

    out = rollout(TASKS[:2], user=Users(say), assistant=ASSISTANT, max_turns=1, n_samples=2)
    assert [t.stop for t in out] == ["error", "error", "max_turns", "max_turns"]
    assert out[0].turns == ()
    assert "ZeroDivisionError" in out[1].error


def test_where_all_of_a_batch_fail_it_is_no_matter_of_a_dialogue():
    def broken(context):
        raise AttributeError("'Turn' object has no attribute 'content'\nand more")

    sentence = (
        "all 3 dialogues of a batch failed, the first with AttributeError: 'Turn' object has no attribute 'content'$"
    )
    with pytest.raises(ReproError, match=sentence):
        rollout(TASKS[:3], user=Users(), assistant=ScriptedModel(broken), max_turns=3)
    (one,) = rollout(TASKS[:1], user=Users(), assistant=ScriptedModel(broken), max_turns=3)
    assert one.error == "AttributeError: 'Turn' object has no attribute 'content'"


def test_the_wrong_number_of_turns_is_refused():
    class Half(Users):
        def reply(self, tasks, dialogues, *, seed):
            return super().reply(tasks, dialogues, seed=seed)[:1]

    with pytest.raises(ReproError, match="asked for 2 turns, got 1"):
        rollout(TASKS[:2], user=Half(), assistant=ASSISTANT)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"tasks": []}, "no tasks"),
        ({"tasks": TASKS, "max_turns": 0}, "at least 1; got 0"),
        ({"tasks": TASKS, "n_samples": 0}, "at least 1; got 3 and 0"),
        ({"tasks": [TASKS[0], TASKS[0]]}, "two tasks with one id"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments, words):
    with pytest.raises(ReproError, match=words):
        rollout(arguments.pop("tasks"), user=Users(), assistant=ASSISTANT, **arguments)


def test_an_interrupt_is_no_failed_dialogue():
    def stop(context):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rollout(TASKS[:1], user=Users(), assistant=ScriptedModel(stop))


def test_dialogues_that_are_stored_are_not_held_again(tmp_path):
    store = TrajectoryStore(tmp_path / "talks.jsonl")
    first = rollout(TASKS[:2], user=Users(), assistant=ASSISTANT, store=store)
    users = Users()
    again = rollout(TASKS[:3], user=users, assistant=ASSISTANT, store=store)
    assert {task for task, _ in users.asked} == {"t2"}
    assert again[:2] == first


def test_a_run_killed_between_batches_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(dialogue, "BATCH_SIZE", 2)

    class Dies(Recorder):
        def generate(self, contexts, **rest):
            if len(self.sizes) == 3:  # two turns of the first batch, one of the second
                raise KeyboardInterrupt
            return super().generate(contexts, **rest)

    store = TrajectoryStore(tmp_path / "talks.jsonl")
    with pytest.raises(KeyboardInterrupt):
        rollout(TASKS, user=Users(), assistant=Dies(), max_turns=2, store=store)
    assert set(store.read()) == {("t0", 0), ("t1", 0)}
    resumed = Recorder()
    out = rollout(TASKS, user=Users(), assistant=resumed, max_turns=2, store=store)
    assert resumed.sizes == [2, 2, 1, 1]
    assert out == rollout(TASKS, user=Users(), assistant=Recorder(), max_turns=2)


def test_the_progress_bar_counts_what_was_there_before(tmp_path, capsys):
    store = TrajectoryStore(tmp_path / "talks.jsonl")
    rollout(TASKS[:2], user=Users(), assistant=ASSISTANT, store=store)
    rollout(TASKS, user=Users(), assistant=ASSISTANT, store=store, progress="talking")
    shown = capsys.readouterr().err
    assert "talking:  40%" in shown  # 2 of 5
    assert "5/5" in shown
