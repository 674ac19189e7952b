"""What does it look like when the same tasks are told in different ways?

A panel for each family of tasks, a row for each simulator: how much of a task it told, what the informed assistant
solved and what the language model solved, with intervals. Beside role-play and user model, in both panels, stands what
was published of GPT-4o: of both families together, so that only the distance of the two marks is to be compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from repro.errors import ReproError
from repro.reporting.style import FAINT, INK, QUIET, arm_label, headline, in_order, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELS = {
    "full": "told whole",
    "concat": "all pieces in one turn",
    "sharded": "a piece a turn (scripted)",
    "roleplay": "role-play",
    "userlm": "fine-tuned user LM",
}
SHOWN = {  # measure: label, colour, mark, place within the row
    "coverage": ("told", "#8A8A8A", "s", -0.24),
    "success_informed": ("solved by whoever needs every piece", "#009E73", "o", 0.0),
    "success": ("solved by the language model", "#0072B2", "D", 0.24),
}
PUBLISHED = {"roleplay": 0.746, "userlm": 0.574}  # arXiv 2510.06552: GPT-4o, maths and code together
FAMILIES = {"maths": "word problems", "code": "functions in Python"}


def sharded_figure(table: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """From a table with family, simulator, measure (of `SHOWN`), value, low, high, n."""
    import matplotlib.pyplot as plt

    data = table[table.measure.isin([*SHOWN])]
    if data.empty:
        raise ReproError("nothing to draw; give sharded_figure rows of coverage and success")
    families, simulators = in_order(data.family, [*FAMILIES]), in_order(data.simulator, [*LABELS])
    with style():
        height = 2.7 + 0.8 * len(simulators)
        fig, axes = plt.subplots(1, len(families), figsize=(12.5, height), sharey=True, squeeze=False)
        fig.subplots_adjust(left=0.2, right=0.98, top=1 - 1.5 / height, bottom=1.15 / height, wspace=0.08)
        for ax, family in zip(axes[0], families, strict=True):
            rows = data[data.family == family]
            _panel(ax, rows, simulators)
            n = int(rows[rows.measure == "success"].n.max()) if (rows.measure == "success").any() else 0
            ax.set_title(f"{FAMILIES.get(family, family)}, n = {n}", fontsize=13, loc="left", color=INK)
        axes[0][0].set_yticklabels([LABELS.get(name) or arm_label(name) for name in simulators])
        _legend(fig)
        headline(
            fig,
            "What does a way of telling do to what an assistant solves?",
            "Share of pieces told and of tasks solved. Lines: 95% intervals over tasks. Hollow: GPT-4o, both families "
            "together, not comparable in level.",
        )
    return fig, data


def _panel(ax: Axes, rows: pd.DataFrame, simulators: list[str]) -> None:
    row: Any
    for row in rows.itertuples():
        _, colour, mark, place = SHOWN[row.measure]
        y = simulators.index(row.simulator) + place
        ax.plot([row.low, row.high], [y, y], color=colour, lw=3, alpha=0.75, solid_capstyle="butt", zorder=3)
        ax.plot(row.value, y, mark, color=colour, ms=8, mec="white", mew=1.0, zorder=4)
    for name, value in PUBLISHED.items():
        if name in simulators:
            ax.plot(value, simulators.index(name) + 0.24, "D", mfc="none", mec=INK, ms=9, mew=1.4, zorder=5)
    ax.set(xlim=(-0.03, 1.03), ylim=(len(simulators) - 0.45, -0.55), yticks=range(len(simulators)))
    ax.grid(axis="x", color=FAINT, lw=0.8)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _legend(fig: Figure) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=c, marker=m, lw=2, ms=8, mec="white", label=text) for text, c, m, _ in SHOWN.values()
    ]
    text = "published, GPT-4o, both families"
    handles.append(Line2D([], [], marker="D", mfc="none", mec=INK, mew=1.4, lw=0, ms=8, label=text))
    fig.legend(handles=handles, loc="lower center", ncols=4, frameon=False, fontsize=10.5, labelcolor=QUIET)
