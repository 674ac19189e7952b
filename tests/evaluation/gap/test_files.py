"""Do two files and a command give the gap?"""

from __future__ import annotations

import json

import pytest

from repro.cli import main
from repro.evaluation.gap import Conversation
from repro.models import ServedModel
from repro.types import Turn

from .test_gap import EXHAUSTIVE, TERSE, many


def written(path, talks: list[Conversation]):
    rows = [
        {"id": t.id, "user_id": t.user, "messages": [{"role": turn.role, "content": turn.text} for turn in t.turns]}
        for t in talks
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def files(tmp_path):
    sides = {"real": many(TERSE, 0), "alike": many(TERSE, 1), "other": many(EXHAUSTIVE, 2)}
    return {name: written(tmp_path / f"{name}.jsonl", talks) for name, talks in sides.items()}


def test_a_table_is_printed_and_the_numbers_are_written(files, tmp_path, capsys):
    out = tmp_path / "gap.json"
    asked = f"gap --real {files['real']} --sim alike={files['alike']} --sim other={files['other']}"
    assert main(f"{asked} --encoder features --k 6 --out {out}".split()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["alike", "other"]  # the nearest first
    assert "halves of the real users" in lines[4]
    assert "the best mixture, on users it was not fitted to" in lines[5]
    numbers = json.loads(out.read_text())
    assert numbers["simulators"]["other"]["js_corrected"] > numbers["floor"]["high"]
    assert numbers["mixture"]["certificate"] < 1e-8
    assert sum(numbers["mixture"]["weights"].values()) == pytest.approx(1)


def test_both_sides_may_stand_in_one_file(tmp_path, capsys):
    rows = [
        {
            "id": str(i),
            "real_messages": [{"role": "user", "content": TERSE[0]}],
            "simulated_messages": [{"role": "user", "content": EXHAUSTIVE[0]}],
        }
        for i in range(20)
    ]
    path = tmp_path / "both.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(f"gap --real {path} --sim llm={path} --schema paired --encoder features --k 2".split()) == 0
    assert "llm" in capsys.readouterr().out


def test_a_model_behind_an_endpoint_may_describe_what_users_do(files, tmp_path, monkeypatch, capsys):
    asked = []

    def generate(self, contexts, *, sampling, seeds, role="assistant", prefixes=None):
        asked.extend(contexts)
        fields = self.schema["properties"]
        return [Turn(role, json.dumps(dict.fromkeys(fields, "much"))) for _ in contexts]

    monkeypatch.setattr(ServedModel, "generate", generate)
    notes = tmp_path / "notes.jsonl"
    say = f"gap --real {files['real']} --sim a={files['alike']} --representation style --k 2 --notes {notes}"
    assert main([*say.split(), "--annotator", "openai:http://127.0.0.1:9/v1#judge"]) == 0
    assert "style, judge annotator" in capsys.readouterr().out
    n_asked = len(asked)
    assert n_asked == sum("key" in json.loads(line) for line in notes.read_text().splitlines()) > 0
    assert main([*say.split(), "--annotator", "openai:http://127.0.0.1:9/v1#judge"]) == 0
    assert len(asked) == n_asked


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("--sim alike", "given as NAME=FILE, found 'alike'"),
        ("--sim a=none.jsonl", "cannot read none.jsonl"),
        ("--sim a={alike} --sim a={other}", "two simulators have one name"),
        ("--sim a={alike} --k 1", "k is 1"),
        ("--sim a={alike} --k 5000", "5000 clusters of 80 conversations cannot be"),
        ("--sim a={alike} --schema chats", "no schema 'chats'; have messages, paired"),
        ("--sim a={alike} --representation vibes", "no representation 'vibes'"),
        ("--sim a={alike} --engine abacus --k 4", "no engine 'abacus'; have sklearn, faiss"),
        ("--sim a={alike} --annotator openai:nowhere", "'openai:nowhere' is no endpoint"),
        ("--sim real={alike}", "none of them called 'real'"),
        ("--sim a={alike} --out no/such/folder/gap.json --k 4", "could not write no/such/folder/gap.json"),
    ],
)
def test_a_mistake_gets_one_sentence(files, capsys, change, words):
    asked = f"gap --real {files['real']} --encoder features {change.format(**files)}"
    assert main(asked.split()) == 2
    assert words in capsys.readouterr().err
