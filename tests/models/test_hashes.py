"""Is a change found out, and nothing hashed twice?"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from repro.models import hashes


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_file_is_hashed_once(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"hello")
    first = hashes.sha256(path)
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("hashed again"))
    assert hashes.sha256(path) == first == hashlib.sha256(b"hello").hexdigest()


@pytest.mark.parametrize("content", ["", "[1, 2]", '{"broken'])
def test_a_damaged_hash_cache_is_ignored(tmp_path, content):
    hashes.cache_path().mkdir(parents=True)
    (hashes.cache_path() / "hashes.json").write_text(content)
    path = tmp_path / "file"
    path.write_bytes(b"hello")
    assert hashes.sha256(path) == hashlib.sha256(b"hello").hexdigest()


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "a_file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a_file"))  # a file where a folder should be
    assert hashes.sha256(Path(__file__)) == hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
