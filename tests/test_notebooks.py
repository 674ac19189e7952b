from __future__ import annotations

import json
import re

import pytest

from repro.errors import ReproError
from repro.notebooks import Notebook, bind, find


@pytest.mark.parametrize("name", ["1", "01", "01_main", "01_main_win_rates", "notebooks/01_main_win_rates.ipynb"])
def test_a_notebook_is_found_by_number_and_by_how_its_name_begins(notebook, name):
    path = notebook("01_main_win_rates")
    notebook("10_your_simulator")
    assert find([name]) == [Notebook(path)]


def test_no_name_means_all_in_order(notebook):
    notebook("01_main"), notebook("00_start_here")
    assert [nb.name for nb in find()] == ["00_start_here", "01_main"]


def test_a_notebook_that_does_not_exist_lists_those_that_do(notebook):
    notebook("01_main")
    with pytest.raises(ReproError, match=r"no notebook '7'; have 01_main"):
        find(["7"])


def test_a_name_that_fits_two_notebooks_lists_both(notebook):
    notebook("01_main"), notebook("01_more"), notebook("02_other")
    with pytest.raises(ReproError, match=r"more than one notebook '01_m'; have 01_main, 01_more$"):
        find(["01_m"])


def test_parameters_are_the_names_and_defaults_of_the_tagged_cell(notebook):
    path = notebook("01_main", parameters='profile = "quick"\nn: int = 3\nroot = __file__\n# a comment\nsizes = [1, 2]')
    assert Notebook(path).parameters == {"profile": "quick", "n": 3, "root": None, "sizes": [1, 2]}


def test_papermill_sees_the_same_parameters(notebook):
    import papermill

    path = notebook("01_main")
    seen = papermill.inspect_notebook(str(path))
    assert list(seen) == list(Notebook(path).parameters) == ["profile", "seed", "rate", "simulator"]


def test_a_parameters_cell_that_is_not_python_is_named(notebook):
    with pytest.raises(ReproError, match="parameters cell of 01_main is not plain Python"):
        _ = Notebook(notebook("01_main", parameters="%magic")).parameters


def test_a_file_that_is_not_a_notebook_is_named(project):
    (project / "notebooks/01_main.ipynb").write_text("{half")
    with pytest.raises(ReproError, match="is not a notebook"):
        _ = find(["1"])[0].parameters


def test_an_unknown_parameter_lists_the_known_ones(notebook):
    nb = Notebook(notebook("01_main"))
    with pytest.raises(ReproError, match=r"no parameter 'sead' in 01_main; have profile, seed, rate, simulator"):
        bind(nb, "quick", {"sead": 1}, {})


def test_a_notebook_without_a_profile_parameter_is_refused(notebook):
    with pytest.raises(ReproError, match="no parameter 'profile' in 01_main; have none"):
        bind(Notebook(notebook("01_main", parameters="")), "quick", {}, {})


def test_offered_parameters_reach_only_notebooks_that_know_them(notebook):
    nb = Notebook(notebook("01_main", parameters='profile = "quick"\nseed = 0'))
    assert bind(nb, "cpu", {}, {"seed": 3, "simulator": "oracle"}) == {"profile": "cpu", "seed": 3}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [("5", "seed", 5), ("5e-4", "rate", 0.0005), ("1", "rate", 1.0), ("7", "simulator", "7"), ("null", "any", None)],
)
def test_text_becomes_the_kind_of_thing_the_default_is(notebook, text, name, value):
    parameters = 'profile = "quick"\nseed = 0\nrate = 0.5\nsimulator = "oracle"\nany = None'
    found = bind(Notebook(notebook("01_main", parameters=parameters)), "quick", {name: text}, {})[name]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "name"), [("five", "seed"), ("1.5", "seed"), ("much", "rate"), ("[1]", "rate"), ("[1", "seed")]
)
def test_text_of_another_kind_is_refused(notebook, text, name):
    nb = Notebook(notebook("01_main"))
    with pytest.raises(ReproError, match=rf"parameter {name} is '{re.escape(text)}'; it has to be of type"):
        bind(nb, "quick", {name: text}, {})


def test_outputs_and_kernel_names_do_not_change_a_notebook(notebook):
    path = notebook("01_main")
    before = Notebook(path).cells
    content = json.loads(path.read_text())
    content["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "hi"}]
    content["metadata"]["kernelspec"]["name"] = "another"
    path.write_text(json.dumps(content))
    assert Notebook(path).cells == before
