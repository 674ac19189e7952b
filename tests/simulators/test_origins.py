"""Does every edit of a simulator show in what it is made of, and nothing else?"""

from __future__ import annotations

from pathlib import Path

import pytest

from repro.simulators import made_of

from .test_specs import Point


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a simulator in a file, in a package, as weights, and in YAML files that name these."""
    files = {
        "configs/quick.yaml": "",
        "checkpoints/userlm/adapter.safetensors": "weights",
        "my_users.py": "class Terse: ...",
        "my_package/__init__.py": "",
        "my_package/users.py": "class Terse: ...",
        "my_package/prompt.txt": "be terse",
        "my_lm/model.safetensors": "weights",
        "on_top/adapter_config.json": '{"base_model_name_or_path": "my_lm"}',
        "on_top/tokenizer_config.json": "{}",
        "terse.yaml": "simulator: my_users.py:Terse\nargs: {words: [few.txt]}\n",
        "few.txt": "few",
        "both.yaml": "mixture: {terse.yaml: 1, userlm: 2, 'userlm:my_lm': 1, both.yaml: 1}\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


SPECS = {
    "my_users.py:Terse": "my_users.py",
    "my_package.users:Terse": "my_package/users.py",
    "my_package:Terse": "my_package/prompt.txt",
    "my_lm": "my_lm/model.safetensors",
    "on_top": "my_lm/model.safetensors",
    "userlm:my_lm": "my_lm/model.safetensors",
    "vllm:my_lm?max_model_len=64": "my_lm/model.safetensors",
    "roleplay:vllm:my_lm": "my_lm/model.safetensors",
    "userlm": "checkpoints/userlm/adapter.safetensors",
    "userlm_guarded": "checkpoints/userlm/adapter.safetensors",
    "mixture:oracle=0.5,my_users.py:Terse=0.5": "my_users.py",
    "mixture:oracle=0.5,userlm=0.5": "checkpoints/userlm/adapter.safetensors",
    "terse.yaml": "terse.yaml",
    "both.yaml": "my_users.py",  # two files further
}


@pytest.mark.parametrize("spec", SPECS)
def test_what_is_edited_is_another_simulator(mine, spec):
    before = made_of(spec)
    assert before == made_of(spec)
    assert all(len(hashed) == 64 for hashed in before.values())
    path = mine / SPECS[spec]
    path.write_text(path.read_text() + "# edited")
    assert made_of(spec) != before
    assert made_of(spec).keys() == before.keys()


def test_a_yaml_file_is_made_of_all_that_it_names(mine):
    assert made_of("both.yaml").keys() == {
        *("both.yaml", "terse.yaml", "my_users.py", "few.txt", "checkpoints/userlm", "my_lm"),
    }


def test_relative_paths_start_where_they_are_said_to(mine, monkeypatch):
    here = made_of("my_package.users:Terse") | made_of("my_users.py:Terse")
    (mine / "elsewhere").mkdir()
    monkeypatch.chdir(mine / "elsewhere")
    assert made_of("my_users.py:Terse") == made_of("my_package.users:Terse") == {}
    assert made_of("my_package.users:Terse", mine) | made_of("my_users.py:Terse", mine) == here


def test_a_file_that_is_not_there_is_no_module_of_its_name(mine, monkeypatch):
    (mine / "elsewhere").mkdir()
    monkeypatch.chdir(mine / "elsewhere")
    monkeypatch.syspath_prepend(mine)
    assert made_of("my_users.py:Terse") == {}


def test_an_installed_package_is_its_source(mine, monkeypatch):
    point = Point(None)
    point.value = "my_package.users:Terse"
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point])
    assert made_of("theirs") == made_of("my_package.users:Terse")


@pytest.mark.parametrize(
    "text",
    [
        *("", "oracle", "roleplay", "owner/model", "openai:http://127.0.0.1:9/v1#m", "vllm:http://127.0.0.1:9/v1#m"),
        *("userlm:owner/model", "roleplay:openai:http://h/v1#m", "http://host:80/x", "no_file.py:Terse", "none.yaml"),
        *("mixture:", "mixture:oracle", "a note / to all: come", "x" * 5000, "torn\x00"),
    ],
)
def test_what_is_not_on_this_machine_has_no_part_and_no_text_is_an_error(mine, text):
    assert made_of(text) == {}
