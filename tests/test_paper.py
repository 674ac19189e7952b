from __future__ import annotations

import pytest

from repro.errors import ReproError
from repro.paper import build
from repro.reporting.run import Run

SOURCE = """
#let numbers = json("/results/" + sys.inputs.profile + "/01_main/numbers.json")
#let number(key) = if key in numbers [#numbers.at(key).value] else { panic("no number " + key + " in the results") }
#number("winrate.a_vs_b")
"""


@pytest.fixture
def record(project):
    (project / "paper").mkdir()
    (project / "paper/main.typ").write_text(SOURCE)
    run = Run.start("01_main", params={}, seed=0, profile="quick", results_path=project / "results")
    run.number("winrate.a_vs_b", 0.57)
    return run.finish()


def test_the_paper_is_built_from_the_record(record, project):
    path = build("quick")
    assert path == project / "paper/paper.pdf"
    assert path.read_bytes().startswith(b"%PDF")


def test_a_key_that_is_in_no_record_fails_the_build(record, project):
    (project / "paper/main.typ").write_text(SOURCE.replace("a_vs_b", "a_vs_c"))
    with pytest.raises(ReproError, match=r"cannot be built: .*no number winrate.a_vs_c in the results"):
        build("quick")
    assert not (project / "paper/paper.pdf").exists()


def test_numbers_that_somebody_edited_fail_the_build(record):
    path = record / "numbers.json"
    path.write_text(path.read_text().replace("0.57", "0.75"))
    with pytest.raises(ReproError, match="results/quick/01_main is not what its run wrote; run that notebook again"):
        build("quick")


def test_numbers_of_a_run_that_did_not_finish_fail_the_build(record):
    (record / "run.json").unlink()
    with pytest.raises(ReproError, match="is not what its run wrote"):
        build("quick")


def test_a_profile_without_results_fails_the_build(record):
    with pytest.raises(ReproError, match="no results under profile cpu yet; make reproduce PROFILE=cpu"):
        build("cpu")
