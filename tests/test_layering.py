"""Does code import only from its left?"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

LAYERS = [
    *(
        "errors",
        "types",
        "seeds",
        "provenance",
        "workers",
        "config",
        "models",
        "assumptions",
        "data",
        "simulators",
        "rollouts",
        "scoring",
        "training",
    ),
    *(
        "evaluation",
        "study",
        "cluster",
        "reporting",
        "named",
        "notebooks",
        "progress",
        "runner",
        "paper",
        "budget",
        "doctor",
        "train_user",
        "cli",
        "__main__",
    ),
]
HEAVY = {
    *("torch", "transformers", "trl", "peft", "datasets", "accelerate", "pandas", "scipy", "statsmodels", "pingouin"),
    *(
        "sklearn",
        "spellchecker",
        "matplotlib",
        "seaborn",
        "evalica",
        "papermill",
        "typst",
        "pydantic",
        "openai",
        "ray",
        "vllm",
        "faiss",
        "umap",
    ),
}
SOURCE = Path(__file__).resolve().parents[1] / "src" / "repro"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


def layer(parts: tuple[str, ...]) -> str:
    """`("repro", "models", "local")` -> `models`; the window itself is right of everything."""
    return parts[1] if len(parts) > 1 else "window"


def imported(tree: ast.AST, package: tuple[str, ...]) -> set[str]:
    """The layers that a module of `package` imports from, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {layer(tuple(a.name.split("."))) for a in node.names if a.name.split(".")[0] == "repro"}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            parts = (*base, *(node.module.split(".") if node.module else ()))
            if parts == ("repro",):  # `from repro import types` is a module, `from repro import Run` is the window
                found |= {a.name if a.name in LAYERS else layer(parts) for a in node.names if a.name != "__version__"}
            elif parts[0] == "repro":
                found.add(layer(parts))
    return found


def test_relative_and_absolute_imports_are_both_seen():
    lines = [
        "from ..types import Turn",
        "from . import base",
        "import repro.data.tasks",
        "from repro import config, Run",
    ]
    seen = imported(ast.parse("\n".join([*lines, "import os"])), ("repro", "models"))
    assert seen == {"types", "models", "data", "config", "window"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_module_imports_only_from_its_left(path):
    own = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    assert own in LAYERS, f"{own} has no place in the order of layers; give it one"
    package = ("repro", *path.relative_to(SOURCE).parts[:-1])
    allowed = LAYERS[: LAYERS.index(own) + 1]
    assert imported(ast.parse(path.read_text()), package) - set(allowed) == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_heavy_packages_are_imported_where_they_are_used(path):
    top = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {a.name for node in top if isinstance(node, ast.Import) for a in node.names}
    names |= {node.module or "" for node in top if isinstance(node, ast.ImportFrom) and not node.level}
    assert {name.partition(".")[0] for name in names} & HEAVY == set()
