"""Do answers in files become records and numbers, by rules and by a model, from the command line too?"""

from __future__ import annotations

import json

import pytest

from repro.cli import main
from repro.errors import ReproError
from repro.evaluation.bench_tasks import read_tasks
from repro.evaluation.judging import judge_answers, load_judge, plan_judging, read_answers
from repro.evaluation.wildbench import wb_reward
from repro.models import ScriptedModel
from repro.scoring.judge import Judge

TASKS = read_tasks()[:3]


def verdict(context, **fields) -> str:
    return json.dumps({"ticket": context[-1].text.rsplit("is ", 1)[1].strip("."), **fields})


def answers(path, said: dict[str, object]):
    path.write_text("".join(json.dumps({"session_id": k, "output": v}) + "\n" for k, v in said.items()))
    return path


def judge(script, tmp_path) -> Judge:
    return Judge(ScriptedModel(script, name="stub"), tmp_path / "verdicts.jsonl")


def test_scores_become_records_in_the_public_format_and_a_missing_answer_is_unscored(tmp_path):
    stub = judge(lambda c: verdict(c, strengths="", weaknesses="", score=8 if "| good" in c[-1].text else 4), tmp_path)
    mine = {"good": {task.id: "good" for task in TASKS}, "poor": {TASKS[0].id: "poor"}}
    found = judge_answers(TASKS, mine, stub, kind="score")
    assert found.numbers["wb_score.good"].value == pytest.approx(6)
    assert (found.numbers["wb_score.poor"].n, found.numbers["wb_score.poor"].n_unscored) == (1, 2)
    first, *_, last = found.records["poor"]
    assert (first["session_id"], first["score"], first["model_output"]) == (TASKS[0].id, 4, "poor")
    assert (last["score"], last["reason"]) == (None, "no answer")


def test_pairs_are_asked_in_both_orders_and_a_judge_of_positions_cancels_out(tmp_path):
    stub = judge(lambda c: verdict(c, comparison="", verdict="A++"), tmp_path)
    mine = {"ref": {t.id: "one" for t in TASKS}, "new": {t.id: "two" for t in TASKS}}
    found = judge_answers(TASKS, mine, stub, kind="pair")
    rows = found.records["new_vs_ref"]
    assert [(r["winner"], r["extent"], r["order"]) for r in rows[:2]] == [("new", 2, "a_first"), ("ref", 2, "b_first")]
    assert found.numbers["wb_reward.new_vs_ref"].value == 0.0
    assert wb_reward(rows, ours="new").n_clusters == 3


def test_checklists_compare_everybody_with_everybody(tmp_path):
    def script(context):
        n = len(next(t for t in TASKS if t.case.query in context[-1].text).case.checklist)
        met = "| good" in context[-1].text
        return verdict(context, items=[{"item": i + 1, "reason": "", "met": met} for i in range(n)])

    mine = {name: {t.id: name for t in TASKS} for name in ("poor", "good")}
    found = judge_answers(TASKS, mine, judge(script, tmp_path), kind="checklist")
    assert found.numbers["satisfied.good"].value == 1.0
    assert found.numbers["win_rate.good_vs_poor"].value == 1.0


def test_what_is_planned_is_what_is_asked_and_nothing_is_asked_twice(tmp_path):
    stub = judge(lambda c: verdict(c, comparison="", verdict="A=B"), tmp_path)
    mine = {"ref": {t.id: "one" for t in TASKS}, "new": {t.id: "two" for t in TASKS[:2]}}
    planned = plan_judging(TASKS, mine, stub, kind="pair")
    assert planned.n_calls == 4  # two tasks in common, two orders
    assert planned.prompt_tokens > 4 * 100
    judge_answers(TASKS, mine, stub, kind="pair")
    assert len((tmp_path / "verdicts.jsonl").read_text().splitlines()) == 4
    assert plan_judging(TASKS, mine, stub, kind="pair").n_calls == 0


def test_from_the_command_line_with_the_verifier(tmp_path, capsys):
    one = answers(tmp_path / "a.jsonl", {t.id: ["- nothing"] for t in TASKS})
    two = answers(tmp_path / "b.jsonl", {t.id: "Rayleigh scattering" for t in TASKS})
    given = ["judge", "--answers", f"a={one}", "--answers", f"b={two}"]
    assert main([*given, "--out", str(tmp_path / "out")]) == 0
    assert "judged by verifier" in capsys.readouterr().out
    numbers = json.loads((tmp_path / "out/checklist-numbers.json").read_text())
    assert numbers["satisfied.a"]["n"] == 3
    assert numbers["satisfied.a"]["n_unscored"] == 37
    how = json.loads((tmp_path / "out/checklist-settings.json").read_text())
    assert (how["tasks"]["file"], how["judge"], how["kind"]) == ("bench_tasks.jsonl", "verifier", "checklist")
    rows = [json.loads(line) for line in (tmp_path / "out/checklist-b.jsonl").read_text().splitlines()]
    assert rows[0]["met"][0] is True  # "Names the scattering of light by air as the cause"
    assert main([*given, "--dry-run"]) == 0
    assert capsys.readouterr().out == "nothing to ask\n"


def test_a_dry_run_says_calls_and_cost_and_asks_nobody(tmp_path, capsys):
    path = answers(tmp_path / "a.jsonl", {t.id: "x" for t in TASKS})
    given = ["judge", "--answers", f"a={path}", "--judge", "openai:http://127.0.0.1:9/v1#m", "--kind", "score"]
    assert main([*given, "--notes", str(tmp_path / "n.jsonl"), "--dry-run", "--price", "1,2"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("3 calls, 9 at most")
    assert "at most about $0.0" in said
    assert not (tmp_path / "n.jsonl").exists()


@pytest.mark.parametrize(
    ("kind", "names", "words"),
    [
        ("score", ["a"], "the verifier checks rules and cannot judge by score"),
        ("vibes", ["a"], "no kind of judging 'vibes'; have checklist, score, pair"),
        ("checklist", [], "takes answers of 1 or more; got 0"),
    ],
)
def test_what_cannot_be_judged_is_said(kind, names, words):
    with pytest.raises(ReproError, match=words):
        judge_answers(TASKS, {n: {TASKS[0].id: "x"} for n in names}, load_judge("verifier"), kind=kind)


def test_answers_to_other_tasks_and_files_that_are_not_answers_are_errors(tmp_path):
    with pytest.raises(ReproError, match="'a' answers none of the tasks"):
        judge_answers(TASKS, {"a": {"elsewhere": "x"}}, load_judge("verifier"), kind="checklist")
    for given in ("nothing", "a/b=c.jsonl"):
        with pytest.raises(ReproError, match="given as NAME=FILE"):
            read_answers([given])
    with pytest.raises(ReproError, match=r"a.jsonl, line 1 has output, session_id; needs session_id and output"):
        read_answers([f"a={answers(tmp_path / 'a.jsonl', {'s': 3})}"])


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ('{"session_id": "t", "outp', r"a.jsonl, line 2 is not JSON .*give one object a line"),
        ("[]", "line 2 holds no object"),
        ('{"session_id": "s", "output": "other"}', "line 2 answers session s a second time"),
    ],
)
def test_no_line_of_answers_is_dropped_in_silence(second, words, tmp_path):
    path = answers(tmp_path / "a.jsonl", {"s": "first"})
    path.write_text(path.read_text() + second + "\n")
    with pytest.raises(ReproError, match=words):
        read_answers([f"a={path}"])
