"""Do judges and annotators say the same when many machines ask, and is nothing asked twice?"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from repro import cluster
from repro.cli import main
from repro.errors import ReproError
from repro.evaluation.bench_tasks import OURS, read_tasks
from repro.evaluation.gap import LLMFacets
from repro.evaluation.gap.answers import FIELDS
from repro.evaluation.gap.conversations import Conversation
from repro.evaluation.judging import judge_answers, load_judge, questions
from repro.models import ScriptedModel, load_model
from repro.rollouts.store import read_rows
from repro.types import Turn

pytest.importorskip("openai", reason="endpoints take the extra 'serve'")
HAS_RAY = importlib.util.find_spec("ray") is not None
TASKS = read_tasks(OURS)
ANSWERS = {name: {task.id: f"{name} answers {task.id}" for task in TASKS} for name in ("mine", "theirs")}


def scored(body):
    """A score by the length of what is judged, or a description of what a user does."""
    text = body["messages"][-1]["content"]
    said = dict.fromkeys(FIELDS["requests"], "a little")
    if ticket := re.search(r"ticket of this question is (\w+)", text):
        said = {"ticket": ticket[1], "strengths": "s", "weaknesses": "w", "score": 1 + len(text) % 10}
    return json.dumps(said)


@pytest.fixture
def endpoint():
    from ..endpoint import serving  # here, as this file is a program as well

    with serving() as server:
        server.say = scored
        server.spec = f"openai:{server.url}#m"
        yield server


def spread_judge(endpoint, path):
    judge = load_judge(endpoint.spec, notes=path)
    asked = questions(TASKS, ANSWERS, "score")
    return judge, cluster.answer(judge.asker, asked, spec=endpoint.spec, on_ray=False)


def test_verdicts_are_the_same_in_parts_as_at_once_and_asked_for_once(endpoint, tmp_path):
    plain = judge_answers(TASKS, ANSWERS, load_judge(endpoint.spec, notes=tmp_path / "a.jsonl"), kind="score")
    n = len(endpoint.asked)
    judge, n_answered = spread_judge(endpoint, tmp_path / "b.jsonl")
    assert judge_answers(TASKS, ANSWERS, judge, kind="score").records == plain.records
    assert n_answered == n == 2 * len(TASKS)
    assert sorted(map(str, endpoint.asked[n:])) == sorted(map(str, endpoint.asked[:n]))
    assert judge.asker.used().n_calls == n  # what the parts used is counted
    assert not (tmp_path / "b.jsonl.parts").exists()


def test_parts_that_were_made_before_a_stop_are_not_asked_for_again(endpoint, tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cluster.answers, "append_rows", stopped)
        with pytest.raises(KeyboardInterrupt):
            spread_judge(endpoint, tmp_path / "a.jsonl")
    n = len(endpoint.asked)
    assert spread_judge(endpoint, tmp_path / "a.jsonl")[1] == n == len(endpoint.asked)
    assert spread_judge(endpoint, tmp_path / "a.jsonl")[1] == 0
    assert len(endpoint.asked) == n


def refusing(word):
    """What this word is read in gets no JSON at first, and then no answer: the key is wrong."""
    said = iter(["no JSON", 401])
    return lambda body: next(said) if word in body["messages"][-1]["content"] else scored(body)


def texts(path):
    return [row["key"] for row in read_rows(path) if row.get("text")]


def test_what_parts_answered_is_kept_where_another_failed_and_asked_for_by_no_other_run(endpoint, tmp_path):
    judge, path = load_judge(endpoint.spec, notes=tmp_path / "a.jsonl"), tmp_path / "a.jsonl"
    asked, n = questions(TASKS, ANSWERS, "score"), 2 * len(TASKS)
    in_fours = replace(judge.asker, batch_size=4)
    endpoint.say = refusing(f"mine answers {TASKS[5].id}")
    with pytest.raises(ReproError, match=rf"1 of {-(-n // 4)} parts failed, the first with ReproError: .*401"):
        cluster.answer(in_fours, asked, spec=endpoint.spec, on_ray=False)
    assert len({*texts(path)}) == len(texts(path)) == len(in_fours.kept) == n - 1  # also of the part that failed
    assert not (tmp_path / "a.jsonl.parts").exists()

    endpoint.say, before = scored, len(endpoint.asked)
    again = load_judge(endpoint.spec, notes=path)  # alone, in batches of another size
    assert judge_answers(TASKS, ANSWERS, again, kind="score").numbers["wb_score.mine"].n == len(TASKS)
    assert len(endpoint.asked) == before + 1
    assert len({*texts(path)}) == len(texts(path)) == n
    assert again.asker.used().n_calls == n + 1  # with the one that was no JSON


def test_parts_of_a_run_that_was_killed_are_moved_by_the_next_in_other_batches(endpoint, tmp_path, monkeypatch):
    judge, path = load_judge(endpoint.spec, notes=tmp_path / "a.jsonl"), tmp_path / "a.jsonl"
    asked = questions(TASKS, ANSWERS, "score")
    with monkeypatch.context() as patch:
        patch.setattr(cluster.answers, "_moved", lambda *_: 0)  # killed: nothing is done any more
        cluster.answer(replace(judge.asker, batch_size=4), asked[:8], spec=endpoint.spec, on_ray=False)
    assert texts(path) == []
    n = len(endpoint.asked)
    assert cluster.answer(replace(judge.asker, batch_size=3), asked, spec=endpoint.spec, on_ray=False) == len(asked)
    assert n == 8
    assert len(endpoint.asked) == len(asked) == len({*texts(path)}) == len(texts(path))


def test_annotations_are_the_same_in_parts_as_at_once(endpoint, tmp_path):
    talks = [Conversation(f"c{i}", "u", (Turn("user", f"need {i} notes"),)) for i in range(70)]
    plain = LLMFacets(load_model(endpoint.spec), tmp_path / "a.jsonl").annotate(talks, ["requests"])
    inner = LLMFacets(load_model(endpoint.spec), tmp_path / "b.jsonl")
    spread = cluster.SpreadFacets(inner, endpoint.spec, cluster.to_judge("cpu"), on_ray=False)
    assert spread.annotate(talks, ["requests"]) == plain
    assert len(endpoint.asked) == 2 * len(talks)
    assert spread.name == inner.name


def test_a_driver_knows_a_model_by_its_name_and_finds_what_the_workers_were_told(tmp_path, monkeypatch):
    def says(context):
        ticket = re.search(r"ticket of this question is (\w+)", context[-1].text)[1]
        said = {"ticket": ticket, "strengths": "s", "weaknesses": "w", "score": 3}
        return "no" if "theirs answers" in context[-1].text else json.dumps(said)

    monkeypatch.setattr(cluster.answers, "_model", lambda spec: ScriptedModel(says, name="on a worker"))
    judge = load_judge("owner/large", notes=tmp_path / "a.jsonl", load=cluster.named)
    asked = questions(TASKS, ANSWERS, "score")
    assert cluster.answer(judge.asker, asked, spec="owner/large", on_ray=False) == len(TASKS)
    numbers = judge_answers(TASKS, ANSWERS, judge, kind="score").numbers
    assert numbers["wb_score.mine"].n == len(TASKS)
    assert numbers["wb_score.theirs"].n_unscored == len(TASKS)  # not asked once more, where nobody could answer


def test_a_model_has_the_same_name_where_it_is_loaded_and_where_it_is_not(root):
    for spec in ("tiny", f"{root}/checkpoints/initial"):
        here, there = load_model(spec), cluster.named(spec)
        assert (there.name, there.identity) == (here.name, here.identity)
    in_vllm = cluster.named("vllm:owner/large?tensor_parallel_size=2")
    assert (in_vllm.name, in_vllm.identity) == ("owner/large", "vllm:owner/large@bfloat16")
    other = cluster.named("vllm:owner/large?quantization=fp8&dtype=float16")
    assert other.identity == "vllm:owner/large?quantization=fp8@float16"
    endpoint = "openai:http://127.0.0.1:9/v1#m"
    assert cluster.named(endpoint) == load_model(endpoint)


def test_a_mistake_is_told_before_anything_is_asked(endpoint, tmp_path, capsys):
    for name, answers in ANSWERS.items():
        rows = [json.dumps({"session_id": key, "output": text}) for key, text in answers.items()]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows))
    command = ["judge", "--kind", "pairs", "--cluster", "--judge", endpoint.spec]
    command += ["--notes", str(tmp_path / "notes.jsonl")]
    assert (
        main([*command, *(part for name in ANSWERS for part in ("--answers", f"{name}={tmp_path / name}.jsonl"))]) == 2
    )
    assert "no kind of judging 'pairs'; have checklist, score, pair" in capsys.readouterr().err
    assert endpoint.asked == []


def test_rules_are_not_spread():
    from repro.evaluation.gap import LexicalFacets

    rules = LexicalFacets()
    assert cluster.on_cluster(rules, "lexical", profile="cpu") is rules


@pytest.mark.slow
@pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed: pip install 'repro[cluster]'")
def test_repro_judge_on_two_workers_says_what_it_says_without(endpoint, tmp_path):
    for name, answers in ANSWERS.items():
        rows = [json.dumps({"session_id": key, "output": text}) for key, text in answers.items()]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows))
    environment = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_memory_monitor_refresh_ms": "0"}
    said = {}
    for where in ("here", "cluster"):
        command = [sys.executable, __file__, endpoint.spec, str(tmp_path), where]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
        if "timed out during startup" in done.stderr:
            pytest.skip("Ray's own processes did not start within its 15 seconds: this machine is too busy")
        assert done.returncode == 0, done.stdout + done.stderr
        said[where] = (tmp_path / where / "score-numbers.json").read_text()
    assert said["here"] == said["cluster"]
    assert len(endpoint.asked) == 2 * 2 * len(TASKS)


if __name__ == "__main__":
    spec, folder, where = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    command = ["judge", "--kind", "score", "--judge", spec, "--notes", str(folder / f"{where}.jsonl")]
    command += ["--out", str(folder / where)]
    command += [part for name in ANSWERS for part in ("--answers", f"{name}={folder / name}.jsonl")]
    if where == "cluster":
        import ray

        ray.init(num_cpus=2, object_store_memory=10**8, include_dashboard=False)
        command += ["--cluster", "smoke"]
    sys.exit(main(command))
