"""What do we write down, and how can it not be half-written?

A `Run` owns `results/<profile>/<notebook>/`. It writes beside it, in a hidden staging folder, and `finish()` puts the
whole record in place with renames, `run.json` written last. A run that is killed, interrupted or out of disk leaves
the previous complete record, or none; the next `Run.start` clears up after it. A lock lets one run write at a time.
"""

from __future__ import annotations

import csv
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import repro.provenance as provenance
from repro.errors import ReproError
from repro.reporting.record import as_json, dumps, write_text
from repro.types import Estimate

if TYPE_CHECKING:
    from filelock import FileLock
    from matplotlib.figure import Figure

NAN = float("nan")


class Run:
    """One notebook's record in the making; start it with `Run.start`."""

    _live: ClassVar[dict[Path, Run]] = {}  # so that running a notebook's first cell again replaces its own earlier run

    def __init__(self, path: Path, record: dict[str, Any], lock: FileLock) -> None:
        self.path = path
        self._record = record
        self._lock = lock
        self._numbers: dict[str, dict[str, Any]] = {}
        self._clock = time.monotonic()
        self._open = True

    @classmethod
    def start(
        cls,
        notebook: str,
        *,
        params: Mapping[str, Any],
        seed: int,
        profile: str = "quick",
        results_path: str | Path = "results",
        params_overridden: Sequence[str] = (),
        inputs: provenance.Hashed = (),
        prompts: provenance.Hashed = (),
        checkpoints: provenance.Hashed = (),
        key: str = "",
    ) -> Run:
        """Begin the record of `notebook`. Files are hashed now; `key` is `key_of` all that changes the result."""
        path = Path(results_path).resolve() / _name(profile) / _name(notebook)
        record = {
            "notebook": notebook,
            "profile": profile,
            "key": key,
            "params": _plain(params),
            "params_overridden": sorted(params_overridden),
            "seed": seed,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "git": provenance.git_state(),
            "inputs": provenance.hashes(inputs),
            "prompts": provenance.hashes(prompts),
            "checkpoints": provenance.hashes(checkpoints),
            "claims": {},
            "notes": [],
        }
        if path in cls._live:
            cls._live[path].abandon()
        lock = _locked(path)
        recover(path)
        run = cls._live[path] = cls(path, record, lock)
        with run._writing("the new record"):
            for folder in ("tables", "figures"):
                (staging_path(path) / folder).mkdir(parents=True)
        return run

    def uses(
        self,
        *,
        inputs: provenance.Hashed = (),
        prompts: provenance.Hashed = (),
        checkpoints: provenance.Hashed = (),
    ) -> None:
        """Record what the result depends on, where it is known only along the way."""
        self._check_open()
        for kind, things in (("inputs", inputs), ("prompts", prompts), ("checkpoints", checkpoints)):
            self._record[kind].update(provenance.hashes(things))

    def number(
        self,
        key: str,
        value: Estimate | float,
        *,
        low: float = NAN,
        high: float = NAN,
        n: int = 1,
        n_unscored: int = 0,
        unit: str = "",
    ) -> Estimate:
        """Record one number; an `Estimate` brings its own interval and counts. NaN is written as null."""
        self._check_open()
        if not isinstance(value, Estimate):
            value = Estimate(float(value), float(low), float(high), int(n), int(n_unscored), unit=unit)
        if _name(key) in self._numbers:
            raise ReproError(f"number {key!r} is already in this run; give each number its own key")
        self._numbers[key] = as_json(key, value)
        return value

    def numbers(self, numbers: Mapping[str, Estimate]) -> None:
        """Record many: `run.numbers(result.as_numbers())`."""
        for key, value in numbers.items():
            self.number(key, value)

    def table(self, name: str, data: Any) -> Any:
        """Write `tables/<name>.csv` from a tidy data frame (its index is not written) or a list of records."""
        return self._csv(f"tables/{_name(name)}", data)

    def figure(self, name: str, fig: Figure, *, data: Any, claim: str | None = None) -> Figure:
        """Write `figures/<name>.svg`, `.png` and, from the data that it shows, `.csv`; the same bytes each time."""
        import matplotlib as mpl
        from matplotlib import pyplot

        self._csv(f"figures/{_name(name)}", data)
        with self._writing(f"figure {name}"), mpl.rc_context({"svg.hashsalt": name}):
            path = staging_path(self.path) / "figures" / name
            fig.savefig(f"{path}.svg", metadata={"Date": None}, bbox_inches="tight")
            fig.savefig(f"{path}.png", metadata={"Software": None}, bbox_inches="tight", dpi=200)
        pyplot.close(fig)
        if claim is not None:
            self._record["claims"][name] = claim
        return fig

    def json(self, name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Write `<name>.json`, for programs that read one thing; NaN is written as null."""
        self._check_open()
        if f"{_name(name)}.json" in ("run.json", "numbers.json"):
            raise ReproError(f"{name}.json is written by the run itself; give the file another name")
        with self._writing(f"{name}.json"):
            write_text(staging_path(self.path) / f"{name}.json", dumps(_without_nan(data)))
        return data

    def note(self, text: str) -> None:
        """Keep a sentence that a reader of the record needs."""
        self._check_open()
        self._record["notes"].append(text)

    def finish(self) -> Path:
        """Put the record in place, whole, and say where it is."""
        self._check_open()
        staging = staging_path(self.path)
        with self._writing("the record"):
            write_text(staging / "numbers.json", dumps(self._numbers))
            record = {
                **self._record,
                "seconds": round(time.monotonic() - self._clock, 1),
                "packages": provenance.packages(),
                "hardware": provenance.hardware(),
                "outputs": provenance.hash_tree(staging),
            }
            write_text(staging / "run.json", dumps(record))
            _replace_folder(self.path)
        self._close()
        return self.path

    def abandon(self) -> None:
        """Leave the previous record as it was and drop what was staged."""
        if self._open:
            recover(self.path)
            self._close()

    def _csv(self, name: str, data: Any) -> Any:
        import pandas as pd

        self._check_open()
        frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame(data)
        path = staging_path(self.path) / f"{name}.csv"
        if path.exists():
            raise ReproError(f"{name} is already in this run; give each table and figure its own name")
        with self._writing(name):
            frame.to_csv(path, index=False, quoting=csv.QUOTE_NONNUMERIC)  # a model may write any character
        return data

    @contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.abandon()
            raise ReproError(
                f"could not write {what} of {self._record['notebook']} ({error.strerror or error}); the previous "
                "record is as it was: make room or give access, and run again"
            ) from error

    def _check_open(self) -> None:
        if not self._open:
            raise ReproError(f"this run of {self._record['notebook']} has ended; begin another with Run.start")

    def _close(self) -> None:
        self._open = False
        self._live.pop(self.path, None)
        self._lock.release()


def recover(path: Path) -> None:
    """Clear up after a run that ended early: only for the holder of the lock."""
    shutil.rmtree(staging_path(path), ignore_errors=True)
    if _old_path(path).exists() and not path.exists():
        _old_path(path).replace(path)  # it died between the two renames of `_replace_folder`
    shutil.rmtree(_old_path(path), ignore_errors=True)


def staging_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.staging")


def _old_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


def _replace_folder(path: Path) -> None:
    if path.exists():
        path.replace(_old_path(path))
    staging_path(path).replace(path)
    shutil.rmtree(_old_path(path), ignore_errors=True)


def _locked(path: Path) -> FileLock:
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise ReproError(
            f"another run is writing {path.name} ({path.parent.name} profile); wait until it has finished, or end it"
        ) from None
    except OSError as error:
        raise ReproError(f"cannot write to {path.parent} ({error.strerror}); choose another results_path") from error
    return lock


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and value != value else value


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise ReproError(f"{name!r} cannot be a name in a record; use letters, digits, '_', '-' and '.'")
    return name


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    try:
        dumps(params)
    except ValueError as error:
        raise ReproError(f"parameters cannot be written down ({error}); give finite numbers") from error
    return dict(params)
