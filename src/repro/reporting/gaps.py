"""What does it look like how far simulators are from users?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from repro.errors import ReproError
from repro.reporting.panels import how_many
from repro.reporting.style import FAINT, INK, QUIET, arm_colour, arm_ink, arm_label, headline, spread, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from repro.types import Estimate

FACET_LABELS = {"damsl": "dialogue acts (DAMSL)", "sgd": "dialogue acts (SGD)"}  # others are words already
_LINES = {"js": ("users it was fitted to", QUIET), "js_held_out": ("other users", "#0072B2")}  # of `path_figure`


def gap_figure(table: pd.DataFrame, *, subtitle: str) -> tuple[Figure, pd.DataFrame]:
    """A dot and its interval per simulator of `gap_table`, the nearest first, and a band where halves of users lie."""
    import matplotlib.pyplot as plt

    users, rows = table[table.simulator == "real"], table[table.simulator != "real"].sort_values("value")
    if rows.empty or users.empty:
        raise ReproError("no gaps to draw; give gap_figure the table of gap_table")
    floor = users.iloc[0]
    with style():
        height = 2.4 + 0.55 * len(rows)
        fig, ax = plt.subplots(figsize=(11.5, height))
        fig.subplots_adjust(left=0.3, right=0.74, top=1 - 1.35 / height, bottom=0.75 / height)
        ax.axvspan(min(0.0, floor.low), floor.high, color=FAINT, lw=0, zorder=0)
        note: dict[str, Any] = {
            "xycoords": ax.get_xaxis_transform(),
            "textcoords": "offset points",
            "fontsize": 10.5,
            "color": QUIET,
        }
        ax.annotate("halves of the users themselves", (floor.high, 1), (0, 5), ha="left", **note)
        for y, row in enumerate(rows.itertuples()):
            _draw(ax, y, row)
        ax.set(yticks=[], ylim=(len(rows) - 0.4, -0.6), xlabel="Jensen-Shannon divergence from users, corrected (nats)")
        ax.spines["left"].set_visible(False)
        ax.grid(axis="x", color=FAINT, lw=0.8)
        headline(fig, "How far is each simulated user from users?", subtitle)
    return fig, table


def _draw(ax: Axes, y: int, row: Any) -> None:
    colour = arm_colour(row.simulator)
    ax.plot([row.low, row.high], [y, y], color=colour, lw=3, solid_capstyle="round", zorder=3)
    ax.plot(row.value, y, "o", color=colour, ms=10, mec="white", mew=1.2, zorder=4)
    beside: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "va": "center"}
    ax.text(-0.03, y, arm_label(row.simulator), color=arm_ink(row.simulator), weight="bold", ha="right", **beside)
    ax.text(1.03, y - 0.14, f"{row.value:.3f}  [{row.low:.3f}, {row.high:.3f}]", ha="left", **beside)
    unscored = f", {row.n_unscored:.0f} unscored" if row.n_unscored else ""
    p = "< 0.01" if row.p_holm < 0.01 else f"{'≤' if row.p_is_least else '='} {row.p_holm:.2f}"
    said = f"p {p}, n = {row.n:.0f}{unscored}"
    ax.text(1.03, y + 0.2, said, ha="left", color=QUIET, fontsize=10.5, **beside)


def heat_figure(
    data: pd.DataFrame, *, down: str, across: str, value: str, question: str, subtitle: str, order: Sequence[str],
    with_intervals: bool = False,
) -> tuple[Figure, pd.DataFrame]:  # fmt: skip
    """A grid of numbers, darker where they are larger; rows and columns in `order` where it names them.

    `with_intervals`: numbers whose interval is not above 0 (the column low) are grey and in brackets. Below each column
    stands how many are behind it, where `data` has a column `n`.
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    rows, columns = (_ordered(data[side], order) for side in (down, across))
    grid = data.pivot(index=down, columns=across, values=value).loc[rows, columns]
    with style():
        fig, ax = plt.subplots(figsize=(4.5 + 1.05 * len(columns), 3.2 + 0.5 * len(rows)))
        height, width = fig.get_figheight(), fig.get_figwidth()
        room = 1.2 / width  # for the last label, which leans to the right
        fig.subplots_adjust(left=3.0 / width, right=1 - room, top=1 - 2.3 / height, bottom=0.5 / height)
        colours = sns.light_palette("#0072B2", as_cmap=True)
        look: dict[str, Any] = {"fmt": ".2f", "cbar": False, "linewidths": 1.5, "linecolor": "white"}
        shown = grid.round(2) + 0.0  # never "-0.00"
        sns.heatmap(grid, ax=ax, cmap=colours, vmin=0, annot=shown, annot_kws={"fontsize": 11}, **look)
        if with_intervals:
            low = data.pivot(index=down, columns=across, values="low").loc[rows, columns]
            _bracket(ax, low.to_numpy()[grid.notna().to_numpy()] <= 0)
        ax.set(xlabel="", ylabel="")
        ax.xaxis.tick_top()
        ax.set_xticks([i + 0.5 for i in range(len(columns))], [_label(name) for name in columns])
        ax.tick_params(length=0)
        plt.setp(ax.get_xticklabels(), rotation=35, ha="left", rotation_mode="anchor", fontsize=10.5)
        ax.set_yticks([i + 0.5 for i in range(len(rows))], [_label(name) for name in rows], rotation=0, color=INK)
        for x, column in enumerate(columns):
            _count(ax, x + 0.5, len(rows) + 0.1, data[data[across] == column])
        headline(fig, question, subtitle)
    return fig, data


def _bracket(ax: Axes, unsure: Iterable[bool]) -> None:
    """Grey brackets for some of the numbers of a heat map, in its order: row by row, without empty cells."""
    for text, doubtful in zip(ax.texts, unsure, strict=True):
        if doubtful:
            text.set(text=f"({text.get_text()})", color=QUIET)


def _count(ax: Axes, x: float, y: float, rows: pd.DataFrame) -> None:
    """How many are behind a column, below it; nothing if nobody counted."""
    if said := how_many(rows):
        ax.text(x, y, said.replace(" to", "\nto"), ha="center", va="top", fontsize=9.5, color=QUIET)


def _label(name: str) -> str:
    return FACET_LABELS.get(name) or arm_label(name)


def _ordered(names: pd.Series[str], order: Sequence[str]) -> list[str]:
    present = dict.fromkeys(names)
    return [*(name for name in order if name in present), *(name for name in present if name not in order)]


def path_figure(path: pd.DataFrame, *, floor: Estimate, gain: Estimate, subtitle: str) -> tuple[Figure, pd.DataFrame]:
    """How near a mixture of 1, 2, 3, ... simulators comes (columns size, js, js_held_out, added), a band where halves
    of users lie (`floor`), and beside it what mixing gains, with its interval. All in nats, corrected. One split of the
    users into halves gives the lines, many give the gain."""
    import matplotlib.pyplot as plt

    if path.empty:
        raise ReproError("no mixtures to draw; give path_figure a row per size")
    with style():
        fig, (ax, beside) = plt.subplots(1, 2, figsize=(11.5, 5.8), width_ratios=(3.4, 1))
        fig.subplots_adjust(left=0.09, right=0.98, top=0.76, bottom=0.21, wspace=0.72)
        ax.axhspan(floor.low, floor.high, color=FAINT, lw=0, zorder=0)
        for column, (_, colour) in _LINES.items():
            ax.plot(path["size"], path[column], "-o", color=colour, lw=2.5, ms=8, mec="white")
        halves = f"; n = {gain.n_clusters // 2} users in each half" if gain.n_clusters else ""
        ax.set(xlabel=f"simulators in the mixture{halves}", ylabel="divergence, corrected (nats)")
        ax.set_xticks([*path["size"]], [_member(i, str(added)) for i, added in enumerate(path.added, 1)], fontsize=9.5)
        ends = path[[*_LINES]].to_numpy()
        ax.set_ylim(min(0.0, ends.min()), 1.15 * max(floor.high, ends.max()))
        ax.margins(x=0.12)
        _label_lines(ax, path, floor)
        ax.grid(axis="y", color=FAINT, lw=0.8)
        _draw_gain(beside, gain)
        headline(fig, "Does a mixture of simulators come nearer to users?", subtitle)
    return fig, path.assign(gain=gain.value, gain_low=gain.low, gain_high=gain.high)


def _member(size: int, added: str) -> str:
    """The number of simulators and, below it, the one that came in."""
    return "\n".join([str(size), *wrap(f"{'+ ' if size > 1 else ''}{arm_label(added)}", 12, break_on_hyphens=False)])


def _label_lines(ax: Axes, path: pd.DataFrame, floor: Estimate) -> None:
    """What each line and the band is about, to its right, none over another."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    ends = [(path[column].iloc[-1], path["size"].iloc[-1], *look) for column, look in _LINES.items()]
    ends = sorted([*ends, ((max(low, floor.low) + floor.high) / 2, right, "halves of users", QUIET)])
    places = spread([end[0] for end in ends], gap=0.07 * (high - low), low=low + 0.03 * (high - low), high=high)
    for (y, x, name, colour), place in zip(ends, places, strict=True):
        ax.annotate(
            name, (x, y), (right + 0.04 * (right - left), place), va="center", color=colour, weight="bold", fontsize=11,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.8, "shrinkB": 4, "relpos": (0, 0.5)},
        )  # fmt: skip


def _draw_gain(ax: Axes, gain: Estimate) -> None:
    blue, wide = _LINES["js_held_out"][1], 1.3 * max(abs(gain.low), abs(gain.high), 1e-3)
    ax.axhline(0, color=QUIET, lw=1, ls=(0, (4, 3)))
    ax.plot([0, 0], [gain.low, gain.high], color=blue, lw=3, solid_capstyle="round")
    ax.plot(0, gain.value, "o", color=blue, ms=10, mec="white", mew=1.2)
    numbers = f"{gain.value:.3f}\n[{gain.low:.3f},\n{gain.high:.3f}]"
    ax.text(0.38, 0.98, numbers, transform=ax.transAxes, va="top", fontsize=10.5)  # far from the line at 0
    ax.set(xticks=[], xlim=(-0.5, 1.2), ylim=(-wide, wide))
    users = f", of\n{gain.n_clusters} users" if gain.n_clusters else ""
    ax.set_xlabel(f"n = {gain.n}{users}", fontsize=10.5, loc="left")
    ax.set_title("gain over the\nnearest (nats)", fontsize=11, color=QUIET, loc="left")
    ax.locator_params(axis="y", nbins=5)
