"""Can two people with the same files get the same hashes, and no one's machine be told from a record?"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from repro import provenance
from repro.errors import ReproError


def test_hash_of_a_folder_depends_on_names_and_contents_and_not_on_where_it_lies(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "a.txt").write_text("a")
    (tmp_path / "three" / "deep" / "a.txt").rename(tmp_path / "three" / "deep" / "b.txt")
    one, two, three = (provenance.sha256_of(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two != three
    assert provenance.hash_tree(tmp_path / "one") == {"deep/a.txt": hashlib.sha256(b"a").hexdigest()}


def test_names_are_relative_to_the_repository_or_the_last_two_parts(tmp_path: Path) -> None:
    here = Path(provenance.__file__)
    assert provenance.public_name(here).endswith("repro/provenance.py")
    assert provenance.public_name(tmp_path / "runs" / "a.txt") == "runs/a.txt"


def test_code_outside_git_has_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "SOURCE_PATH", tmp_path)
    assert provenance.git_state() == {"commit": None, "dirty": None}


def test_changed_code_is_dirty_and_changed_results_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "SOURCE_PATH", tmp_path)
    (tmp_path / "results").mkdir()
    for name in ("code.py", "results/numbers.json"):
        (tmp_path / name).write_text("1")
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "t"]):
        assert provenance._git(*command) == ""
        assert (tmp_path / ".git").exists()
    assert provenance.git_state()["commit"]
    assert provenance.git_state()["dirty"] is False
    (tmp_path / "results" / "numbers.json").write_text("2")
    assert provenance.git_state()["dirty"] is False
    (tmp_path / "code.py").write_text("2")
    assert provenance.git_state()["dirty"] is True


def test_packages_and_hardware_say_what_matters() -> None:
    assert provenance.packages()["numpy"]
    assert provenance.packages()["python"].startswith("3.")
    machine = provenance.hardware()
    assert machine["cores"] >= 1
    assert set(machine) == {"system", "cpu", "cores", "memory_gb", "gpus"}


def test_what_is_not_there_cannot_be_hashed(tmp_path: Path) -> None:
    with pytest.raises(ReproError, match=r"cannot read .*absent"):
        provenance.hashes([tmp_path / "absent"])
