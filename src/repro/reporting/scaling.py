"""Does size help?

One panel per measure, the simulator's size along the bottom, one line per way of making a simulator, named at its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from repro.errors import ReproError
from repro.reporting.style import ARM_LABELS, FAINT, QUIET, arm_colour, arm_ink, arm_label, headline, in_order, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def scaling_figure(
    data: pd.DataFrame, *, titles: Mapping[str, str], references: Mapping[str, float]
) -> tuple[Figure, pd.DataFrame]:
    """`data` is tidy: `kind` (an arm's name without its size), `n_layers`, `measure`, `value`, `low`, `high`.

    Panels come in the order of `titles`; `references` draws a dashed line where no effect would be.
    """
    import matplotlib.pyplot as plt

    if data.empty:
        raise ReproError("no sizes to draw; give scaling_figure a row per kind, size and measure")
    with style():
        fig, axes = plt.subplots(1, len(titles), figsize=(1.5 + 5.2 * len(titles), 5.4), squeeze=False)
        fig.subplots_adjust(left=0.07, right=0.86, top=0.72, bottom=0.13, wspace=0.25)
        for ax, (measure, title) in zip(axes[0], titles.items(), strict=True):
            _draw(ax, data[data.measure == measure])
            ax.set_title(title, fontsize=12.5, loc="left", pad=10)
            if measure in references:
                ax.axhline(references[measure], color=QUIET, lw=1, ls=(0, (4, 3)), zorder=1)
        _name_lines(axes[0][-1], data[data.measure == [*titles][-1]])
        headline(
            fig, "Does a larger simulated user train a better assistant?",
            "Sizes are the first layers of one model, trained again alike after the cut. Lines: 95% intervals.",
        )  # fmt: skip
    return fig, data


def _draw(ax: Axes, rows: pd.DataFrame) -> None:
    kinds = in_order(rows.kind, [*ARM_LABELS])
    for i, kind in enumerate(kinds):
        line = rows[rows.kind == kind].sort_values("n_layers")
        x = line.n_layers + 0.35 * (i - (len(kinds) - 1) / 2)  # so that intervals stand side by side
        ax.plot(x, line.value, "-o", color=arm_colour(kind), lw=2, ms=8, mec="white", zorder=3)
        ax.vlines(x, line.low, line.high, color=arm_colour(kind), lw=2.5, zorder=2)
    ax.set(xlabel="layers of the simulator", xticks=sorted({*rows.n_layers}))
    ax.grid(axis="y", color=FAINT, lw=0.8)
    ax.margins(x=0.1, y=0.15)


def _name_lines(ax: Axes, rows: pd.DataFrame) -> None:
    last = rows[rows.n_layers == rows.n_layers.max()].sort_values("value")
    for i, row in enumerate(last.itertuples()):
        away = 10 * (2 * i - (len(last) - 1))  # points up or down, so that two names never meet
        ax.annotate(
            arm_label(str(row.kind)), (row.n_layers, row.value), (16, away), textcoords="offset points", va="center",
            color=arm_ink(str(row.kind)), weight="bold", annotation_clip=False,
        )  # fmt: skip
