"""What came out, in one figure and one table?

Reads the records in results/bench/, draws what was reached beside what was wanted, writes the tables of docs/speed.md.
Goals that were missed, and benchmarks that were not run, are there too.

    python benchmarks/page.py
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from side_by_side import HERE, PROFILE, Goal, goals

from repro.reporting import Run, load_numbers
from repro.reporting.record import put_between
from repro.reporting.style import FAINT, INK, QUIET, headline, style
from repro.types import Estimate

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RECORDS = HERE.parent / "results" / PROFILE
DOCS = HERE.parent / "docs" / "speed.md"
FEW = 5  # turns
BEGIN, END = "<!-- speed:begin -->", "<!-- speed:end -->"
PARTS = {"rollouts": "#0072B2", "log-probabilities": "#E69F00", "backward": "#009E73", "other": "#8A8A8A"}
REACHED, MISSED = "#0072B2", "#D55E00"
HELPS = {
    "reading_by_length": "rows of like length are read together, and once what all begin with",
    "keeping_what_was_read": "what was read is kept between turns",
    "packed_weights": "weights are kept in oneDNN's order",
    "grouped_attention": "attention does not repeat keys for the heads that share them",
}
Numbers = Mapping[str, Estimate]


def measured(folder: Path = RECORDS) -> dict[str, Estimate]:
    """The numbers of all records but the figure's."""
    found: dict[str, Estimate] = {}
    for path in sorted(folder.glob("*/numbers.json")):
        found |= load_numbers(path)
    return found


def goal_rows(numbers: Numbers) -> list[str]:
    """A line for each goal; one that was not measured says so."""
    lines = ["| what | wanted | measured (lowest to highest) | n | |", "| --- | --- | --- | --- | --- |"]
    for goal in goals():
        one = numbers.get(goal.key)
        if one is None:
            lines.append(f"| {goal.what} | {goal.wanted} | not measured | 0 | |")
        else:
            verdict = ("reached" if goal.met_by(one.value) else "**missed**") + first_look(goal, one)
            lines.append(f"| {goal.what} | {goal.wanted} | {span(one)} | {one.n} | {verdict} |")
    return lines


def first_look(goal: Goal, one: Estimate) -> str:
    """What is said of fewer turns than a median needs; a slope is one number."""
    return "" if one.n >= FEW or goal.key.startswith("growth.") else f", at first look: fewer than {FEW} turns"


def span(one: Estimate) -> str:
    return digits(one.value) if one.n == 1 else f"{digits(one.value)} ({digits(one.low)} to {digits(one.high)})"


def digits(x: float) -> str:
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def speed_rows(numbers: Numbers) -> list[str]:
    """Everything that is a speed, a wait or a size."""
    lines = ["| number | median (lowest to highest) | n |", "| --- | --- | --- |"]
    shown = [(key, one) for key, one in numbers.items() if one.unit not in ("", "times", "of the step")]
    return lines + [f"| `{key}` | {span(one)} {one.unit} | {one.n} |" for key, one in shown]


def help_rows(numbers: Numbers) -> list[str]:
    lines = ["| with it | tokens/s without | tokens/s with | times as fast |", "| --- | --- | --- | --- |"]
    for key, what in HELPS.items():
        if f"helps.{key}" in numbers:
            rates = [digits(numbers[f"helps.{name}.tokens_per_s"].value) for name in (key, "now")]
            lines.append(f"| {what} | {rates[0]} | {rates[1]} | {span(numbers[f'helps.{key}'])} |")
    return lines


def how_rows(folder: Path = RECORDS) -> list[str]:
    """On which machine, by which commit, with which parameters."""
    lines = ["| record | when | commit | processor | cores | parameters |", "| --- | --- | --- | --- | --- | --- |"]
    for path in sorted(path for path in folder.glob("*/run.json") if path.parent.name != "speed"):
        run = json.loads(path.read_text("utf-8"))
        params = ", ".join(f"{key} {value}" for key, value in run["params"].items())
        what = [path.parent.name, run["started"][:10], run["git"]["commit"][:10], run["hardware"]["cpu"]]
        lines.append(f"| {' | '.join(what)} | {run['hardware']['cores']} | {params} |")
    return lines


def tally(numbers: Numbers) -> str:
    """How much of what is wanted is known."""
    known = [goal for goal in goals() if goal.key in numbers]
    n_met = sum(goal.met_by(numbers[goal.key].value) for goal in known)
    return f"{len(known)} of {len(goals())} goals are measured, {n_met} of them reached"


def panels(numbers: Numbers) -> list[Callable[[Axes], None]]:
    """How many times as fast, with the goals; where a step's time goes; slopes of growth: those that have a number."""
    wanted = [goal for goal in goals() if goal.key in numbers]
    fast = [goal for goal in wanted if goal.least is not None]
    slopes = [goal for goal in wanted if goal.key.startswith("growth.")]
    found: list[Callable[[Axes], None]] = []
    if fast:
        found.append(lambda ax: draw_goals(ax, fast, numbers, "times as fast (share, for the processor's limit)"))
    if "rl_step.ours.rollouts" in numbers:
        found.append(lambda ax: draw_parts(ax, numbers))
    if slopes:
        found.append(lambda ax: draw_goals(ax, slopes, numbers, "slope of log time or log memory over log n"))
    return found


def figure(numbers: Numbers) -> tuple[Figure, pd.DataFrame]:
    """The panels, the first at the left, and all numbers."""
    import matplotlib.pyplot as plt
    import pandas as pd

    with style():
        drawn = panels(numbers)
        fig = plt.figure(figsize=(13 if len(drawn) > 1 else 9, 7.2 if len(drawn) > 1 else 5))
        for place, draw in zip(places(fig, len(drawn)), drawn, strict=False):
            draw(fig.add_subplot(place))
        known = f"{tally(numbers)}; median of turns; line: lowest to highest; |: goal"
        headline(fig, "How fast, against what, and how it grows", known)
    rows = [{"key": key, **one.row, "unit": one.unit} for key, one in numbers.items()]
    return fig, pd.DataFrame(rows)


def places(fig: Figure, n: int) -> list[Any]:
    """Of up to three panels."""
    if n < 2:
        return [fig.add_gridspec(1, 1, left=0.33, right=0.97, top=0.82, bottom=0.13)[0, 0]]
    grid = fig.add_gridspec(2, 2, left=0.22, right=0.97, top=0.86, bottom=0.09, hspace=0.45, wspace=0.7)
    return [grid[:, 0], *([grid[:, 1]] if n == 2 else [grid[0, 1], grid[1, 1]])]


def draw_goals(ax: Axes, wanted: list[Goal], numbers: Numbers, label: str) -> None:
    for y, goal in enumerate(reversed(wanted)):
        one = numbers[goal.key]
        colour = REACHED if goal.met_by(one.value) else MISSED
        ax.plot([one.low, one.high], [y, y], color=colour, lw=2)
        ax.plot(one.value, y, "o", color=colour)
        wish = goal.least or goal.most or 0.0
        ax.plot(wish, y, "|", color=INK, ms=18, mew=1.5)
        below = wish > one.value  # the number stands on the side away from the goal
        ax.annotate(
            digits(one.value), (one.low if below else one.high, y), (-9 if below else 9, 0), color=colour,
            textcoords="offset points", ha="right" if below else "left", va="center",
        )  # fmt: skip
    names = [goal.what.replace("growth of ", "").removesuffix(" (slope)") for goal in reversed(wanted)]
    ax.set_yticks(range(len(wanted)), [fill(name, 35) for name in names], fontsize=10)
    ax.margins(x=0.25)
    ax.locator_params(axis="x", nbins=5)
    if all(goal.least for goal in wanted):
        ax.set_xscale("log")
        ax.set_xlim(0.08, 50)
        ax.set_xticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
        ax.minorticks_off()
    else:
        ax.margins(x=0.4)
    ax.set_xlabel(label, fontsize=11)
    ax.set_ylim(-0.7, len(wanted) - 0.3)


def draw_parts(ax: Axes, numbers: Numbers) -> None:
    for y, name in enumerate(("trl", "ours")):
        left = 0.0
        for part, colour in PARTS.items():
            share: Any = numbers.get(f"rl_step.{name}.{part}")
            if share is None:
                continue
            ax.barh(y, share.value, left=left, color=colour, height=0.6)
            if share.value > 0.06:
                ax.text(left + share.value / 2, y, f"{share.value:.0%}", ha="center", va="center", color="white")
            left += share.value
    for i, (part, colour) in enumerate(PARTS.items()):
        ax.text((0, 0.2, 0.56, 0.81)[i], 1.55, part, color=colour, fontsize=10)
    ax.axvline(0.5, color=FAINT, zorder=0)
    ax.set_yticks([0, 1], ["TRL", "ours"])
    ax.set_xlim(0, 1)
    ax.set_ylim(-0.5, 1.9)
    ax.set_xlabel("where the time of an RL step goes", fontsize=11, color=QUIET)


def tables(folder: Path = RECORDS) -> str:
    """What stands between the markers of docs/speed.md."""
    numbers = measured(folder)
    parts = [goal_rows(numbers), help_rows(numbers), speed_rows(numbers), how_rows(folder)]
    titles = ["### What was wanted, and what came out", "### What made rollouts faster", "### All speeds", "### How"]
    return f"**{tally(numbers)}.**\n\n" + "\n\n".join(
        "\n".join([title, "", *rows]) for title, rows in zip(titles, parts, strict=True)
    )


def main() -> int:
    numbers = measured()
    inputs = sorted(path for path in RECORDS.glob("*/numbers.json") if path.parent.name != "speed")
    run = Run.start("speed", params={}, seed=0, profile=PROFILE, inputs=inputs)
    fig, data = figure(numbers)
    run.figure("speed", fig, data=data)
    run.finish()
    put_between(DOCS, tables(), BEGIN, END)
    missed = [goal.what for goal in goals() if goal.key in numbers and not goal.met_by(numbers[goal.key].value)]
    print(f"docs/speed.md and results/{PROFILE}/speed/figures/speed.png are written; goals missed: {missed or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
