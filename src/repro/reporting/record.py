"""What does a finished record hold?

`results/<profile>/<notebook>/`: `run.json` (how it was made, written last), `numbers.json`, `tables/*.csv`,
`figures/*.{svg,png,csv}`, `executed.ipynb`. The paper, the claims table and the notebook runner read it through here.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import repro.provenance as provenance
from repro.errors import ReproError
from repro.types import Estimate

FIELDS = ("value", "low", "high", "n", "n_unscored", "unit")


def load_numbers(path: str | Path) -> dict[str, Estimate]:
    """The numbers of a record (its folder, or its numbers.json). null comes back as NaN."""
    path = Path(path) / "numbers.json" if Path(path).is_dir() else Path(path)
    try:
        numbers = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReproError(
            f"cannot read numbers from {path} ({error}); run that notebook with `make reproduce`"
        ) from error
    return {key: _from_json(number) for key, number in numbers.items()}


def is_complete(path: str | Path) -> bool:
    """Whether `path` holds a finished record whose files are those that the run wrote."""
    return record_of(Path(path)) is not None


def key_of(**parts: Any) -> str:
    """A SHA-256 over everything that changes a result: parameters, seeds, hashes of code, inputs and checkpoints."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def attach(path: str | Path, executed_path: str | Path, **fields: Any) -> None:
    """Add the executed notebook to a finished record, and what its runner knows: `key`, `params_overridden`, ..."""
    path = Path(path)
    record = record_of(path)
    if record is None:
        raise ReproError(f"{path} holds no finished record to attach a notebook to; run the notebook first")
    write_whole(path / "executed.ipynb", Path(executed_path).read_text(encoding="utf-8"))
    record["outputs"]["executed.ipynb"] = provenance.sha256_of(path / "executed.ipynb")
    write_whole(path / "run.json", dumps({**record, **fields}))


def write_whole(path: str | Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the new, never a part."""
    path = Path(path)
    draft = path.with_name(f".{path.name}.draft")
    try:
        write_text(draft, text)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ReproError(
            f"could not write {path} ({error.strerror or error}); it is as it was: make room or give access"
        ) from error


def put_between(path: str | Path, text: str, begin: str, end: str) -> bool:
    """Put `text` between the marker lines `begin` and `end` of a file, and change nothing else; whether it changed."""
    try:
        page = Path(path).read_text("utf-8")
    except OSError as error:
        raise ReproError(f"cannot read {path} ({error.strerror}); run from the repository's root") from error
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise ReproError(f"{path} needs one line {begin} and, below it, one line {end}; put them in")
    before, _, rest = page.partition(begin)
    updated = f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}"
    if updated != page:
        write_whole(path, updated)
    return updated != page


def record_of(path: Path) -> dict[str, Any] | None:
    """`run.json` of a finished record; None if there is none, or if a file is not the one that the run wrote."""
    try:
        record = json.loads((path / "run.json").read_text(encoding="utf-8"))
        _ = record["seconds"], record["started"]
        intact = all(provenance.sha256_of(path / name) == digest for name, digest in record["outputs"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return record if intact else None


def as_json(key: str, estimate: Estimate) -> dict[str, Any]:
    """An `Estimate` as it stands in numbers.json; JSON knows no NaN, so that it becomes null."""
    number = {name: value for name, value in asdict(estimate).items() if name in FIELDS}
    for name in ("value", "low", "high"):
        number[name] = float(number[name])
        if math.isinf(number[name]):
            raise ReproError(f"number {key!r} has an infinite {name}; record a finite number, or NaN if unscored")
        if math.isnan(number[name]):
            number[name] = None
    return number


def _from_json(number: Mapping[str, Any]) -> Estimate:
    value, low, high = (float("nan") if number[name] is None else number[name] for name in ("value", "low", "high"))
    return Estimate(value, low, high, number["n"], number["n_unscored"], unit=number["unit"])


def dumps(data: Any) -> str:
    return json.dumps(data, indent=1, allow_nan=False, default=str) + "\n"


def write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
