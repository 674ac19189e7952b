"""Is a record whole whatever happens, and does it hold what was written?"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import repro.errors
from repro.errors import ReproError
from repro.reporting import record as record_module
from repro.reporting import run as run_module
from repro.reporting.record import attach, is_complete, key_of, load_numbers, write_whole
from repro.reporting.run import Run
from repro.types import Estimate

NAN = float("nan")
KEYS = "notebook profile params params_overridden seed started seconds git packages hardware inputs prompts checkpoints"


def begin(results_path: Path, **more: object) -> Run:
    return Run.start("01_demo", params={"n": 3}, seed=0, profile="smoke", results_path=results_path, **more)  # type: ignore[arg-type]


def finished(results_path: Path, value: float = 1.0) -> Path:
    run = begin(results_path)
    run.number("answer", value)
    run.table("rows", pd.DataFrame({"x": [1, 2]}))
    return run.finish()


def answer(path: Path) -> float:
    return load_numbers(path)["answer"].value


def python(code: str, results_path: Path) -> subprocess.Popen[str]:
    """Another process, as another terminal or machine would be; `results_path` is its first argument."""
    source = Path(repro.errors.__file__).parents[1]
    return subprocess.Popen(
        [sys.executable, "-c", code, str(results_path)],
        env={**os.environ, "PYTHONPATH": str(source)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


START = """
import sys
from repro.reporting.run import Run
run = Run.start("01_demo", params={"n": 3}, seed=0, profile="smoke", results_path=sys.argv[1])
"""

# Dies before its STEP-th open, rename or removal below results_path, as `kill -9` or a power cut would have it.
DYING = """
import os, signal, sys
left = STEP
def die(event, arguments):
    global left
    if event in ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"):
        # a removal inside a folder names the file alone
        left -= sys.argv[1] in str(arguments[0]) or event in ("os.remove", "os.rmdir")
        if left < 0: os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(die)
"""


def test_finished_run_leaves_every_part_of_the_record(tmp_path: Path) -> None:
    (tmp_path / "tasks.jsonl").write_text("{}\n")
    run = begin(tmp_path, params_overridden=["n"], inputs=[tmp_path / "tasks.jsonl"], checkpoints={"userlm": "ab12"})
    run.number("winrate.a_vs_b", Estimate(0.5, 0.4, 0.6, 10, 2, 5, "win rate"))
    run.note("one sentence")
    path = run.finish()
    record = json.loads((path / "run.json").read_text())
    assert path == tmp_path / "smoke" / "01_demo"
    assert {*KEYS.split(), "outputs"} <= set(record)
    assert {"commit", "dirty"} == set(record["git"])
    # sha256 of "{}\n"
    digest = "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"
    assert list(record["inputs"].values()) == [digest]
    assert record["checkpoints"] == {"userlm": "ab12"}
    assert (record["params"], record["params_overridden"], record["seed"]) == ({"n": 3}, ["n"], 0)
    assert set(record["outputs"]) == {"numbers.json"}
    assert record["notes"] == ["one sentence"]
    assert json.loads((path / "numbers.json").read_text())["winrate.a_vs_b"] == {
        "value": 0.5, "low": 0.4, "high": 0.6, "n": 10, "n_unscored": 2, "unit": "win rate",
    }  # fmt: skip


def test_record_names_no_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "tasks.jsonl").write_text("{}")
    path = begin(tmp_path, inputs=[tmp_path / "tasks.jsonl"]).finish()
    assert str(tmp_path) not in (path / "run.json").read_text()


finite = st.floats(allow_nan=True, allow_infinity=False)
estimates = st.builds(
    Estimate, finite, finite, finite, st.integers(0, 10**6), st.integers(0, 99), unit=st.text(max_size=9)
)


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_.]{0,20}", fullmatch=True), estimates, max_size=6))
def test_numbers_come_back_as_they_were_written(numbers: dict[str, Estimate]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = begin(Path(folder))
        run.numbers(numbers)
        path = run.finish()
        assert {key: repr(number) for key, number in load_numbers(path).items()} == {
            key: repr(number) for key, number in numbers.items()
        }
        assert is_complete(path)


def test_nan_is_written_as_null_and_read_as_nan(tmp_path: Path) -> None:
    path = finished(tmp_path, NAN)
    assert json.loads((path / "numbers.json").read_text())["answer"]["value"] is None
    assert math.isnan(answer(path))


def test_same_key_table_or_figure_twice_is_refused(tmp_path: Path) -> None:
    run = begin(tmp_path)
    run.number("answer", 1.0)
    with pytest.raises(ReproError, match="'answer' is already in this run"):
        run.number("answer", 1.0)
    run.table("rows", [{"x": 1}])
    with pytest.raises(ReproError, match="own name"):
        run.table("rows", [{"x": 2}])
    run.abandon()


@pytest.mark.parametrize("name", ["../escape", "a/b", "", ".hidden", "a b"])
def test_a_name_that_could_leave_the_record_is_refused(tmp_path: Path, name: str) -> None:
    run = begin(tmp_path)
    for write in (lambda: run.number(name, 1.0), lambda: run.table(name, [{"x": 1}])):
        with pytest.raises(ReproError, match="cannot be a name"):
            write()
    run.abandon()
    with pytest.raises(ReproError, match="cannot be a name"):
        Run.start(name, params={}, seed=0, results_path=tmp_path)


def test_infinite_numbers_and_parameters_are_refused(tmp_path: Path) -> None:
    run = begin(tmp_path)
    with pytest.raises(ReproError, match="infinite value"):
        run.number("kl", math.inf)
    run.abandon()
    with pytest.raises(ReproError, match="parameters cannot be written"):
        Run.start("01_demo", params={"lr": math.inf}, seed=0, results_path=tmp_path)


def test_missing_input_is_named_and_leaves_no_lock(tmp_path: Path) -> None:
    with pytest.raises(ReproError, match=r"cannot read .*absent.jsonl"):
        begin(tmp_path, inputs=[tmp_path / "absent.jsonl"])
    assert is_complete(finished(tmp_path))


def test_new_record_replaces_the_old_one_whole(tmp_path: Path) -> None:
    run = begin(tmp_path)
    run.table("only_in_the_first", [{"x": 1}])
    run.finish()
    path = finished(tmp_path, 2.0)
    assert answer(path) == 2.0
    assert not (path / "tables" / "only_in_the_first.csv").exists()


def test_unfinished_run_leaves_the_old_record(tmp_path: Path) -> None:
    path = finished(tmp_path, 1.0)
    run = begin(tmp_path)
    run.number("answer", 2.0)
    run.abandon()
    assert is_complete(path)
    assert answer(path) == 1.0
    with pytest.raises(ReproError, match="has ended"):
        run.number("other", 1.0)


def test_starting_again_in_one_process_replaces_the_earlier_run(tmp_path: Path) -> None:
    first = begin(tmp_path)
    first.number("answer", 1.0)
    path = finished(tmp_path, 2.0)
    assert answer(path) == 2.0
    with pytest.raises(ReproError, match="has ended"):
        first.finish()


@pytest.mark.parametrize("with_old", [True, False])
def test_a_kill_at_any_step_leaves_the_old_record_or_none_and_the_next_run_mends_it(
    tmp_path: Path, with_old: bool
) -> None:
    outcomes = []
    for step in range(60):
        results_path = tmp_path / str(step)
        path = finished(results_path, 1.0) if with_old else results_path / "smoke" / "01_demo"
        code = DYING.replace("STEP", str(step)) + START + "run.number('answer', 2.0); run.table('rows', [{'x': 1}])"
        child = python(code + "; run.finish()", results_path)
        child.communicate()
        assert not path.exists() or is_complete(path)  # never a part
        begin(results_path).abandon()
        assert not list(path.parent.glob(".*.staging"))
        assert not list(path.parent.glob(".*.old"))
        outcomes.append(answer(path) if is_complete(path) else None)
        if child.returncode == 0:
            break
    # The old record (or none) up to the swap, the new one from then on; and the child did finish in the end.
    n_before = outcomes.index(2.0)
    assert child.returncode == 0
    assert n_before >= 4
    assert outcomes == [1.0 if with_old else None] * n_before + [2.0] * (len(outcomes) - n_before)


def test_a_second_run_at_once_is_told_to_wait(tmp_path: Path) -> None:
    child = python(START + "print('started', flush=True); input(); run.number('answer', 5.0); run.finish()", tmp_path)
    assert child.stdout is not None
    assert child.stdout.readline() == "started\n"
    with pytest.raises(ReproError, match="another run is writing 01_demo"):
        begin(tmp_path)
    child.communicate("\n")
    assert child.returncode == 0
    assert answer(tmp_path / "smoke" / "01_demo") == 5.0
    assert answer(finished(tmp_path, 6.0)) == 6.0  # the lock is free again


def test_a_file_over_the_systems_limit_is_one_sentence_and_the_old_record_stays(tmp_path: Path) -> None:
    path = finished(tmp_path, 1.0)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
    child = python(START + limit + "run.table('rows', [{'x': i} for i in range(20_000)])", tmp_path)
    _, errors = child.communicate()
    assert child.returncode != 0
    assert "ReproError: could not write tables/rows of 01_demo (File too large)" in errors
    assert is_complete(path)
    assert answer(path) == 1.0
    assert not list(path.parent.glob(".*.staging"))


@pytest.mark.parametrize("n_written", [0, 1])
def test_full_disk_at_the_end_keeps_the_old_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_written: int
) -> None:
    path = finished(tmp_path, 1.0)
    written: list[Path] = []

    def full(path: Path, text: str) -> None:
        if len(written) == n_written:
            raise OSError(28, "No space left on device")
        written.append(path)
        record_module.write_text(path, text)

    run = begin(tmp_path)
    run.number("answer", 2.0)
    monkeypatch.setattr(run_module, "write_text", full)
    with pytest.raises(ReproError, match=r"No space left on device.*previous record is as it was"):
        run.finish()
    monkeypatch.undo()
    assert answer(path) == 1.0
    assert is_complete(path)
    assert not list(path.parent.glob(".*.staging"))
    assert answer(finished(tmp_path, 3.0)) == 3.0


def test_a_rename_that_fails_halfway_puts_the_old_record_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = finished(tmp_path, 1.0)
    run = begin(tmp_path)
    rename = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if self.name.endswith(".staging"):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(ReproError, match="Input/output error"):
        run.finish()
    assert is_complete(path)
    assert answer(path) == 1.0


def test_results_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(ReproError, match="choose another results_path"):
        begin(tmp_path / "results")


def test_figure_leaves_picture_vector_and_data_with_its_claim(tmp_path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    def draw(results_path: Path) -> Path:
        fig, ax = pyplot.subplots()
        ax.plot([1, 2])
        run = begin(results_path)
        assert run.figure("line", fig, data=pd.DataFrame({"y": [1, 2]}), claim="A1") is fig
        assert not pyplot.fignum_exists(fig.number)
        return run.finish()

    one, two = draw(tmp_path / "one"), draw(tmp_path / "two")
    outputs = [json.loads((path / "run.json").read_text())["outputs"] for path in (one, two)]
    assert outputs[0] == outputs[1]  # the same bytes each time
    assert {f"figures/line.{kind}" for kind in ("svg", "png", "csv")} < set(outputs[0])
    assert (one / "figures" / "line.csv").read_text() == '"y"\n1\n2\n'
    assert json.loads((one / "run.json").read_text())["claims"] == {"line": "A1"}


def test_changed_or_missing_output_makes_a_record_incomplete(tmp_path: Path) -> None:
    path = finished(tmp_path)
    (path / "tables" / "rows.csv").write_text("x\n9\n")
    assert not is_complete(path)
    (path / "tables" / "rows.csv").unlink()
    assert not is_complete(path)
    assert not is_complete(tmp_path / "nothing")


def test_a_key_depends_on_what_it_is_made_of_and_not_on_its_order() -> None:
    key = key_of(params={"n": 3, "m": 1}, seed=0)
    assert key == key_of(seed=0, params={"m": 1, "n": 3}) != key_of(seed=1, params={"m": 1, "n": 3})


def test_executed_notebook_joins_a_finished_record(tmp_path: Path) -> None:
    path = finished(tmp_path)
    (tmp_path / "out.ipynb").write_text("{}")
    attach(path, tmp_path / "out.ipynb", key="k1", params_overridden=["seed"])
    record = json.loads((path / "run.json").read_text())
    assert record["key"] == "k1"
    assert record["params_overridden"] == ["seed"]
    assert "executed.ipynb" in record["outputs"]
    with pytest.raises(ReproError, match="no finished record"):
        attach(tmp_path / "nothing", tmp_path / "out.ipynb")


def test_write_whole_keeps_the_old_text_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "README.md"
    write_whole(path, "old")

    def full(path: Path, text: str) -> None:
        path.write_text(text[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(record_module, "write_text", full)
    with pytest.raises(ReproError, match="No space left"):
        write_whole(path, "new")
    assert [file.name for file in tmp_path.iterdir()] == ["README.md"]
    assert path.read_text() == "old"


def test_numbers_that_are_not_there_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ReproError, match="make reproduce"):
        load_numbers(tmp_path)
