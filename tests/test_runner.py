from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from filelock import FileLock

from repro import runner
from repro.errors import ReproError
from repro.models.hashes import tree
from repro.reporting.run import Run
from repro.runner import Asked, plan, run_all, run_notebook

FOLDER = "results/quick/01_main"


@pytest.fixture
def quick_run(monkeypatch):
    """Stands in for papermill: makes the record in this process and counts how often."""
    calls = []

    def execute(source, target, params, root):
        calls.append(dict(params))
        target.write_text(source.read_text())
        run = Run.start(source.stem, params=params, seed=0, profile=params["profile"], results_path=root / "results")
        run.number("winrate.a_vs_b", 0.5)
        run.finish()

    monkeypatch.setattr(runner, "_execute", execute)
    return calls


def test_a_finished_notebook_is_filed_with_what_it_was_made_from(notebook, project, quick_run):
    notebook("01_main")
    assert run_notebook("01", "quick", {"seed": "4"})
    record = json.loads((project / FOLDER / "run.json").read_text())
    assert quick_run == [{"profile": "quick", "seed": 4}]
    assert (project / FOLDER / "executed.ipynb").is_file()
    assert "executed.ipynb" in record["outputs"]
    assert record["params_overridden"] == ["seed"]
    assert record["made_from"]["params"] == {"profile": "quick", "seed": 4}
    assert not list((project / "results/quick").glob("*.ipynb"))


def test_a_current_result_is_not_made_again(notebook, quick_run, capfd):
    notebook("01_main")
    assert [run_notebook("01", "quick"), run_notebook("01", "quick")] == [True, False]
    assert len(quick_run) == 1
    assert "01_main: current, nothing to do" in capfd.readouterr().err


CHANGES = {
    "notebook": lambda root: (root / "notebooks/01_main.ipynb").write_text(
        (root / "notebooks/01_main.ipynb").read_text().replace("0.4", "0.3")
    ),
    "settings": lambda root: (root / "configs/quick.yaml").open("a").write("# another\n"),
    "claims": lambda root: (root / "configs/claims.yaml").write_text("[]\n"),
    "source": lambda root: (root / "src/repro/types.py").write_text("ONE = 2\n"),
    "checkpoints": lambda root: (root / "checkpoints/base/adapter.safetensors").write_bytes(b"12"),
    "files": lambda root: (root / "mine.py").write_text("NAME = 'another'\n"),
    "packages": lambda root: (root / "requirements.lock").write_text("torch==2.14.0\n"),
}


@pytest.mark.parametrize("part", CHANGES)
def test_a_result_is_made_again_when_what_it_was_made_from_changed(notebook, project, quick_run, capfd, part):
    notebook("01_main")
    (project / "mine.py").write_text("NAME = 'one'\n")
    run_notebook("01", "quick", {"simulator": "mine.py:Mine"})
    CHANGES[part](project)
    assert run_notebook("01", "quick", {"simulator": "mine.py:Mine"})
    assert f"01_main ({part} changed)" in capfd.readouterr().err


def test_other_parameters_make_another_result(notebook, quick_run):
    notebook("01_main")
    notebook("02_other")
    run_all(Asked(["1"], offered={"seed": 0}))
    assert run_all(Asked(["1"], offered={"seed": 0})) == 0
    assert run_all(Asked(["1"], offered={"seed": 1})) == 1


def test_a_result_that_somebody_edited_is_made_again(notebook, project, quick_run):
    notebook("01_main")
    run_notebook("01", "quick")
    (project / FOLDER / "numbers.json").write_text("{}\n")
    assert run_notebook("01", "quick")


def test_code_that_no_number_depends_on_does_not_make_results_stale(notebook, project, quick_run):
    notebook("01_main")
    run_notebook("01", "quick")
    (project / "src/repro/cli.py").write_text("VERBS = 5\n")
    assert not run_notebook("01", "quick")


def test_a_simulator_within_another_is_part_of_what_a_result_is_made_from(notebook, project, quick_run):
    notebook("01_main")
    (project / "mine.py").write_text("NAME = 'one'\n")
    (project / "mine.yaml").write_text("simulator: mine.py:Mine\n")
    spec = {"simulator": "mixture:mine.yaml=0.5,oracle=0.5"}
    run_notebook("01", "quick", spec)
    (project / "mine.py").write_text("NAME = 'another'\n")
    assert [run_notebook("01", "quick", spec), run_notebook("01", "quick", spec)] == [True, False]


def test_a_file_that_a_default_names_is_part_of_what_a_result_is_made_from(notebook, project, quick_run):
    notebook("01_main", parameters='profile = "quick"\nseed = 0\nencoder = "vectors"')
    (project / "vectors").mkdir()
    run_notebook("01", "quick")
    (project / "vectors/weights.bin").write_bytes(b"1")
    assert [run_notebook("01", "quick"), run_notebook("01", "quick")] == [True, False]


def test_weights_that_are_replaced_while_a_notebook_runs_do_not_get_its_result(
    notebook, project, quick_run, monkeypatch
):
    """It may have read the old ones; so it is filed under these, and is made again."""
    execute, before = runner._execute, tree(project / "checkpoints")

    def meanwhile(source, target, params, root):
        (root / "checkpoints/base/adapter.safetensors").write_bytes(b"released just now")
        execute(source, target, params, root)

    monkeypatch.setattr(runner, "_execute", meanwhile)
    notebook("01_main")
    run_notebook("01", "quick")
    made_from = json.loads((project / FOLDER / "run.json").read_text())["made_from"]
    assert made_from["checkpoints"] == before != tree(project / "checkpoints")
    assert [run_notebook("01", "quick"), run_notebook("01", "quick")] == [True, False]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("mine.py:Mine", "examples/mine.py:Mine"),
        ("./mine.py:Mine", "examples/mine.py:Mine"),
        ("userlm:my_model", "userlm:examples/my_model"),
        ("mixture:mine.py:Mine=0.5,oracle=0.5", "mixture:examples/mine.py:Mine=0.5,oracle=0.5"),
        ("vllm:my_model?max_model_len=64", "vllm:examples/my_model?max_model_len=64"),
        ("lr=0.1/votes.csv", "examples/lr=0.1/votes.csv"),
        ("../configs", "configs"),
        ("userlm", "userlm"),  # a name, though a folder here is called so
        ("no_such_file.py:Mine", "no_such_file.py:Mine"),
        ("/dev/null", "/dev/null"),
        ("x" * 5000, "x" * 5000),
    ],
)
def test_a_file_is_named_from_where_one_stands(notebook, project, quick_run, monkeypatch, asked, found):
    notebook("01_main")
    for folder in ("my_model", "userlm", "lr=0.1"):
        (project / "examples" / folder).mkdir(parents=True)
    for name in ("mine.py", "lr=0.1/votes.csv"):
        (project / "examples" / name).write_text("")
    monkeypatch.chdir(project / "examples")
    run_notebook("01", "quick", {"simulator": asked})
    assert quick_run[0]["simulator"] == found
    monkeypatch.chdir(project)
    assert not run_notebook("01", "quick", {"simulator": found})  # from the root it is the same result


def test_notebooks_that_run_side_by_side_run_in_the_root(notebook, project, quick_run, monkeypatch):
    notebook("01_main"), notebook("02_other")
    (project / "examples").mkdir()
    (project / "examples/mine.py").write_text("")
    monkeypatch.chdir(project / "examples")
    started = []

    class Child:
        stderr = ()

        def wait(self):
            return 0

    def start(command, on, **how):
        started.append((command[command.index("-p") + 1], how["cwd"]))
        return Child()

    monkeypatch.setattr(runner, "start", start)
    monkeypatch.setattr(runner, "shares", lambda n: [[0], [1]])
    run_all(Asked(offered={"simulator": "mine.py:Mine"}, jobs=2))
    assert started == [("simulator=examples/mine.py:Mine", project)] * 2


def test_starting_over_forgets_work_in_progress_of_this_notebook_only(notebook, project, quick_run):
    notebook("01_main")
    run_notebook("01", "quick")
    for name in ("01_main", "02_other"):
        (project / "work/quick" / name).mkdir(parents=True)
    assert run_notebook("01", "quick", force=True)
    assert [path.name for path in (project / "work/quick").iterdir()] == ["02_other"]


def test_a_notebook_that_records_nothing_has_failed(notebook, project, monkeypatch):
    notebook("01_main")
    monkeypatch.setattr(runner, "_execute", lambda source, target, params, root: target.write_text("{}"))
    with pytest.raises(ReproError, match=r"without run.finish\(\).*see results/quick/01_main.failed.ipynb"):
        run_notebook("01", "quick")


def test_an_interrupted_notebook_leaves_the_earlier_result(notebook, project, quick_run, monkeypatch):
    notebook("01_main")
    run_notebook("01", "quick")

    def interrupt(source, target, params, root):
        target.write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "_execute", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_notebook("01", "quick", {"seed": 1})
    assert not list((project / "results/quick").glob("*.ipynb"))
    assert not run_notebook("01", "quick")  # the result for seed 0 is still current


def test_two_processes_do_not_run_the_same_notebook(notebook, project, quick_run):
    notebook("01_main")
    (project / "results/quick").mkdir(parents=True)
    with FileLock(project / "results/quick/.01_main.runner.lock"), pytest.raises(ReproError, match="already running"):
        run_notebook("01", "quick")


def test_a_mistake_in_the_last_notebook_is_found_before_the_first_one_runs(notebook, quick_run):
    notebook("01_main"), notebook("02_other", parameters='profile = "quick"')
    with pytest.raises(ReproError, match="no parameter 'rate' in 02_other"):
        run_all(Asked(params={"rate": 0.1}))
    assert quick_run == []


def test_an_offer_that_no_notebook_knows_is_a_mistake(notebook):
    notebook("01_main", parameters='profile = "quick"')
    with pytest.raises(ReproError, match="no parameter 'simulator' in 01_main; leave it out"):
        run_all(Asked(offered={"simulator": "oracle"}))


def test_an_unknown_profile_is_found_before_anything_runs(notebook, quick_run):
    notebook("01_main")
    with pytest.raises(ReproError, match="no profile 'qick'; have smoke, quick, cpu, paper"):
        run_notebook("01", "qick")
    assert quick_run == []


def test_the_plan_says_what_would_run_for_how_long_and_with_what(notebook, quick_run):
    notebook("01_main", minutes=2), notebook("02_other", minutes=61)
    run_notebook("01", "quick")
    first, second, total, *settings = plan(Asked(["1", "2"]))
    assert re.match(r"01_main +current", first)
    assert re.match(r"02_other +no finished result +about 1:01:00", second)
    assert total == "in all 1:01:00 where known"
    assert any(re.match(r"  max_turns +3 +ours", line) for line in settings)
    assert len(quick_run) == 1  # planning runs nothing


def test_expected_time_is_what_it_took_here_last_time(notebook, project, quick_run, capfd):
    notebook("01_main", minutes=9)
    run_notebook("01", "quick")
    path = project / FOLDER / "run.json"
    path.write_text(path.read_text().replace('"seconds": ', '"seconds": 75.0, "was": '))
    run_notebook("01", "quick", force=True)
    first, second = re.findall("started, takes about (.*)", capfd.readouterr().err)
    assert (first, second) == ("9:00", "1:15")


@pytest.mark.slow
def test_a_real_notebook_runs_once_and_a_failing_one_is_kept_and_named(notebook, project):
    notebook("01_main")
    assert run_notebook("01", "quick", {"rate": "0.25"})
    record = json.loads((project / FOLDER / "run.json").read_text())
    assert record["params"] == {"seed": 0, "rate": 0.25}
    assert str(project) not in (project / FOLDER / "executed.ipynb").read_text()
    assert not run_notebook("01", "quick", {"rate": "0.25"})
    notebook("01_main", "raise ZeroDivisionError('nothing to divide by')")
    with pytest.raises(ReproError, match=r"01_main failed: cell \d: ZeroDivisionError: nothing to divide by; see resu"):
        run_notebook("01", "quick")
    assert "nothing to divide by" in (project / "results/quick/01_main.failed.ipynb").read_text()
    assert json.loads((project / FOLDER / "run.json").read_text()) == record  # the earlier result is still there


@pytest.mark.slow
def test_notebooks_run_side_by_side_and_a_failure_keeps_what_the_others_made(notebook, project, capfd):
    for name in ("01_main", "02_other"):
        notebook(name)
    notebook("03_broken", "raise ZeroDivisionError('nothing to divide by')")
    with pytest.raises(ReproError, match="03_broken failed, see above"):
        run_all(Asked(jobs=2, params={"rate": "0.25"}))
    said = capfd.readouterr().err
    assert "03_broken failed: cell" in said
    for name in ("01_main", "02_other"):
        assert f"{name} (no finished result): done after" in said
        assert json.loads((project / f"results/quick/{name}/run.json").read_text())["params"]["rate"] == 0.25
    (project / "notebooks/03_broken.ipynb").unlink()
    assert run_all(Asked(jobs=2, params={"rate": "0.25"})) == 0


def test_more_notebooks_at_once_than_cores_are_refused(notebook):
    notebook("01_main")
    with pytest.raises(ReproError, match="9999 jobs need 9999 cores"):
        run_all(Asked(jobs=9999))


@pytest.mark.slow
def test_an_interruption_costs_one_sentence_and_leaves_no_process(notebook, project, interruptible):
    notebook("01_main", "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(600)")
    command = [sys.executable, "-m", "repro", "run", "01"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **interruptible) as process:
        try:
            kernel = int(_wait_for(project / "pid"))
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "stopped; what was finished is kept" in err
    assert "Traceback" not in err
    _wait_until_gone(kernel)


def _wait_for(path, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if path.is_file() and path.read_text():
            return path.read_text()
        time.sleep(0.1)
    raise AssertionError(f"{path} was not written in {seconds} seconds")


def _wait_until_gone(pid, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise AssertionError(f"process {pid} is still there after {seconds} seconds")
