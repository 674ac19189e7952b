"""Is a simulator found by its name or folder, and a mistake answered with what there is?"""

from __future__ import annotations

import pytest

from repro.simulators import SIMULATORS, Exhaustive, ReferenceUsers, load_simulator


def test_scripted_ones_are_made_by_name():
    assert isinstance(load_simulator("exhaustive"), Exhaustive)
    assert isinstance(load_simulator("oracle"), ReferenceUsers)


@pytest.mark.parametrize("name", ["roleplay", "roleplay_raw", "roleplay_persona"])
def test_prompted_ones_take_the_weights_they_are_given(name):
    user = load_simulator(name, base="tiny")
    assert (user.name, user.model.name, user.model.dtype) == (name, "tiny", "bfloat16")
    assert load_simulator(name, base="tiny", dtype="float32").model.dtype == "float32"
    assert (user.helped, user.persona) == (name != "roleplay_raw", name == "roleplay_persona")


def test_every_entry_is_called_by_its_name():
    made = {name: SIMULATORS[name]("tiny", "float32") for name in SIMULATORS if not name.startswith("userlm")}
    assert {name: user.name for name, user in made.items()} == {name: name for name in made}
