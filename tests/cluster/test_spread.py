"""Is every item done once, with the same result on a cluster as here, whoever dies?"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from repro import cluster
from repro.cluster import spread
from repro.errors import ReproError

SOURCE = Path(__file__).resolve().parents[2] / "src"
HAS_RAY = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed: pip install 'repro[cluster]'")
N = 12


def work(item):
    """Says that it was begun, and in a cluster dies once in the middle of item 5."""
    folder, i = Path(item["folder"]), item["i"]
    with (folder / "begun.txt").open("a") as file:
        file.write(f"{i} {os.getpid()}\n")
    if i == 5 and item["dies"] and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.05)
    if i == item.get("fails"):
        raise ValueError(f"item {i} is bad")
    return {"i": i, "square": i * i, "text": "é" * i}


def items(folder, **how):
    return [{"folder": str(folder), "i": i, "dies": False, **how} for i in range(N)]


def key(item):
    return ["square", item["i"]]


def begun(folder):
    return [int(line.split()[0]) for line in (folder / "begun.txt").read_text().splitlines()]


def here(folder, **how):
    return cluster.map(work, items(folder, **how), key=key, store=folder / "parts")


def test_here_items_are_done_in_order_and_filed_under_what_they_say(tmp_path):
    found = here(tmp_path)
    assert [row["square"] for row in found] == [i * i for i in range(N)]
    assert begun(tmp_path) == [*range(N)]
    names = {path.name for path in (tmp_path / "parts").iterdir()}
    assert names == {f"{spread.digest(['square', i])}.json" for i in range(N)}


def test_what_is_filed_is_not_done_again(tmp_path):
    first = here(tmp_path)
    (tmp_path / "parts" / f"{spread.digest(['square', 3])}.json").unlink()
    assert here(tmp_path) == first
    assert begun(tmp_path) == [*range(N), 3]


def test_a_failure_keeps_what_was_done_before_it(tmp_path):
    with pytest.raises(ValueError, match="item 7 is bad"):
        here(tmp_path, fails=7)
    here(tmp_path)
    assert begun(tmp_path) == [*range(8), *range(7, N)]


def test_equal_items_are_one(tmp_path):
    twice = [*items(tmp_path), *items(tmp_path)[:3]]
    found = cluster.map(work, twice, key=key, store=tmp_path / "parts")
    assert found[N:] == found[:3]
    assert begun(tmp_path) == [*range(N)]


def test_nothing_to_do_is_nothing(tmp_path):
    assert cluster.map(work, [], key=key, store=tmp_path) == []


def test_without_a_store_the_function_is_asked_each_time():
    asked = []
    assert cluster.map(lambda i: asked.append(i) or i + 1, [1, 2, 1], key=int) == [2, 3, 2]
    assert cluster.map(lambda i: asked.append(i) or i + 1, [2], key=int) == [3]
    assert asked == [1, 2, 2]


def test_a_file_that_is_no_json_is_named(tmp_path):
    here(tmp_path)
    (tmp_path / "parts" / f"{spread.digest(['square', 3])}.json").write_text("{")
    with pytest.raises(ReproError, match=r"\.json is not JSON; remove it"):
        here(tmp_path)


def test_half_a_surrogate_pair_is_filed_and_found(tmp_path):
    for _ in range(2):  # a model may write any character
        assert cluster.map(lambda i: "\ud83d" * i, [2], key=int, store=tmp_path) == ["\ud83d" * 2]


class Ray:
    """As much of Ray as `map` uses, in this process; what tasks were begun with is in `how`."""

    def __init__(self):
        self.how, self.made = {}, {}

    def is_initialized(self):
        return True

    def nodes(self):
        return [{"Alive": True, "Resources": {"CPU": 4, "GPU": 1}}]

    def remote(self, **how):
        self.how = how
        return lambda function: SimpleNamespace(remote=lambda *given: self.put(function(*given)))

    def put(self, result):
        self.made[len(self.made)] = result
        return len(self.made) - 1

    def wait(self, references, num_returns):
        return references[:num_returns], references[num_returns:]

    def get(self, reference):
        return self.made[reference]


@pytest.mark.parametrize(("stay_loaded", "limit"), [(True, {"max_calls": 0}), (False, {})])
def test_workers_with_gpus_keep_what_they_loaded_only_where_that_is_asked(monkeypatch, stay_loaded, limit):
    ray = Ray()
    monkeypatch.setitem(sys.modules, "ray", ray)
    how = {"resources": cluster.Resources(1, 1), "on_ray": True, "stay_loaded": stay_loaded}
    assert cluster.map(lambda i: i + 1, [1, 2], key=int, **how) == [2, 3]
    assert ray.how == {"num_cpus": 1, "num_gpus": 1, "max_retries": spread.N_TRIES - 1, **limit}


def test_a_cluster_without_ray_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        ReproError, match=r"a cluster takes Ray, which is not installed: pip install 'repro\[cluster\]'"
    ):
        cluster.map(work, [{}], key=str, on_ray=True)


@pytest.fixture(scope="module")
def on_ray(tmp_path_factory):
    """What two workers made, one of which was killed: (folder, what the driver printed)."""
    folder = tmp_path_factory.mktemp("ray")
    environment = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_memory_monitor_refresh_ms": "0"}
    command = [sys.executable, __file__, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
    if "timed out during startup" in done.stderr:
        pytest.skip("Ray's own processes did not start within its 15 seconds: this machine is too busy")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, json.loads((folder / "found.json").read_text())


@needs_ray
@pytest.mark.slow
def test_two_workers_of_whom_one_is_killed_do_every_item_once(on_ray, tmp_path):
    folder, found = on_ray
    assert (folder / "died").exists()
    assert found["map"] == here(tmp_path)  # the same results, in the same order
    assert len([*(folder / "parts").glob("*.json")]) == N == len([*(folder / "parts").iterdir()])
    assert sorted(begun(folder)) == sorted([*range(N), 5])  # only the one that died was begun again
    who = [line.split() for line in (folder / "begun.txt").read_text().splitlines()]
    assert len({pid for i, pid in who if i == "5"}) == 2 <= len({pid for _, pid in who})  # taken over by another


@needs_ray
@pytest.mark.slow
def test_a_second_run_on_a_cluster_finds_all_done(on_ray):
    folder, found = on_ray
    assert found["again"] == found["map"]
    assert len(begun(folder)) == N + 1


@needs_ray
@pytest.mark.slow
def test_one_failure_on_a_cluster_lets_the_others_finish(on_ray):
    _, found = on_ray
    assert found["failure"] == f"1 of {N} parts failed, the first with ValueError: item 7 is bad"
    assert found["n_kept_after_failure"] == N - 1


@needs_ray
@pytest.mark.slow
def test_more_than_any_machine_has_is_refused(on_ray):
    assert "a part takes 1 cores and 8 GPUs, and no machine has them: 2 cores and 0 GPUs" in on_ray[1]["too_much"]


def on_two_workers(folder: Path) -> None:
    import ray

    ray.init(num_cpus=2, object_store_memory=10**8, include_dashboard=False)
    found, how = {}, {"key": key, "on_ray": True}
    found["map"] = cluster.map(work, items(folder, dies=True), store=folder / "parts", **how)
    found["again"] = cluster.map(work, items(folder, dies=True), store=folder / "parts", **how)
    failing = folder / "failing"
    failing.mkdir()
    try:
        cluster.map(work, items(failing, fails=7), store=failing / "parts", **how)
    except ReproError as error:
        found["failure"] = str(error)
    found["n_kept_after_failure"] = len([*(failing / "parts").iterdir()])
    try:
        cluster.map(work, items(folder), resources=cluster.Resources(1, 8), **how)
    except ReproError as error:
        found["too_much"] = str(error)
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    on_two_workers(Path(sys.argv[1]))
