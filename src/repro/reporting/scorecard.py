"""What does a score card look like?

Two panels: how the simulator talks, beside reference users; and how the assistant that was trained against it fares,
beside the known ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from repro.errors import ReproError
from repro.reporting.style import FAINT, INK, QUIET, arm_colour, arm_ink, arm_label, headline, style
from repro.reporting.talk import TALK

CARD = (
    "revealed_first", "tells_when_asked", "leaves_after_draft", "ends_f1", "first_turn_diversity", "out_of_role",
)  # fmt: skip

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def scorecard_figure(
    name: str, realism: pd.DataFrame, utility: pd.DataFrame, *, note: str
) -> tuple[Figure, pd.DataFrame]:
    """`realism` has columns simulator, measure, value, low, high (rows of `name` and of `oracle`), `utility` has arm,
    value, low, high: win rates over the initial assistant. `note` says how long the new assistant was trained."""
    import matplotlib.pyplot as plt
    import pandas as pd

    if not {name, "oracle"} <= {*realism.simulator} or utility.empty:
        raise ReproError(f"a score card needs rows of '{name}', of 'oracle' and at least one win rate")
    measures = [measure for measure in CARD if measure in {*realism[realism.simulator == name].measure}]
    arms = [*utility.sort_values("value", ascending=False).arm]
    with style():
        height = 2.3 + 0.62 * max(len(measures), len(arms))
        fig, (left, right) = plt.subplots(1, 2, figsize=(14, height))
        fig.subplots_adjust(left=0.19, right=0.985, top=1 - 1.45 / height, bottom=0.75 / height, wspace=0.62)
        for y, measure in enumerate(measures):
            _draw_talk(left, y, measure, realism[realism.measure == measure], name)
        _frame(left, len(measures), (-0.04, 1.04), "share", "How does it talk?")
        for y, arm in enumerate(arms):
            _draw_arm(right, y, utility[utility.arm == arm].iloc[0], own=arm == name)
        known = utility[["value", "low", "high"]].stack().dropna()
        span = (min([0.4, *(known - 0.03)]), max([0.6, *(known + 0.03)]))
        _frame(right, len(arms), span, "win rate", "Do users like the assistant trained against it?")
        right.axvline(0.5, color=QUIET, lw=1, ls=(0, (4, 3)), zorder=1)
        headline(fig, f"Score card: {name}", f"Diamonds: reference users. Lines: 95% intervals. {note}")
    data = pd.concat(
        [realism[realism.measure.isin(measures) & realism.simulator.isin([name, "oracle"])], utility], ignore_index=True
    )
    return fig, data


def _draw_talk(ax: Axes, y: int, measure: str, rows: pd.DataFrame, name: str) -> None:
    for who, colour, mark, shift in (("oracle", arm_colour("oracle"), "D", 0.16), (name, INK, "o", -0.16)):
        for row in rows[rows.simulator == who].itertuples():
            _dot(ax, y + shift, row, colour, mark)
    ax.text(
        -0.03,
        y,
        TALK[measure].replace("\n", " "),
        transform=ax.get_yaxis_transform(),
        ha="right",
        va="center",
        color=INK,
    )


def _draw_arm(ax: Axes, y: int, row: Any, *, own: bool) -> None:
    _dot(ax, y, row, arm_colour(row.arm), "o")
    label = f"{row.arm} (yours)" if own else arm_label(row.arm)
    ax.text(
        -0.03, y, label, transform=ax.get_yaxis_transform(), ha="right", va="center", color=arm_ink(row.arm),
        weight="bold" if own else "normal",
    )  # fmt: skip


def _dot(ax: Axes, y: float, row: Any, colour: str, mark: str) -> None:
    ax.plot([row.low, row.high], [y, y], color=colour, lw=3, solid_capstyle="round", zorder=3)
    ax.plot(row.value, y, mark, color=colour, ms=9, mec="white", mew=1.0, zorder=4)
    text = f"{row.value:.2f}" if row.value == row.value else "unscored"
    ax.annotate(text, (row.value, y), (0, 8), textcoords="offset points", ha="center", fontsize=10.5, color=colour)


def _frame(ax: Axes, n_rows: int, span: Sequence[float], xlabel: str, title: str) -> None:
    ax.set(xlim=span, ylim=(n_rows - 0.45, -0.7), yticks=[], xlabel=xlabel)
    ax.set_title(title, fontsize=13, loc="left", color=INK, pad=12, x=-0.5)
    ax.grid(axis="x", color=FAINT, lw=0.8)
    ax.spines["left"].set_visible(False)
