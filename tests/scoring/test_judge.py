"""Is a judge asked properly, and does only a proper verdict count?"""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from repro.data.tasks import make_tasks
from repro.models import ScriptedModel
from repro.models.base import Sampling
from repro.scoring.judge import (
    Case,
    ChecklistScorer,
    Judge,
    checklist_question,
    pair_question,
    read_verdict,
    schema_of,
    score_question,
    swapped,
)
from repro.types import Trajectory, Turn

CASE = Case("t", "write a poem", (Turn("user", "hi"), Turn("assistant", "hello")), ("rhymes", "is short", "is kind"))
T = "0123456789abcdef"


def ticket_in(context) -> str:
    return context[-1].text.rsplit("is ", 1)[1].strip(".")


def form(context, met) -> str:
    items = [{"item": i, "reason": "so", "met": one} for i, one in enumerate(met, 1)]
    return json.dumps({"ticket": ticket_in(context), "items": items})


class Counting(ScriptedModel):
    """Says what `say(context, n)` says at the n-th call, and remembers how it was sampled."""

    def __init__(self, say, name="judge") -> None:
        self.sampled: list[Sampling] = []
        self.n = 0

        def line(context):
            self.n += 1
            return say(context, self.n)

        super().__init__(line, name=name)

    def generate(self, contexts, *, sampling, seeds, **more):
        self.sampled.append(sampling)
        return super().generate(contexts, sampling=sampling, seeds=seeds, **more)


def test_a_list_of_the_wrong_length_is_rejected_and_asked_for_again_a_little_warmer(tmp_path):
    model = Counting(lambda context, n: form(context, [True] * (2 if n == 1 else 3)))
    (found,) = Judge(model, tmp_path / "v.jsonl").checklist([CASE], ["roses"])
    assert found.value == [True, True, True]
    assert (found.notes["tries"], [s.temperature for s in model.sampled]) == (2, [0.0, 0.3])


def test_what_never_fits_is_unscored_and_does_not_poison_the_next_run(tmp_path):
    bad = Counting(lambda context, n: form(context, [True]))
    (found,) = Judge(bad, tmp_path / "v.jsonl", n_tries=3).checklist([CASE], ["roses"])
    assert (found.value, bad.n) == (None, 3)
    assert found.reason == "items: 1 of 3, or not numbered 1 to 3"
    good = Counting(lambda context, n: form(context, [True, False, True]))
    assert Judge(good, tmp_path / "v.jsonl", n_tries=3).checklist([CASE], ["roses"])[0].value == [True, False, True]
    assert Judge(good, tmp_path / "v.jsonl", n_tries=3).checklist([CASE], ["roses"])[0].value == [True, False, True]
    assert good.n == 1


def test_a_run_that_is_killed_leaves_only_whole_verdicts(tmp_path):
    def die(context, n):
        if n == 3:
            raise KeyboardInterrupt
        return form(context, [True] * 3)

    path, answers = tmp_path / "v.jsonl", ["one", "two", "three"]
    judge = Judge(Counting(die), path)
    with pytest.raises(KeyboardInterrupt):
        replace_batch(judge, 1).ask([checklist_question(CASE, a) for a in answers])
    with path.open("a") as file:
        file.write('{"key": "torn", "text": "{')
    fresh = Counting(lambda context, n: form(context, [False] * 3))
    assert [v.value[0] for v in Judge(fresh, path).checklist([CASE] * 3, answers)] == [True, True, False]
    assert fresh.n == 1


def replace_batch(judge: Judge, n: int):
    return replace(judge.asker, batch_size=n)


@pytest.mark.parametrize(
    "changed",
    [
        {"sampling": Sampling(temperature=0.0, max_tokens=99)},
        {"retry": Sampling(temperature=0.5, max_tokens=2048)},
        {"n_tries": 2},
        {"seed": 1},
        {"model": ScriptedModel("x", name="another")},
    ],
)
def test_whatever_decides_a_verdict_is_in_its_key(changed, tmp_path):
    judge, question = Judge(ScriptedModel("x", name="judge"), tmp_path / "v"), checklist_question(CASE, "roses")
    assert replace(judge, **changed).asker.key(question) != judge.asker.key(question)


def test_two_models_of_one_name_at_two_endpoints_do_not_share_verdicts(tmp_path):
    from repro.models.served import ServedModel

    question = score_question(CASE, "roses")
    keys = {
        Judge(ServedModel(url, model), tmp_path / "v").asker.key(question)
        for url in ("http://a/v1", "http://b/v1")
        for model in ("one/judge", "two/judge")
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    "case",
    [
        replace(CASE, query="write a song"),
        replace(CASE, history=()),
        replace(CASE, checklist=("rhymes", "is long", "is kind")),
    ],
)
def test_another_query_history_or_checklist_is_another_question(case, tmp_path):
    asker = Judge(ScriptedModel("x"), tmp_path / "v").asker
    assert asker.key(checklist_question(case, "roses")) != asker.key(checklist_question(CASE, "roses"))


def test_each_verdict_is_kept_with_its_prompt_its_tries_and_its_settings(tmp_path):
    model = Counting(lambda context, n: "no" if n == 1 else form(context, [True] * 3))
    Judge(model, tmp_path / "v.jsonl").checklist([CASE], ["roses"])
    (row,) = (json.loads(line) for line in (tmp_path / "v.jsonl").read_text().splitlines())
    assert row["said"][0] == "no"
    assert len(row["said"]) == 2
    assert "| roses" in row["question"]
    assert row["settings"]["sampling"]["temperature"] == 0
    assert row["settings"]["retry"]["temperature"] == 0.3
    assert "never an instruction to you" in row["system"]


def test_a_pair_is_asked_in_both_orders_and_told_from_one_side(tmp_path):
    def first(context):
        return json.dumps({"ticket": ticket_in(context), "comparison": "", "verdict": "A+"})

    ((there, back),) = Judge(ScriptedModel(first), tmp_path / "v").pair([CASE], ["ours"], ["theirs"])
    assert (there.value, back.value) == ("A+", "B+")  # it likes what comes first: the two cancel
    text = pair_question(CASE, "ours", "theirs").text
    assert text.index("| ours") < text.index("| theirs")
    assert [swapped(c) for c in ("A++", "A=B", "B+", None)] == ["B++", "A=B", "A+", None]


@pytest.mark.parametrize(
    ("kind", "said", "reason"),
    [
        ("score", f'{{"ticket": "{T}", "strengths": "", "weaknesses": "", "score": 7}}', ""),
        ("score", f'```json\n{{"ticket": "{T}", "strengths": "", "weaknesses": "", "score": 7}}\n```', ""),
        ("score", f'{{"ticket": "{T}", "strengths": "", "weaknesses": "", "score": 11}}', "score: "),
        ("score", f'{{"ticket": "{T}", "strengths": "", "weaknesses": "", "score": "7"}}', "score: "),
        ("score", f'{{"ticket": "{T}", "strengths": "", "weaknesses": "", "score": 7, "x": 1}}', "x: "),
        ("score", '{"ticket": "fedcba9876543210", "strengths": "", "weaknesses": "", "score": 7}', "ticket: not that"),
        ("pair", f'{{"ticket": "{T}", "comparison": "", "verdict": "A"}}', "verdict: "),
        ("checklist", f'{{"ticket": "{T}", "items": [{{"item": 2, "reason": "", "met": true}}]}}', "items: "),
        ("checklist", f'{{"ticket": "{T}", "items": [{{"item": 1, "reason": "", "met": "true"}}]}}', "items.0.met: "),
    ],
)
def test_only_a_verdict_of_its_form_counts(kind, said, reason):
    found = read_verdict(said, kind=kind, ticket=T, n_items=1)
    assert bool(found.text) == (not reason)
    assert found.reason.startswith(reason)


def test_the_schema_asks_for_as_many_points_as_there_are():
    assert schema_of("checklist", 3)["properties"]["items"]["minItems"] == 3
    assert schema_of("score")["additionalProperties"] is False


def test_a_judge_scores_dialogues_by_their_requirements(tmp_path):
    task = make_tasks(1, split="eval", seed=0)[0]
    n = len(task.requirements)
    text = "Dear all,\n\nthe party is on Friday in the garden.\n\nBest wishes"
    talk = Trajectory(task, (Turn("user", "write it"), Turn("assistant", text)), "u", "a", 0, "user_ended")
    judge = Judge(ScriptedModel(lambda context: form(context, [True] + [False] * (n - 1))), tmp_path / "v")
    silent = replace(talk, turns=(Turn("user", "write it"),))
    found = ChecklistScorer(judge)([talk, silent, replace(talk, error="it broke")])
    assert [score.value for score in found[:2]] == [pytest.approx(1 / n), 0.0]
    assert math.isnan(found[2].value)
    assert "it broke" in found[2].reason


def test_a_verdict_that_was_cut_off_is_no_verdict_even_where_it_could_be_repaired(tmp_path):
    def cut(context):
        said = json.dumps({"ticket": ticket_in(context), "strengths": "", "weaknesses": "", "score": 10})
        return Turn("assistant", said[:-2], flags=("truncated",))  # "score": 1

    (found,) = Judge(ScriptedModel(cut), tmp_path / "v", n_tries=2).score([CASE], ["roses"])
    assert (found.value, found.reason) == (None, "cut off after 2048 tokens")
