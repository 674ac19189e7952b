"""Does a model's name say what has to be there first?"""

from __future__ import annotations

import pytest

from repro.training import names


@pytest.mark.parametrize(
    ("name", "parents", "adapters"),
    [
        ("initial", (), ("initial",)),
        ("userlm", ("initial",), ("userlm",)),
        ("depth10", ("initial",), ("depth10",)),
        ("userlm_depth10", ("initial", "depth10"), ("depth10", "userlm_depth10")),
        ("assistant-oracle-s0", ("initial",), ("initial", "assistant-oracle-s0")),
        ("assistant-userlm-s1", ("initial", "userlm"), ("initial", "assistant-userlm-s1")),
        ("assistant-userlm_depth10-s0", ("initial", "userlm_depth10"), ("initial", "assistant-userlm_depth10-s0")),
        ("assistant-roleplay_depth10-s0", ("initial", "depth10"), ("initial", "assistant-roleplay_depth10-s0")),
    ],
)
def test_what_a_model_is_made_after_and_of(name, parents, adapters):
    assert names.parents_of(name) == parents
    assert names.adapters_of(name) == adapters


def test_a_simulator_says_its_kind_its_size_and_its_model():
    assert (names.kind_of("roleplay_depth10"), names.depth_of("roleplay_depth10")) == ("roleplay", 10)
    assert names.model_of("roleplay_depth10") == "depth10"
    assert (names.kind_of("roleplay_all"), names.depth_of("roleplay_all")) == ("roleplay_all", None)
    assert (names.model_of("roleplay"), names.model_of("userlm")) == ("", "userlm")


def test_an_assistant_has_all_layers_whatever_its_user_has():
    assert names.depth_of("assistant-userlm_depth10-s0") is None
    assert names.arm_and_seed("assistant-userlm_depth10-s2") == ("userlm_depth10", 2)


def test_what_others_need_comes_first_and_every_arm_before_a_second_seed():
    assert names.in_order({"roleplay": 2, "userlm_depth10": 1, "roleplay_depth10": 1, "oracle": 1}) == [
        "initial", "userlm", "depth10", "userlm_depth10", "assistant-roleplay-s0", "assistant-userlm_depth10-s0",
        "assistant-roleplay_depth10-s0", "assistant-oracle-s0", "assistant-roleplay-s1",
    ]  # fmt: skip
