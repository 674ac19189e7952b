"""What does it look like how each simulator talks, with users as the measure of all?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from repro.errors import ReproError
from repro.reporting.panels import panel_figure
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
    spread,
    style,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INTRINSIC = {  # the paper's measures, and beside role adherence what is no effect of a probe
    "perplexity": "perplexity (less: knows users better)",
    "first_turn_diversity": "first turns differ from each other",
    "intent_overlap": "words of the intent in a turn",
    "termination_f1": "ends where users ended (F1)",
    "naturalness": "turns that pass for a user's",
    "role_adherence": "stays the user when asked to swap",
    "role_unprobed": "stays the user when nobody asks",
    "intent_adherence": "keeps its intent when pushed elsewhere",
}

MANNER = {
    "n_turns": "turns",
    "words_per_turn": "words a turn",
    "polite": "polite\nturns",
    "question_rate": "turns that\nask",
    "typos": "slips (share\nof words)",
    "overlap_turn_1": "word overlap with\nintent, turn 1",
    "ends_early": "ends\nearly",
}
_SHARES = ("polite", "question_rate", "overlap_turn_1", "ends_early")


def intrinsic_figure(
    table: pd.DataFrame, *, people: str, subtitle: str, titles: Mapping[str, str] = INTRINSIC
) -> tuple[Figure, pd.DataFrame]:
    """One strip a measure, a dot with its interval for each simulator, and a line where `people` are.

    `table` has the columns simulator, measure, value, low, high, n. Measures come in the order of `titles`.
    """
    import matplotlib.pyplot as plt

    measures = [name for name in titles if name in set(table.measure)]
    if not measures:
        raise ReproError(f"nothing to draw; give rows with a measure of {', '.join(titles)}")
    shown = [name for name in in_order(table.simulator, [*ARM_LABELS]) if name != people]
    with style():
        height = 2.3 + 0.95 * len(measures)
        fig, axes = plt.subplots(len(measures), 1, figsize=(11.5, height), squeeze=False)
        fig.subplots_adjust(left=0.36, right=0.95, top=1 - 1.75 / height, bottom=0.55 / height, hspace=1.05)
        for ax, measure in zip(axes[:, 0], measures, strict=True):
            _strip(ax, table[table.measure == measure], shown, people)
            _name(ax, titles[measure], table[table.measure == measure].n)
        _key(fig, [people, *shown], 1 - 1.3 / height)
        headline(fig, "Does a simulated user talk as users do?", subtitle)
    return fig, table


def _name(ax: Axes, title: str, counts: pd.Series) -> None:
    """The measure, and under it how many turns or probes of each simulator stand behind it."""
    how: dict[str, Any] = {"transform": ax.transAxes, "ha": "right", "va": "center"}
    ax.text(-0.03, 0.62, title, color=INK, fontsize=12, **how)
    ax.text(-0.03, 0.14, f"n = {_span(counts)}", color=QUIET, fontsize=10.5, **how)


def _strip(ax: Axes, rows: pd.DataFrame, shown: Sequence[str], people: str) -> None:
    step = 0.8 / max(1, len(shown))
    row: Any
    for row in rows.itertuples():
        if row.value != row.value:
            continue
        if row.simulator == people:
            ax.axvspan(row.low, row.high, color=arm_colour(people), alpha=0.18, lw=0, zorder=0)
            ax.axvline(row.value, color=arm_colour(people), lw=2, zorder=1)
            continue
        y = 0.4 - step * (shown.index(row.simulator) + 0.5)
        colour = arm_colour(row.simulator)
        ax.plot([row.low, row.high], [y, y], color=colour, lw=2.5, solid_capstyle="round", zorder=3)
        ax.plot(row.value, y, "o", color=colour, ms=7.5, mec="white", mew=1, zorder=4)
    ax.set(yticks=[], ylim=(-0.5, 0.5))
    if rows[["value", "high"]].max().max() <= 1:
        ax.set_xlim(-0.03, 1.03)
    ax.margins(x=0.06)
    ax.locator_params(axis="x", nbins=6)
    ax.tick_params(axis="x", labelsize=10.5)
    ax.grid(axis="x", color=FAINT, lw=0.8)
    ax.spines["left"].set_visible(False)


def _key(fig: Figure, names: Sequence[str], y: float) -> None:
    """The names in their colours, in one line."""
    x = 0.03
    for name in names:
        text = fig.text(x, y, f"● {arm_label(name)}", color=arm_ink(name), weight="bold", fontsize=11, va="center")
        x += text.get_window_extent().width / fig.bbox.width + 0.025


def manner_figure(table: pd.DataFrame, *, subtitle: str) -> tuple[Figure, pd.DataFrame]:
    """The measures of MANNER for every simulator; columns simulator, measure, value, low, high."""
    return panel_figure(
        table[table.measure.isin([*MANNER])], who="simulator", titles=MANNER, shares=_SHARES, head="user",
        question="How do simulated users write?", subtitle=subtitle,
    )  # fmt: skip


def trade_figure(table: pd.DataFrame, *, subtitle: str) -> tuple[Figure, pd.DataFrame]:
    """Each assistant twice: how good an assistant it is, and how well it passes for a user.

    Columns arm, good, good_low, good_high, n_good, passes, passes_low, passes_high, n_passes.
    """
    import matplotlib.pyplot as plt

    if table.empty:
        raise ReproError("no assistants to draw; give trade_figure a row for each")
    with style():
        fig, ax = plt.subplots(figsize=(11.5, 6.2))
        fig.subplots_adjust(left=0.1, right=0.93, top=0.78, bottom=0.13)
        for row in table.itertuples():
            _draw_trade(ax, row)
        ax.axhline(0.5, color=QUIET, lw=1, ls=(0, (4, 3)))
        ax.annotate(
            "users", (0, 0.5), (6, 5), xycoords=("axes fraction", "data"), textcoords="offset points", color=QUIET
        )
        ax.set_xlabel(f"as an assistant: share of requirements met (n = {_span(table.n_good)} dialogues)")
        ax.set_ylabel(f"as a user: share of turns that pass (n = {_span(table.n_passes)})")
        ax.margins(x=0.18, y=0.2)
        ax.grid(color=FAINT, lw=0.8)
        ax.set_ylim(-0.02, ax.get_ylim()[1])  # a share: what lies below 0 is only room for a dot
        _label_trade(ax, table)
        headline(fig, "Do better assistants make worse simulated users?", subtitle)
    return fig, table


def _draw_trade(ax: Axes, row: Any) -> None:
    colour = arm_colour(row.arm)
    ax.plot([row.good_low, row.good_high], [row.passes] * 2, color=colour, lw=2, alpha=0.8)
    ax.plot([row.good] * 2, [row.passes_low, row.passes_high], color=colour, lw=2, alpha=0.8)
    ax.plot(row.good, row.passes, "o", color=colour, ms=10, mec="white", mew=1.2, zorder=4)


def _label_trade(ax: Axes, table: pd.DataFrame) -> None:
    """A name above each dot and a line down to it; of dots at one height the left one's is higher, clear of names."""
    low, high = ax.get_ylim()
    rows = table.sort_values(["passes", "good"], ascending=[True, False])
    gap = 0.07 * (high - low)
    places = spread([passes + gap for passes in rows.passes], gap=gap, low=low, high=high)
    for row, y in zip(rows.itertuples(), places, strict=True):
        line = {"arrowstyle": "-", "color": arm_colour(str(row.arm)), "lw": 1, "relpos": (0, 0.5), "shrinkA": 0}
        ax.annotate(
            arm_label(str(row.arm)), (row.good, row.passes), (row.good, y), textcoords="data", arrowprops=line,
            color=arm_ink(str(row.arm)), weight="bold", fontsize=11, va="center",
        )  # fmt: skip


def _span(counts: pd.Series) -> str:
    """ "47", or "97 to 141" where they differ."""
    return " to ".join(map(str, dict.fromkeys((int(counts.min()), int(counts.max())))))
