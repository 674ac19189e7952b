"""What could a study of this size have seen?

The smallest win rate that is told from one half in four studies of five, over the number of participants: a line for
each set of assumptions, with the published study's size and win rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from repro.evaluation.planning import N_PUBLISHED, PUBLISHED, Design, detectable
from repro.reporting.style import FAINT, INK, QUIET, headline, spread, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9")  # Okabe and Ito
SIZES = (40, 60, 80, 100, 141, 200, 283, 400, 566, 800, 1132, 1600)


def power_figure(
    designs: Mapping[str, Design], *, rates: Sequence[float] = PUBLISHED, n: int = N_PUBLISHED, power: float = 0.8
) -> tuple[Figure, pd.DataFrame]:
    """`designs` maps what is assumed, in words, to the assumptions."""
    import matplotlib.pyplot as plt
    import pandas as pd

    rows = [
        {"assumed": name, **vars(design), "n": size, "win_rate": 0.5 + detectable(size, power=power, design=design)}
        for name, design in designs.items()
        for size in SIZES
    ]
    data = pd.DataFrame(rows)
    with style():
        fig, ax = plt.subplots(figsize=(11.5, 6))
        fig.subplots_adjust(left=0.08, right=0.68, top=1 - 1.15 / 6, bottom=0.12)
        for colour, name in zip(COLOURS, designs, strict=False):
            line = data[data.assumed == name]
            ax.plot(line.n, line.win_rate, color=colour, lw=2.5)
        _frame(ax, data, rates, n)
        _name_lines(ax, data, [*designs])
        headline(
            fig, "How small a preference can a study see?",
            f"Win rate told from one half in {power:.0%} of studies (two-sided, 5%). Dashed: the published study.",
        )  # fmt: skip
    return fig, data


def _frame(ax: Axes, data: pd.DataFrame, rates: Sequence[float], n: int) -> None:
    ax.set_xscale("log")
    ticks = [50, 100, 200, n, 500, 1000]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.set(
        xlabel="participants", ylabel="win rate", xlim=(SIZES[0], SIZES[-1]), ylim=(0.5, data.win_rate.max() + 0.005)
    )
    ax.axvline(n, color=QUIET, lw=1, ls=(0, (4, 3)), zorder=1)
    ax.grid(axis="y", color=FAINT, lw=0.8)
    for rate, place in zip(sorted(rates), spread(sorted(rates), gap=0.009, low=0.5, high=1), strict=True):
        ax.axhline(rate, color=QUIET, lw=1, ls=(0, (4, 3)), zorder=1)
        ax.annotate(
            f"published {rate:.2f}", (SIZES[0], place), (6, 0), textcoords="offset points", va="center", fontsize=10,
            color=INK, bbox={"fc": "white", "ec": "none", "pad": 1.5},
        )  # fmt: skip


def _name_lines(ax: Axes, data: pd.DataFrame, names: Sequence[str]) -> None:
    """Names at the right edge, pushed apart, with a thin line to each curve's end."""
    ends = {name: float(data[data.assumed == name].win_rate.iloc[-1]) for name in names}
    order, (low, high) = sorted(names, key=lambda name: ends[name]), ax.get_ylim()
    places = spread([ends[name] for name in order], gap=0.075 * (high - low), low=low, high=high)
    for name, place in zip(order, places, strict=True):
        colour = COLOURS[names.index(name) % len(COLOURS)]
        ax.annotate(
            name, (SIZES[-1], ends[name]), (SIZES[-1] * 1.18, place), va="center", color=colour, weight="bold",
            fontsize=11, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.8, "shrinkB": 4, "relpos": (0, 0.5)},
        )  # fmt: skip
