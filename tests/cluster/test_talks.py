"""Are the same models trained and the same dialogues held on a cluster as here, each once?"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from repro import cluster
from repro.cluster.talks import parts
from repro.config import load_profile
from repro.errors import ReproError
from repro.evaluation.talks import INITIAL, MAIN_ARMS, hold, talk_tasks
from repro.training.checkpoints import is_finished, load_record
from repro.training.lab import Lab
from repro.training.names import in_order

HAS_RAY = importlib.util.find_spec("ray") is not None
SMOKE = load_profile("smoke")


def test_everybody_talks_with_everybody_once():
    found = parts(SMOKE)
    assert len(found) == len(set(found)) == 6 + 5 * 6  # initial and five arms; each with a study, and with five users
    assert ("oracle", ("userlm", 0), "study", SMOKE.n_participants) in found
    assert ("roleplay", INITIAL, "talks", 2) in found
    assert {user for user, *_ in found} == {*MAIN_ARMS}


def test_models_have_to_be_there(project):
    with pytest.raises(ReproError, match="assistant-exhaustive-s0 is not trained yet; run repro train --profile smoke"):
        cluster.talk(Lab(SMOKE, root=project), on_ray=False)


def done(folder: Path, where: str) -> Path:
    """Everything of the smoke profile in a checkout of its own: here, or with two Ray workers."""
    import shutil

    root = Path(__file__).resolve().parents[2]
    shutil.copytree(root / "configs", folder / "configs")
    paths = os.pathsep.join([str(root / "src"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "RAY_AUTH_MODE": "disabled"}
    environment |= {"RAY_memory_monitor_refresh_ms": "0"}
    command = [sys.executable, __file__, where]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=500, check=False)
    if "timed out during startup" in ran.stderr:
        pytest.skip("Ray's own processes did not start within its 15 seconds: this machine is too busy")
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    return done(tmp_path_factory.mktemp("here"), "here")


def said(folder: Path) -> dict[str, list[str]]:
    """The dialogues by file; in a file that several parts share, their order is who came first."""
    return {path.name: sorted(path.read_text().splitlines()) for path in (folder / "work/smoke/talks").glob("*.jsonl")}


@pytest.mark.slow
def test_each_dialogue_is_held_once_and_found_by_whoever_needs_it(here, monkeypatch):
    before = said(here)
    n_each = [n for _, _, _, n in parts(SMOKE)]
    assert sum(map(len, before.values())) == sum(n_each) == 6 * 6 + 5 * 6 * 2
    lab = Lab(SMOKE, root=here)
    held = hold(lab, [INITIAL, ("userlm", 0)], tasks=talk_tasks(2, seed=0), user=lab.simulator("roleplay"), seed=0)
    assert [len(dialogues) for dialogues in held.values()] == [2, 2]
    assert said(here) == before


@pytest.mark.slow
@pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed: pip install 'repro[cluster]'")
def test_two_workers_train_the_same_models_and_hold_the_same_dialogues(here, tmp_path):
    there = done(tmp_path / "there", "cluster")
    for name in in_order(SMOKE.arms):
        folders = [folder / "work/smoke/models" / name for folder in (here, there)]
        assert all(map(is_finished, folders))
        assert len({load_record(folder)["sha256"] for folder in folders}) == 1, name
    assert said(there) == said(here)


if __name__ == "__main__":
    extra = []
    if sys.argv[1] == "cluster":
        import ray

        ray.init(num_cpus=2, object_store_memory=10**8, include_dashboard=False)
        extra = ["--cluster"]
    from repro.cli import main

    sys.exit(main(["train", "--profile", "smoke", *extra]) or main(["talks", "--profile", "smoke", *extra]))
