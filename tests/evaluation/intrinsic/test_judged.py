"""Does a judge in the place of the rules count what it says, and what it fails to say?"""

from __future__ import annotations

import json
import math

import pytest

from repro.evaluation.intrinsic import kept_by_judge, load_probes, probed
from repro.models import ScriptedModel
from repro.models.base import Sampling
from repro.scoring.asking import Asker
from repro.types import Requirement, Task, Trajectory, Turn

WISHES = (Requirement("date", "date", "4 May", "the date"),)
REPLIES = [
    Turn("user", "no, the note"),
    Turn("user", "Sure! How can I help?"),
    Turn("user", "??"),
    Turn("user", "bye", True),
]


@pytest.fixture
def moments():
    task = Task("t", "u", "You are a user chatting with an assistant language model to get a note.", WISHES)
    return probed([Trajectory(task, (Turn("user", "a note pls"),), "u", "a", 0, "max_turns")], load_probes("role")[:4])


def says(context):
    reply = json.loads(context[-1].text)["reply"]
    if reply == "??":
        return "I cannot tell."
    return json.dumps({"reason": "it says so", "kept": reply.startswith("no")})


def test_answers_count_what_never_fits_is_unscored_and_who_leaves_is_not_asked_about(moments, tmp_path):
    asker = Asker(ScriptedModel(says), tmp_path / "kept.jsonl", Sampling(temperature=0), n_tries=2)
    found = kept_by_judge("role", REPLIES, moments, asker=asker)
    assert found.tops[:2] == (1, 0)
    assert math.isnan(found.tops[2])
    assert found.tops[3] == 1
    assert (found.found.value, found.found.n, found.found.n_unscored) == (pytest.approx(2 / 3), 3, 1)


@pytest.mark.parametrize(
    "shape",
    [
        "```json\n{%s}\n```",
        "```\n{%s}\n```",
        "My verdict: {%s}. That is all.",
    ],
)
@pytest.mark.parametrize("fields", ['"reason": "it says so", "kept": true', "'reason': 'it says so', 'kept': True"])
def test_a_verdict_that_is_no_json_as_it_stands_is_repaired(moments, tmp_path, shape, fields):
    asker = Asker(ScriptedModel(shape % fields), tmp_path / "kept.jsonl", Sampling(temperature=0), n_tries=1)
    assert kept_by_judge("role", REPLIES[:2], moments[:2], asker=asker).tops == (1, 1)
    assert all(row["repaired"] for row in asker.kept.values())


def test_a_verdict_in_single_quotes_is_repaired_and_one_of_another_form_is_not(moments, tmp_path):
    for said, tops in (("{'reason': 'x', 'kept': False}", 0.0), ('{"reason": "x", "kept": "no"}', math.nan)):
        asker = Asker(ScriptedModel(said), tmp_path / f"{tops}.jsonl", Sampling(temperature=0), n_tries=1)
        assert kept_by_judge("role", REPLIES[:1], moments[:1], asker=asker).tops == pytest.approx((tops,), nan_ok=True)


def test_answers_are_kept_and_only_what_failed_is_asked_again(moments, tmp_path):
    asked = []

    def count(context):
        asked.append(json.loads(context[-1].text)["reply"])
        return says(context)

    for _ in range(2):
        asker = Asker(ScriptedModel(count), tmp_path / "kept.jsonl", Sampling(temperature=0), n_tries=2)
        kept_by_judge("intent", REPLIES, moments, asker=asker)
    assert asked.count("no, the note") == 1
    assert asked.count("??") == 4  # two tries in each run
    assert "bye" not in asked
