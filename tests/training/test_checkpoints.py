"""Is a finished adapter whole, described and checked, and a release a copy of it?"""

from __future__ import annotations

import json

import pytest
from peft import LoraConfig, get_peft_model

from repro.errors import ReproError
from repro.models.local import LocalModel
from repro.models.tiny import tiny_model
from repro.training import checkpoints


@pytest.fixture
def adapter():
    config = LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")
    return get_peft_model(tiny_model()[0], config)


def test_what_is_saved_can_be_loaded_and_says_how_it_was_made(adapter, tmp_path):
    folder = checkpoints.save(adapter, tmp_path / "deep" / "a", name="a", seconds=3)
    record = checkpoints.load_record(folder)
    assert (record["name"], record["seconds"]) == ("a", 3)
    assert {"commit", "packages", "sha256", "megabytes"} <= set(record)
    LocalModel.from_pretrained("tiny", adapters=[folder])
    assert [path.name for path in folder.parent.iterdir()] == ["a"]  # nothing is left of the making


def test_the_record_names_the_base_and_no_folder_of_this_machine(adapter, tmp_path):
    folder = checkpoints.save(adapter, tmp_path / "a", name="a", base="smollm2")
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert not any(str(tmp_path) in path.read_text() for path in [*folder.glob("*.json"), folder / "README.md"])
    toy = checkpoints.save(adapter, tmp_path / "toy", name="toy", base="tiny")
    assert json.loads((toy / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny"


def test_the_card_says_on_what_an_adapter_sits(adapter, tmp_path):
    made = {"name": "assistant-oracle-s0", "base": "smollm2", "on": ["initial"], "trained_against": "oracle"}
    card = (checkpoints.save(adapter, tmp_path / "a", **made) / "README.md").read_text()
    assert 'adapters = ["checkpoints/initial", "checkpoints/assistant-oracle-s0"]' in card
    assert 'from_pretrained("smollm2", adapters=adapters)' in card
    assert "talking to the user `oracle`" in card


def test_an_unfinished_folder_and_changed_weights_are_refused(adapter, tmp_path):
    with pytest.raises(ReproError, match="no finished adapter"):
        checkpoints.load_record(tmp_path / "nothing")
    folder = checkpoints.save(adapter, tmp_path / "a", name="a")
    whole = (folder / "checkpoint.json").read_text()
    (folder / "checkpoint.json").write_text("{")
    with pytest.raises(ReproError, match=r"checkpoint.json is not JSON; restore the folder"):
        checkpoints.load_record(folder)
    (folder / "checkpoint.json").write_text(whole)
    with (folder / checkpoints.WEIGHTS).open("ab") as weights:
        weights.write(b"x")
    with pytest.raises(ReproError, match="are not those that were saved"):
        checkpoints.load_record(folder)


def test_a_release_replaces_the_last_one_and_leaves_work_behind(adapter, tmp_path):
    folder = checkpoints.save(adapter, tmp_path / "work" / "a", name="a")
    (folder / "optimizer.pt").write_text("work in progress")
    target = tmp_path / "checkpoints" / "a"
    target.mkdir(parents=True)
    (target / "old.txt").write_text("of the last release")
    checkpoints.release(folder, target)
    kept = {"adapter_config.json", checkpoints.WEIGHTS, "README.md", "checkpoint.json"}
    assert {path.name for path in target.iterdir()} == kept
    assert checkpoints.load_record(target) == checkpoints.load_record(folder)


def test_saving_over_a_finished_one_replaces_it(adapter, tmp_path):
    checkpoints.save(adapter, tmp_path / "a", name="first")
    checkpoints.save(adapter, tmp_path / "a", name="second")
    assert checkpoints.load_record(tmp_path / "a")["name"] == "second"
