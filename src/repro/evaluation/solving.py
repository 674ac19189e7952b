"""Is the assistant's answer right?

The last attempt counts: in word problems the last of its turns that names a number, in programming tasks the last that
holds a program. Numbers are compared by math-verify; where it reads no expression in a turn, or outside the main
thread, where it cannot be stopped, the last number in the turn is compared instead. Programs go through the sandbox,
with twenty times as much time as the reference solution takes on this machine. No attempt is a failure (0); a dialogue
that broke off by an error is unscored (NaN).
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from ..data.sharded import ShardedTask
from ..types import Score, Trajectory
from .sandbox import Limits, SandboxResult, limits_for, run_sandboxed

MAX_READ = 2000  # characters of a turn, from its end, in which an answer is looked for
SECONDS = 5  # math-verify may take this long
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:\s*/\s*\d[\d,]*(?:\.\d+)?)?")
_BLOCK = re.compile(r"```[ \t]*[A-Za-z0-9+-]*[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Solved:
    """1 for each dialogue whose last attempt is right, else 0. A `Scorer`; `tasks` by id."""

    tasks: Mapping[str, ShardedTask]
    docker: str | None = None
    name: str = "solved"
    _known: dict[tuple[str, str], SandboxResult] = field(default_factory=dict, repr=False)
    _limits: dict[str, Limits] = field(default_factory=dict, repr=False)

    def __call__(self, trajectories: Sequence[Trajectory]) -> list[Score]:
        """One score per dialogue, same order; `reason` says what was wrong."""
        return [self._score(t) for t in trajectories]

    def _score(self, trajectory: Trajectory) -> Score:
        if trajectory.error:
            return Score(math.nan, trajectory.error)
        task, said = self.tasks[trajectory.task.id], [turn.text for turn in trajectory.assistant_turns]
        if task.family == "maths":
            return maths_score(task.answer, said)
        codes = [code for code in (code_of(text, task.entry) for text in said) if code]
        return self._program(task, codes[-1]) if codes else Score(0.0, "no program")

    def _program(self, task: ShardedTask, code: str) -> Score:
        key = (task.id, code)
        if key not in self._known:
            if task.id not in self._limits:
                self._limits[task.id] = limits_for(task.reference, tests=task.tests, docker=self.docker)
            limits = self._limits[task.id]
            self._known[key] = run_sandboxed(code, tests=task.tests, limits=limits, docker=self.docker)
        found = self._known[key]
        if found.verdict == "unscored":
            return Score(math.nan, found.detail)
        return Score(float(found.passed), f"{found.verdict}: {found.detail}".rstrip(": "), {"code": code})


def maths_score(answer: str, said: Sequence[str]) -> Score:
    """Whether the last of the turns `said` that names a number ends in `answer`."""
    attempts = [text for text in said if _NUMBER.search(text)]
    if not attempts:
        return Score(0.0, "no number")
    return Score(float(is_answer(answer, attempts[-1])), details={"attempt": attempts[-1][-200:]})


def is_answer(answer: str, text: str) -> bool:
    """Whether the answer that `text` comes to equals `answer`, a number or a fraction."""
    text = text[-MAX_READ:]
    if threading.current_thread() is threading.main_thread():
        from math_verify import parse, verify

        found = parse(text, parsing_timeout=SECONDS)
        if found:
            return bool(verify(parse(answer, parsing_timeout=SECONDS), found, timeout_seconds=SECONDS))
    numbers = _NUMBER.findall(text)
    return bool(numbers) and math.isclose(_value(numbers[-1]), _value(answer), rel_tol=1e-6, abs_tol=1e-9)


def _value(number: str) -> float:
    above, _, below = re.sub(r"[,\s]", "", number).partition("/")
    over = Fraction(below or 1)
    return float(Fraction(above) / over) if over else math.nan


def code_of(text: str, entry: str) -> str:
    """The last fenced block that defines `entry`, else the last block; without blocks, its definition on; or ""."""
    blocks: list[str] = [block.strip("\n") for block in _BLOCK.findall(text) if block.strip()]
    define = re.compile(rf"^def\s+{re.escape(entry)}\b", re.MULTILINE)
    if blocks:
        return next((block for block in reversed(blocks) if define.search(block)), blocks[-1])
    begun = define.search(text)
    return text[begun.start() :] if begun else ""
