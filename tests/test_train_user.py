"""Does one command go from a file of chats to a user language model, and say what became of every conversation?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from repro.cli import main
from repro.config import repo_root
from repro.simulators import UserLM, load_simulator

from .data.wildchat import rows, write

pytest.importorskip("trl")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*bf16.*:UserWarning")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a corpus and a recipe for a tiny model."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    write(tmp_path / "chats.jsonl", rows()[:60])
    recipe = yaml.safe_load((repo_root() / "configs/recipes/smollm2-135m-cpu.yaml").read_text())
    tiny = {"base": "tiny", "num_train_epochs": 1, "max_length": 512, "batch_size": 16}
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(recipe | tiny))
    return tmp_path


def test_from_a_file_to_a_user(here, capsys):
    command = [
        "train-user",
        str(here / "chats.jsonl"),
        "--recipe",
        str(here / "tiny.yaml"),
        "--out",
        str(here / "user"),
    ]
    assert main(command) == 0
    said = capsys.readouterr().out
    stages = ["load: 60 -> 60", "deduplicate: 60 -> 60", "split by user: train ", "near-duplicate first turns"]
    stages += ["not stated", "flip: ", "held-out users, before: ", "held-out users, after: "]
    assert [stage for stage in stages if stage not in said] == []
    record = json.loads((here / "user" / "checkpoint.json").read_text())
    assert record["corpus"] == "chats.jsonl"
    assert str(here) not in (here / "user" / "README.md").read_text()
    assert isinstance(load_simulator(str(here / "user")), UserLM)
    assert main(command) == 0  # nothing is done twice
    assert "it/s" not in capsys.readouterr().err.split("trained")[-1]


def test_a_plan_trains_nothing(here, capsys):
    assert main(["train-user", str(here / "chats.jsonl"), "--recipe", str(here / "tiny.yaml"), "--plan"]) == 0
    said = capsys.readouterr().out
    assert "operations" in said
    assert "perplexity" not in said
    assert main(["train-user", "--plan"]) == 0
    assert capsys.readouterr().out.count("H100-hours") == 5


def test_what_is_missing_is_said_before_the_corpus_is_read(capsys):
    import torch

    assert main(["train-user"]) == 2
    assert main(["train-user", "wildchat"]) == 2
    if not torch.cuda.is_available():
        assert main(["train-user", "wildchat", "--recipe", "qwen2.5-14b", "--out", "x"]) == 2
        assert "accelerate launch --config_file configs/recipes/launch/fsdp-8gpu.yaml" in capsys.readouterr().err
