"""Are the tasks that ship what they say, and is a file in the schema read?"""

from __future__ import annotations

import hashlib
import json

import pytest

from repro.errors import ReproError
from repro.evaluation.bench_tasks import read_tasks, source_of
from repro.evaluation.wildbench import GROUPS
from repro.scoring.verifier import ChecklistVerifier

ROW = {
    "session_id": "s",
    "conversation_input": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"},
        {"role": "user", "content": "write a poem"},
    ],
    "checklist": ["rhymes"],
    "primary_tag": "Creative Writing",
    "secondary_tags": ["Editing"],
}


def written(tmp_path, *rows):
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))
    return path


def test_ours_cover_every_tag_with_histories_and_rules():
    tasks = read_tasks()
    assert len(tasks) == 40
    assert {task.tags[0] for task in tasks} == set(GROUPS)
    assert sum(bool(task.case.history) for task in tasks) >= 10
    assert all(len(task.rules) == len(task.case.checklist) >= 3 for task in tasks)
    for task in tasks:
        met = ChecklistVerifier()(task.rules, "")
        assert False in met, f"{task.id} is met by an empty answer"


def test_the_last_turn_is_the_query_and_what_precedes_it_the_history(tmp_path):
    (task,) = read_tasks(written(tmp_path, ROW))
    assert (task.id, task.case.query, [t.role for t in task.case.history]) == (
        "s",
        "write a poem",
        ["user", "assistant"],
    )
    assert task.tags == ("Creative Writing", "Editing")
    assert task.rules == ()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["{"], "line 1 is not JSON"),
        ([{**ROW, "conversation_input": ROW["conversation_input"][:2]}], "has to end with the user's turn"),
        ([{"session_id": "s"}], r"not in the schema of WildBench v2 .KeyError"),
        ([ROW, ROW], "2 tasks, 1 of different id"),
        ([{**ROW, "rules": []}, {**ROW, "session_id": "t", "rules": ["has: a", ""]}], "a rule for each point"),
    ],
)
def test_a_file_that_is_not_in_the_schema_is_named(rows, words, tmp_path):
    with pytest.raises(ReproError, match=words):
        read_tasks(written(tmp_path, *rows))


@pytest.mark.parametrize("where", ["wildbench", "wildbench@main", "allenai/WildBench", "allenai/WildBench@v2.0522"])
def test_the_hub_is_asked_for_one_commit(where):
    with pytest.raises(ReproError, match="names no commit; give wildbench@ and the 40 digits"):
        read_tasks(where)


def test_a_hub_that_cannot_be_reached_is_one_sentence(monkeypatch):
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ReproError, match=f"allenai/WildBench@{'0' * 40} cannot be read"):
        read_tasks(f"wildbench@{'0' * 40}")


def test_the_record_says_which_commit_or_which_file(tmp_path):
    assert source_of(f"wildbench@{'a' * 40}") == {"hub": "allenai/WildBench", "revision": "a" * 40}
    path = written(tmp_path, "")
    assert source_of(path) == {"file": path.name, "sha256": hashlib.sha256(b"").hexdigest()}
