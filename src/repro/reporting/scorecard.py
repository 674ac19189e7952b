"""What does a score card look like?

Three panels: how the simulator talks, beside reference users; how far what it does is from what they do; and how the
assistant that was trained against it fares, beside the known ones.
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
    name: str, realism: pd.DataFrame, distance: pd.DataFrame, utility: pd.DataFrame, *, note: str
) -> tuple[Figure, pd.DataFrame]:
    """`realism` has columns simulator, measure, value, low, high (rows of `name` and of `oracle`); `distance` has
    simulator, value, low, high: divergences from reference users; `utility` has arm, value, low, high: win rates over
    the initial assistant. `note` says how long the new assistant was trained."""
    import matplotlib.pyplot as plt
    import pandas as pd

    if not {name, "oracle"} <= {*realism.simulator} or utility.empty:
        raise ReproError(f"a score card needs rows of '{name}', of 'oracle' and at least one win rate")
    measures = [measure for measure in CARD if measure in {*realism[realism.simulator == name].measure}]
    with style():
        height = 2.3 + max(0.9 * len(measures), 0.62 * len(utility), 0.62 * len(distance))
        fig, (left, middle, right) = plt.subplots(1, 3, figsize=(17, height))
        fig.subplots_adjust(left=0.17, right=0.99, top=1 - 1.45 / height, bottom=0.75 / height, wspace=0.72)
        for y, measure in enumerate(measures):
            _draw_talk(left, y, measure, realism[realism.measure == measure], name)
        _frame(left, len(measures), (-0.04, 1.04), "share", "How does it talk?")
        _draw_rows(middle, distance.sort_values("value"), "simulator", name, null=0.0)
        _frame(middle, len(distance), _span(distance, 0.0, 0.1), "divergence (nats)", "How far is it from users?")
        _draw_rows(right, utility.sort_values("value", ascending=False), "arm", name, null=0.5)
        _frame(right, len(utility), _span(utility, 0.4, 0.6), "win rate", "Do users like the assistant it trained?")
        headline(fig, f"Score card: {name}", f"Diamonds: reference users. Lines: 95% intervals. {note}")
    kept = realism[realism.measure.isin(measures) & realism.simulator.isin([name, "oracle"])]
    return fig, pd.concat([kept, distance.assign(measure="gap"), utility], ignore_index=True)


def _span(rows: pd.DataFrame, low: float, high: float) -> tuple[float, float]:
    known = rows[["value", "low", "high"]].stack().dropna()
    return min([low, *(known - 0.03)]), max([high, *(known + 0.03)])


def _draw_rows(ax: Axes, rows: pd.DataFrame, who: str, name: str, *, null: float) -> None:
    for y, row in enumerate(rows.itertuples()):
        _draw_arm(ax, y, row, str(getattr(row, who)), own=getattr(row, who) == name)
    ax.axvline(null, color=QUIET, lw=1, ls=(0, (4, 3)), zorder=1)


def _draw_talk(ax: Axes, y: int, measure: str, rows: pd.DataFrame, name: str) -> None:
    for who, colour, mark, shift in (("oracle", arm_colour("oracle"), "D", 0.13), (name, INK, "o", -0.13)):
        for row in rows[rows.simulator == who].itertuples():
            _dot(ax, y + shift, row, colour, mark, above=shift < 0)
    ax.text(
        -0.03,
        y,
        TALK[measure].replace("\n", " "),
        transform=ax.get_yaxis_transform(),
        ha="right",
        va="center",
        color=INK,
    )


def _draw_arm(ax: Axes, y: int, row: Any, arm: str, *, own: bool) -> None:
    _dot(ax, y, row, arm_colour(arm), "o")
    label = f"{arm} (yours)" if own else arm_label(arm)
    ax.text(
        -0.03, y, label, transform=ax.get_yaxis_transform(), ha="right", va="center", color=arm_ink(arm),
        weight="bold" if own else "normal",
    )  # fmt: skip


def _dot(ax: Axes, y: float, row: Any, colour: str, mark: str, *, above: bool = True) -> None:
    ax.plot([row.low, row.high], [y, y], color=colour, lw=3, solid_capstyle="round", zorder=3)
    ax.plot(row.value, y, mark, color=colour, ms=9, mec="white", mew=1.0, zorder=4)
    text = f"{row.value:.2f}" if row.value == row.value else "unscored"
    note: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 10.5, "color": colour}
    ax.annotate(text, (row.value, y), (0, 8 if above else -18), **note)


def _frame(ax: Axes, n_rows: int, span: Sequence[float], xlabel: str, title: str) -> None:
    ax.set(xlim=span, ylim=(n_rows - 0.45, -0.7), yticks=[], xlabel=xlabel)
    ax.set_title(title, fontsize=13, loc="left", color=INK, pad=12, x=-0.5)
    ax.grid(axis="x", color=FAINT, lw=0.8)
    ax.spines["left"].set_visible(False)
