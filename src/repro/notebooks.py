"""Which notebook runs, with what, and does it have to?

A parameter that a notebook does not know is an error before anything runs (papermill only warns). The record of a
finished notebook says what it was made from, by part. While all parts are the same there is nothing to do; when they
are not, the first difference is the reason to run again.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from repro.config import profile_path, repo_root
from repro.errors import ReproError
from repro.models.hashes import digest, sha256, tree
from repro.named import files_of
from repro.reporting.record import record_of

# These can change without changing a result.
_NOT_IN_NUMBERS = (
    "assumptions.py",
    "cli.py",
    "doctor.py",
    "named.py",
    "notebooks.py",
    "paper.py",
    "progress.py",
    "runner.py",
    "workers.py",
    "__main__.py",
)


@dataclass(frozen=True)
class Notebook:
    """A notebook of the repository. Its metadata may say `{"repro": {"minutes": {"quick": 9}}}`."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @cached_property
    def content(self) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        except ValueError:
            raise ReproError(f"{self.path} is not a notebook; restore it from git") from None
        return content

    @property
    def cells(self) -> list[tuple[str, str, list[str]]]:
        """(type, source, tags) of each cell: all of a notebook that can change a result."""
        cells = self.content.get("cells", [])
        return [(c["cell_type"], "".join(c["source"]), c["metadata"].get("tags", [])) for c in cells]

    @cached_property
    def parameters(self) -> dict[str, object]:
        """Names and defaults in the cell tagged `parameters`; a default that is not a literal counts as None."""
        source = next((source for _, source, tags in self.cells if "parameters" in tags), "")
        found: dict[str, object] = {}
        for node in _parsed(source, self.name):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(targets[0], ast.Name) and node.value:
                found[targets[0].id] = _literal(node.value)
        return found

    def minutes(self, profile: str) -> float | None:
        """Expected running time, as the author states it."""
        stated = self.content.get("metadata", {}).get("repro", {}).get("minutes", {}).get(profile)
        return None if stated is None else float(stated)


def _parsed(source: str, name: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except SyntaxError as error:
        raise ReproError(f"the parameters cell of {name} is not plain Python (line {error.lineno}); mend it") from None


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def find(names: Sequence[str] = (), *, root: Path | None = None) -> list[Notebook]:
    """The notebooks called `names` (a number, or how the name begins); without names, all."""
    have = [Notebook(path) for path in sorted(((root or repo_root()) / "notebooks").glob("[0-9]*.ipynb"))]
    return [_match(name, have) for name in names] or have


def _match(name: str, have: Sequence[Notebook]) -> Notebook:
    stem = name.removesuffix(".ipynb").removeprefix("notebooks/")
    stem = f"{int(stem):02d}_" if stem.isdigit() else stem
    hits = [nb for nb in have if nb.name == stem] or [nb for nb in have if nb.name.startswith(stem)]
    if len(hits) != 1:
        found = "no notebook" if not hits else "more than one notebook"
        raise ReproError(f"{found} '{name}'; have {', '.join(nb.name for nb in hits or have) or 'none'}")
    return hits[0]


def bind(
    notebook: Notebook, profile: str, given: Mapping[str, object], offered: Mapping[str, object]
) -> dict[str, Any]:
    """What papermill passes: the profile, all of `given`, and of `offered` what this notebook knows."""
    known = notebook.parameters
    for key in ("profile", *given):
        if key not in known:
            raise ReproError(f"no parameter '{key}' in {notebook.name}; have {', '.join(known) or 'none'}")
    chosen = {"profile": profile, **{k: v for k, v in offered.items() if k in known}, **given}
    return {key: _converted(key, value, known[key]) for key, value in chosen.items()}


def _converted(key: str, value: object, default: object) -> object:
    """Text from a command line as the kind of thing the default is."""
    if not isinstance(value, str) or isinstance(default, str):
        return value
    import yaml

    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError:
        parsed = value
    if isinstance(default, float):
        with suppress(ValueError):
            return float(value)  # YAML reads 5e-4 as text
    if default is not None and type(parsed) is not type(default):
        raise ReproError(
            f"parameter {key} is {value!r}; it has to be of type {type(default).__name__}, like {default!r}"
        )
    return parsed


def results_path(notebook: Notebook, profile: str, root: Path) -> Path:
    return root / "results" / profile / notebook.name


def key_of(notebook: Notebook, params: Mapping[str, object], root: Path) -> dict[str, Any]:
    """What the results are made from, by part."""
    made_from = {
        "notebook": digest(notebook.cells),
        "params": dict(params),
        "files": files_of({**notebook.parameters, **params}, root),
        "settings": sha256(profile_path(str(params["profile"]), root)),
        "claims": tree(root / "configs", pattern="claims.yaml"),
        "source": tree(root / "src" / "repro", skip=_NOT_IN_NUMBERS),
        "checkpoints": tree(root / "checkpoints"),
        "packages": tree(root, pattern="requirements.lock"),
    }
    return dict(json.loads(json.dumps(made_from)))  # as it will be read back


def why_run(notebook: Notebook, params: Mapping[str, object], root: Path) -> str:
    """The reason to run, or an empty string when the results are current."""
    folder = results_path(notebook, str(params["profile"]), root)
    old = (record_of(folder) or {}).get("made_from")
    if not old:
        return "no finished result"
    new = key_of(notebook, params, root)
    return next((f"{part} changed" for part in new if new[part] != old.get(part)), "")


def expected_seconds(notebook: Notebook, profile: str, root: Path) -> float | None:
    """How long it took here last time, else what its author states."""
    if record := record_of(results_path(notebook, profile, root)):
        return float(record["seconds"])
    minutes = notebook.minutes(profile)
    return None if minutes is None else 60 * minutes
