"""What does it look like when every assistant meets every user?

A grid of what each pair achieves, the assistant's own user framed, and each assistant's gain with its own user beside
its gain with the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from repro.errors import ReproError
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


def grid_figure(cells: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """A heat map of `grid_table`: assistants down, users across, each cell with its value and interval."""
    import matplotlib.pyplot as plt
    import seaborn as sns

    if cells.empty:
        raise ReproError("no cells to draw; give grid_figure the table of grid_table")
    arms, users = in_order(cells.arm, [*ARM_LABELS]), in_order(cells.simulator, [*ARM_LABELS])
    values = cells.pivot(index="arm", columns="simulator", values="value").loc[arms, users]
    with style():
        height = 2.6 + 0.78 * len(arms)
        fig, ax = plt.subplots(figsize=(4.2 + 1.75 * len(users), height))
        fig.subplots_adjust(left=3.2 / fig.get_figwidth(), right=0.98, top=1 - 2.0 / height, bottom=0.25 / height)
        colours = sns.light_palette("#0072B2", as_cmap=True)
        sns.heatmap(values, ax=ax, cmap=colours, vmin=0, vmax=1, cbar=False, linewidths=2, linecolor="white")
        row: Any
        for row in cells.itertuples():
            _write_cell(ax, users.index(row.simulator), arms.index(row.arm), row)
        ax.set(xlabel="", ylabel="")
        ax.xaxis.tick_top()
        ax.set_xticklabels([_broken(arm_label(user)) for user in users], rotation=0, fontsize=11)
        ax.set_yticklabels([arm_label(arm) for arm in arms], rotation=0)
        for tick, arm in zip(ax.get_yticklabels(), arms, strict=True):
            tick.set(color=arm_ink(arm), weight="bold")
        ax.tick_params(length=0)
        n = " to ".join(str(int(n)) for n in sorted({cells.n.min(), cells.n.max()}))
        headline(
            fig,
            "What does each pair of assistant and user achieve?",
            f"Share of requirements met, with 95% intervals, n = {n} a cell. Frames: the user it was trained with.",
        )
    return fig, cells


def _broken(label: str) -> str:
    """A label on two lines."""
    words = label.split(" ")
    half = (len(words) + 1) // 2
    return "\n".join([" ".join(words[:half]), " ".join(words[half:])])


def _write_cell(ax: Axes, x: int, y: int, row: Any) -> None:
    from matplotlib.patches import Rectangle

    ink = "white" if row.value > 0.55 else INK
    text = f"{row.value:.2f}" if row.value == row.value else "unscored"
    ax.text(x + 0.5, y + 0.4, text, ha="center", va="center", color=ink, fontsize=14, weight="bold")
    if row.low == row.low:
        ax.text(x + 0.5, y + 0.72, f"{row.low:.2f} to {row.high:.2f}", ha="center", va="center", color=ink, fontsize=10)
    if row.own:
        ax.add_patch(Rectangle((x + 0.03, y + 0.04), 0.94, 0.92, fill=False, lw=2.5, ec=INK, zorder=5))


def gain_figure(gains: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Per trained assistant, from `transfer_table`: the gain with its own user and the mean gain with all others."""
    import matplotlib.pyplot as plt
    import pandas as pd

    own = gains[gains.measure == "gain." + gains.arm].assign(measure="own")
    data = pd.concat([own, gains[gains.measure.isin(["others", "gap"])]], ignore_index=True)
    arms = in_order(data.arm, [*ARM_LABELS])
    if not arms:
        raise ReproError("no gains to draw; give gain_figure the table of transfer_table, with a trained assistant")
    with style():
        height = 2.2 + 0.85 * len(arms)
        fig, ax = plt.subplots(figsize=(11.5, height))
        fig.subplots_adjust(left=0.29, right=0.74, top=1 - 1.3 / height, bottom=0.75 / height)
        for y, arm in enumerate(arms):
            rows = {row.measure: row for row in data[data.arm == arm].itertuples()}
            _draw_gain(ax, y - 0.17, rows["own"], arm_colour(arm), "o", "own user")
            _draw_gain(ax, y + 0.17, rows["others"], QUIET, "D", "others")
            _name(ax, y, arm, rows["gap"])
        ax.set(
            ylim=(len(arms) - 0.45, -0.6),
            yticks=[],
            xlabel="gain over the initial assistant (share of requirements met)",
        )
        ax.margins(x=0.28)  # room for the words at the right ends
        ax.axvline(0, color=QUIET, lw=1, ls=(0, (4, 3)), zorder=1)
        ax.grid(axis="x", color=FAINT, lw=0.8)
        ax.spines["left"].set_visible(False)
        headline(
            fig,
            "Does what an assistant learned carry over to other users?",
            "Circles: with the user it was trained with. Diamonds: mean over the others. Lines: 95% intervals.",
        )
    return fig, data


def _draw_gain(ax: Axes, y: float, row: Any, colour: str, mark: str, label: str) -> None:
    ax.plot([row.low, row.high], [y, y], color=colour, lw=3, solid_capstyle="round", zorder=3)
    ax.plot(row.value, y, mark, color=colour, ms=9, mec="white", mew=1.0, zorder=4)
    right = row.high if row.high == row.high else row.value
    ax.annotate(label, (right, y), (8, 0), textcoords="offset points", va="center", fontsize=10, color=QUIET)


def _name(ax: Axes, y: int, arm: str, gap: Any) -> None:
    beside: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "va": "center"}
    ax.text(-0.03, y, arm_label(arm), color=arm_ink(arm), weight="bold", ha="right", **beside)
    ax.text(1.04, y - 0.14, f"gap {gap.value:+.2f}  [{gap.low:+.2f}, {gap.high:+.2f}]", ha="left", **beside)
    seeds = f"{gap.n_seeds} seed{'s' if gap.n_seeds > 1 else ''}, {gap.n} dialogues"
    ax.text(1.04, y + 0.2, seeds, ha="left", color=QUIET, fontsize=10.5, **beside)
