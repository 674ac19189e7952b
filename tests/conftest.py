"""What do the tests of the whole repository share?"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]

PARAMETERS = 'profile: str = "quick"  # which settings\nseed: int = 0\nrate: float = 0.5\nsimulator: str = "oracle"'
RECORD = """
import repro
run = repro.Run.start("{name}", params=dict(seed=seed, rate=rate), seed=seed, profile=profile)
run.number("winrate.a_vs_b", 0.5, low=0.4, high=0.6, n=10)
run.finish()
"""


@pytest.fixture
def interruptible() -> dict[str, Any]:
    """For Popen: a child that can be interrupted, even if these tests were started in the background and cannot."""
    return {"start_new_session": True, "preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}


@pytest.fixture
def root() -> Path:
    """This checkout."""
    return ROOT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small checkout of its own, which is also the working directory."""
    path = tmp_path / "checkout"
    shutil.copytree(ROOT / "configs", path / "configs")
    for folder in ("notebooks", "src/repro", "checkpoints/base"):
        (path / folder).mkdir(parents=True)
    (path / "src/repro/types.py").write_text("ONE = 1\n")
    (path / "checkpoints/base/checkpoint.json").write_text("{}\n")
    (path / "requirements.lock").write_text("torch==2.13.0\n")
    monkeypatch.chdir(path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return path


@pytest.fixture(scope="session")
def at_smoke(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Run a notebook of ours at smoke in a checkout of its own, without code; `prepare` may change that first."""

    def run(name: str, params: Mapping[str, object] | None = None, *, prepare: Callable[[Path], object] = id) -> Path:
        from repro.runner import run_notebook

        path = tmp_path_factory.mktemp(f"smoke{name}") / "checkout"
        for folder in ("configs", "notebooks", "paper"):
            shutil.copytree(ROOT / folder, path / folder, ignore=shutil.ignore_patterns("*.pdf", ".ipynb_checkpoints"))
        shutil.copy(ROOT / "requirements.lock", path)
        (path / "src/repro").mkdir(parents=True)
        prepare(path)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(path)
            patch.setenv("OMP_NUM_THREADS", "1")
            assert run_notebook(name, "smoke", params, root=path)
        return path

    return run


@pytest.fixture
def notebook(project: Path) -> Callable[..., Path]:
    """Write a notebook into the small checkout: `notebook("01_one", "cell", "cell")`; by default one with a record."""
    import nbformat.v4 as nb

    def write(name: str, *cells: str, parameters: str = PARAMETERS, minutes: float = 2) -> Path:
        code = cells or (RECORD.format(name=name),)
        first = nb.new_code_cell(parameters, metadata={"tags": ["parameters"]}, id="parameters")
        rest = [nb.new_code_cell(cell, id=f"cell{i}") for i, cell in enumerate(code)]
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        metadata["repro"] = {"minutes": {"quick": minutes}}
        path = project / "notebooks" / f"{name}.ipynb"
        path.write_text(nbformat_text(nb.new_notebook(cells=[first, *rest], metadata=metadata)))
        return path

    return write


def nbformat_text(content: object) -> str:
    import nbformat

    return str(nbformat.writes(content))
