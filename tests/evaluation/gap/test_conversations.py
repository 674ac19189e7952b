"""Are files of conversations read, and what is wrong with one said in a sentence?"""

from __future__ import annotations

import json

import pytest

from repro.errors import ReproError
from repro.evaluation.gap.conversations import of_trajectories, read_conversations
from repro.types import Task, Trajectory, Turn

USER, ASSISTANT = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello."}


def written(tmp_path, *rows):
    path = tmp_path / "talks.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def test_a_line_is_a_conversation(tmp_path):
    path = written(
        tmp_path,
        {"id": "a", "user_id": "u", "domain": "notes", "messages": [USER, ASSISTANT]},
        "",
        {"messages": [USER]},
    )
    one, two = read_conversations(path)
    assert (one.id, one.user, one.domain, [turn.text for turn in one.user_turns]) == ("a", "u", "notes", ["hi"])
    assert one.turns[1].role == "assistant"
    assert two.user == two.id  # nobody is named: each its own user


def test_the_published_files_hold_both_sides_in_a_line(tmp_path):
    path = written(tmp_path, {"id": "a", "real_messages": [USER], "simulated_messages": [USER, ASSISTANT]})
    assert len(read_conversations(path, schema="real_messages")[0].turns) == 1
    assert len(read_conversations(path, schema="simulated_messages")[0].turns) == 2


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "holds no conversations"),
        (["{"], "line 1 is not JSON"),
        (["[]"], "line 1 holds no object"),
        ([{"messages": [USER]}, {"real_messages": [USER]}], "line 2 has no 'messages'; it has 'real_messages'"),
        ([{"talk": 1}], "line 1 has no 'messages'; it has talk"),
        ([{"messages": "hi"}], "line 1 has messages that are no list"),
        ([{"messages": [{"role": "human", "content": "hi"}]}], "line 1 has a message without a role of system, user"),
        ([{"messages": [{"role": "user", "content": None}]}], "line 1 has a message without a role"),
        ([{"messages": [ASSISTANT]}], "line 1 has no user turn"),
        ([{"id": 1, "messages": [USER]}] * 2, "two conversations with the id '1'"),
    ],
)  # fmt: skip
def test_a_mistake_gets_one_sentence(tmp_path, rows, words):
    with pytest.raises(ReproError, match=words):
        read_conversations(written(tmp_path, *rows))


def test_so_does_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ReproError, match="cannot read"):
        read_conversations(tmp_path / "none.jsonl")
    (tmp_path / "latin.jsonl").write_bytes("{'a': 'caf\xe9'}".encode("latin-1"))
    with pytest.raises(ReproError, match="is not UTF-8"):
        read_conversations(tmp_path / "latin.jsonl")
    with pytest.raises(ReproError, match="no schema 'chats'"):
        read_conversations(tmp_path / "latin.jsonl", schema="chats")


def test_dialogues_rolled_out_here_are_conversations_without_silent_leaves():
    task = Task("t", "u", "You are a user", domain="notes")
    turns = (Turn("user", "hi"), Turn("assistant", "Hello."), Turn("user", "", ends=True))
    done = Trajectory(task, turns, "oracle", "initial", 0, "user_ended")
    failed = Trajectory(task, turns[:1], "oracle", "initial", 0, "error", "broke")
    found = of_trajectories([done, failed])
    assert [(c.id, c.user, c.domain, len(c.turns), c.error) for c in found] == [
        ("t", "u", "notes", 2, ""),
        ("t", "u", "notes", 1, "broke"),  # it is counted, and compared with nothing
    ]
