"""How do several measures of the same few stand side by side?

One small panel per measure, the same rows in each, names once at the left: dots with their intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from repro.reporting.style import (
    ARM_LABELS,
    FAINT,
    INK,
    QUIET,
    arm_colour,
    arm_ink,
    arm_label,
    headline,
    in_order,
    style,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 9.0  # inches; ours: with fewer, a headline does not fit


def panel_figure(
    data: pd.DataFrame, *, who: str, titles: Mapping[str, str], shares: Sequence[str], head: str, question: str,
    subtitle: str, one_range: bool = False,
) -> tuple[Figure, pd.DataFrame]:  # fmt: skip
    """`data` is tidy: the column `who` names, `measure`, `value`, `low`, `high`.

    Measures come in the order of `titles`, then any others under their own names; those of `shares` run from 0 to 1.
    `one_range`: all panels run as far, from 0 or below to what holds every interval. Each panel says how many stand
    behind it, where `data` has a column `n`.
    """
    import matplotlib.pyplot as plt

    measures = [name for name in dict.fromkeys([*titles, *data.measure]) if name in set(data.measure)]
    rows = in_order(data[who], [*ARM_LABELS])
    with style():
        size = max(WIDTH, 2.2 + 2.35 * len(measures)), 2.3 + 0.5 * len(rows)
        fig, axes = plt.subplots(1, len(measures), figsize=size, sharey=True, squeeze=False)
        height, width = fig.get_figheight(), fig.get_figwidth()
        fig.subplots_adjust(left=2.75 / width, right=0.985, top=1 - 1.6 / height, bottom=0.75 / height, wspace=0.16)
        for ax, measure in zip(axes[0], measures, strict=True):
            _draw(ax, data[data.measure == measure], who, rows, share=measure in shares)
            ax.set_xlabel(how_many(data[data.measure == measure]), fontsize=10.5, color=QUIET, loc="left")
            if one_range:
                ax.set_xlim(*_range(data))
            ax.set_title(titles.get(measure, measure.replace("_", " ")), fontsize=12.5, loc="left", color=INK, pad=10)
        _name_rows(axes[0][0], rows, head)
        headline(fig, question, subtitle)
    return fig, data


def how_many(rows: pd.DataFrame) -> str:
    """`n = 47`, or from the least to the most where they differ; "" if nobody counted."""
    counts = sorted({int(n) for n in rows["n"].dropna()}) if "n" in rows else []
    return f"n = {' to '.join(map(str, dict.fromkeys((counts[0], counts[-1]))))}" if counts else ""


def _range(data: pd.DataFrame) -> tuple[float, float]:
    low, high = min(0.0, float(data.low.min())), float(data[["value", "high"]].max().max())
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def _name_rows(ax: Axes, rows: Sequence[str], head: str) -> None:
    ax.set_yticks(range(len(rows)), [arm_label(row) for row in rows])
    for tick, row in zip(ax.get_yticklabels(), rows, strict=True):
        tick.set(color=arm_ink(row), weight="bold")
    ax.annotate(
        head, (0, 1), (-8, 12), xycoords="axes fraction", textcoords="offset points", ha="right", color=QUIET,
        fontsize=11,
    )  # fmt: skip


def _draw(ax: Axes, rows: pd.DataFrame, who: str, names: Sequence[str], *, share: bool) -> None:
    top = 1.0 if share else float(rows[["value", "high"]].max().max()) * 1.05
    row: Any
    for row in rows.to_dict("records"):
        y, colour = names.index(row[who]), arm_colour(row[who])
        ax.plot([row["low"], row["high"]], [y, y], color=colour, lw=3, solid_capstyle="round", zorder=3)
        ax.plot(row["value"], y, "o", color=colour, ms=8, mec="white", mew=1.0, zorder=4)
        digits = 2 if share or top < 2 else 1 if top < 20 else 0
        text = f"{round(row['value'], digits) + 0.0:.{digits}f}" if row["value"] == row["value"] else ""  # never "-0.0"
        ax.annotate(text, (row["value"], y), (0, 9), textcoords="offset points", ha="center", fontsize=10.5, color=INK)
    ax.set(xlim=(-0.08 * top, 1.08 * top), ylim=(len(names) - 0.5, -0.7))
    ax.locator_params(axis="x", nbins=3)
    ax.grid(axis="y", color=FAINT, lw=0.8)
    ax.tick_params(left=False)
    ax.spines["left"].set_visible(False)
