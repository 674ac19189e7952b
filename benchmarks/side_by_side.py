"""Which is faster, when both are measured in one run?

Contestants do their work in turns, several times over, so that what slows the machine slows all of them. Every number
is a median with the lowest and the highest; a ratio is the median of ratios within a turn. What was measured is kept
at once, so that a run that is stopped goes on where it was. What comes out is a record like that of a notebook, in
results/bench/, and whether it reaches its goals (goals.yaml) is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import yaml

from repro import provenance
from repro.data.lines import append_rows, read_rows
from repro.models.hashes import digest, tree
from repro.reporting import Run
from repro.reporting.record import key_of
from repro.types import Estimate

HERE = Path(__file__).parent
PROFILE = "bench"
SERVER = "REPRO_BENCH_SERVER"  # vllm:http://127.0.0.1:8000/v1#assistant,user: an endpoint and its two models
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
Work = Callable[[int], dict[str, float]]  # told the number of the turn; says how much it did, by unit


@dataclass(frozen=True)
class Goal:
    """What a number should reach: at least, or at most."""

    key: str
    what: str
    least: float | None = None
    most: float | None = None

    def met_by(self, value: float) -> bool:
        return value >= self.least if self.least is not None else value <= (self.most or 0.0)

    @property
    def wanted(self) -> str:
        return f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"


def goals() -> list[Goal]:
    return [Goal(key, **entry) for key, entry in yaml.safe_load((HERE / "goals.yaml").read_text("utf-8")).items()]


class Turns:
    """What each contestant did in each turn, and in how many seconds."""

    def __init__(self, path: Path, n: int) -> None:
        self.path, self.n = path, n
        self.done: dict[tuple[str, int], dict[str, float]] = {}
        for row in read_rows(path):
            self.add(**row)

    def add(self, name: str, turn: int, did: dict[str, float]) -> None:
        self.done[name, turn] = did

    def keep(self, name: str, turn: int, did: dict[str, float]) -> None:
        self.add(name, turn, did)
        append_rows(self.path, [{"name": name, "turn": turn, "did": did}])

    def of(self, name: str, unit: str) -> list[float]:
        """How much of a unit, turn by turn."""
        return [did[unit] for (who, turn), did in sorted(self.done.items()) if who == name and turn <= self.n]

    def rate(self, name: str, unit: str) -> list[float]:
        """The same in a second."""
        return [a / b for a, b in zip(self.of(name, unit), self.of(name, "seconds"), strict=True)]


def clock(busy: bool) -> Callable[[], float]:
    """Seconds on the wall; `busy`: those in which this process ran, which `parsed` keeps on one core."""
    return time.process_time if busy else time.perf_counter


@contextmanager
def spent(now: Callable[[], float], places: dict[str, tuple[Any, str]], seen: Counter[str]) -> Iterator[None]:
    """The seconds of each place's calls are added to `seen` while this is entered."""

    def timed(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def around(*args: Any, **kwargs: Any) -> Any:
            start = now()
            try:
                return call(*args, **kwargs)
            finally:
                seen[name] += now() - start

        return around

    with ExitStack() as stack:
        for name, (owner, attribute) in places.items():
            stack.enter_context(mock.patch.object(owner, attribute, timed(name, getattr(owner, attribute))))
        yield


def take_turns(contestants: Mapping[str, Work], n: int, kept: Path, *, busy: bool = False) -> Turns:
    """Turn 0 warms up and is not counted; what `kept` has is not done again."""
    now, turns = clock(busy), Turns(kept, n)
    todo = {name for name in contestants for turn in range(1, n + 1) if (name, turn) not in turns.done}
    for turn in range(n + 1):
        for name, work in contestants.items():
            if name not in todo or (name, turn) in turns.done:
                continue
            start = now()
            did = {**work(turn), "seconds": now() - start}
            print(f"  turn {turn} of {n}: {name}: {', '.join(f'{v:,.4g} {k}' for k, v in did.items())}", flush=True)
            if turn:
                turns.keep(name, turn, did)
    return turns


def middle(values: Sequence[float], unit: str = "") -> Estimate:
    """The median, with the lowest and the highest where an interval stands elsewhere."""
    return Estimate(median(values), min(values), max(values), len(values), unit=unit)


def ratio(of: Sequence[float], to: Sequence[float], unit: str = "times") -> Estimate:
    """How much the one is of the other, turn by turn."""
    return middle([a / b for a, b in zip(of, to, strict=True)], unit)


@contextmanager
def recorded(name: str, asked: argparse.Namespace, **params: object) -> Iterator[tuple[Run, Path]]:
    """A record in results/bench/<name>, and where turns are kept until it is done; then says which goals are met.

    Turns of other code, another machine or another server are other turns: none are taken for these.
    """
    server = {"server": os.environ[SERVER]} if os.environ.get(SERVER) else {}
    everything = {**vars(asked), **params, "code": code()[:12], **server}
    key = key_of(**everything | {"turns": None, "hardware": provenance.hardware()})
    kept = Path("work") / PROFILE / f"{name}-{key[:12]}.jsonl"
    run = Run.start(name, params=everything, seed=0, profile=PROFILE, key=key)
    try:
        yield run, kept
    except BaseException:
        run.abandon()
        raise
    numbers = json.loads((run.finish() / "numbers.json").read_text("utf-8"))
    kept.unlink(missing_ok=True)
    for key, number in numbers.items():
        print(f"{key}: {number['value']:.4g} [{number['low']:.4g}, {number['high']:.4g}] {number['unit']}")
    for goal in goals():
        if goal.key in numbers:
            value = numbers[goal.key]["value"]
            print(f"{'reached' if goal.met_by(value) else 'MISSED'}: {goal.what}, {goal.wanted}: {value:.3g}")


def code() -> str:
    """The hash of all code that is measured or measures."""
    return digest([tree(HERE.parent / "src"), tree(HERE, pattern="*.py")])


def arguments(doc: str | None, *, turns: int = 5, **more: int) -> argparse.Namespace:
    """`--turns`, `--busy` and further whole numbers, each with its default."""
    parser = argparse.ArgumentParser(description=(doc or "").split("\n")[0])
    for name, default in {"turns": turns, **more}.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"({default})")
    return parsed(parser)


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """What was typed, and `--busy`, which takes effect here."""
    parser.add_argument("--busy", action="store_true", help="one core, and only the seconds in which this process ran")
    asked = parser.parse_args()
    if asked.busy:
        keep_to_one_core()
    return asked


def keep_to_one_core() -> None:
    """Start this program again, on one core and with one thread, unless it was: imports have made threads by now."""
    if ONE_THREAD.items() <= os.environ.items() and len(os.sched_getaffinity(0)) == 1:
        return
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.execve(sys.executable, sys.orig_argv, os.environ | ONE_THREAD)
