"""What does it look like where simulated users lie, and users behind them?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from repro.errors import ReproError
from repro.reporting.style import FAINT, INK, QUIET, arm_colour, arm_ink, arm_label, headline, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

N_BINS = 40
ACROSS = 4  # panels
BEHIND = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}  # of words that lie on marks


def component_figure(points: pd.DataFrame, *, order: Sequence[str], subtitle: str) -> tuple[Figure, pd.DataFrame]:
    """A histogram of the first component per simulator (columns side, x), with that of users ("real") as a line.

    Heights are shares, on one scale in all rows.
    """
    import matplotlib.pyplot as plt

    names = _sides(points, order)
    edges = np.linspace(points.x.min(), points.x.max() + 1e-9, N_BINS + 1)
    found = {name: _shares(points[points.side == name].x, edges) for name in ("real", *names)}
    with style():
        height = 1.7 + 0.72 * len(names)
        fig, axes = plt.subplots(len(names), 1, figsize=(11.5, height), sharex=True, sharey=True, squeeze=False)
        fig.subplots_adjust(left=0.26, right=0.97, top=1 - 1.2 / height, bottom=0.7 / height, hspace=0.25)
        for ax, name in zip(axes[:, 0], names, strict=True):
            ax.stairs(found[name], edges, fill=True, color=arm_colour(name), alpha=0.55)
            ax.stairs(found["real"], edges, color=INK, lw=1.4)
            ax.spines["left"].set_visible(False)
            beside: dict[str, Any] = {"transform": ax.transAxes, "ha": "right", "va": "center"}
            ax.text(-0.02, 0.5, arm_label(name), color=arm_ink(name), weight="bold", **beside)
            ax.text(-0.02, 0.13, _n(points, name), color=QUIET, fontsize=10.5, **beside)
        axes[0, 0].set(yticks=[], ylim=(0, 1.05 * max(shares.max() for shares in found.values())))
        axes[-1, 0].set(xlabel="first principal component of all descriptions")
        headline(fig, "Do simulated users lie where users lie?", subtitle)
    return fig, points[["side", "x"]]


def map_figure(points: pd.DataFrame, *, order: Sequence[str], subtitle: str) -> tuple[Figure, pd.DataFrame]:
    """A panel per simulator (columns side, x, y), users in grey behind."""
    import matplotlib.pyplot as plt

    names, users = _sides(points, order), points[points.side == "real"]
    down = -(-len(names) // ACROSS)
    with style():
        height = 1.3 + 2.7 * down
        fig, axes = plt.subplots(down, ACROSS, figsize=(11.5, height), sharex=True, sharey=True, squeeze=False)
        fig.subplots_adjust(left=0.02, right=0.98, top=1 - 1.35 / height, bottom=0.02, hspace=0.18, wspace=0.06)
        for i, ax in enumerate(axes.flat):
            ax.set(xticks=[], yticks=[])
            ax.set_visible(i < len(names))
            for spine in ax.spines.values():
                spine.set(visible=True, color=FAINT)
            if i < len(names):
                own = points[points.side == names[i]]
                ax.scatter(users.x, users.y, s=7, color=QUIET, alpha=0.35, lw=0)
                ax.scatter(own.x, own.y, s=7, color=arm_colour(names[i]), alpha=0.6, lw=0)
                ax.set_title(arm_label(names[i]), color=arm_ink(names[i]), weight="bold", fontsize=11, loc="left")
                counted: dict[str, Any] = {"transform": ax.transAxes, "ha": "right", "va": "bottom", "fontsize": 10}
                ax.text(0.97, 0.03, _n(points, names[i]), color=QUIET, bbox=BEHIND, **counted)
        headline(fig, "Where do simulated users lie?", subtitle)
    return fig, points


def _sides(points: pd.DataFrame, order: Sequence[str]) -> list[str]:
    present = [name for name in dict.fromkeys(points.side) if name != "real"] if len(points) else []
    if not present or "real" not in set(points.side):
        raise ReproError("no places to draw; give rows of 'real' and of one simulator or more")
    return [*(name for name in order if name in present), *(name for name in present if name not in order)]


def _n(points: pd.DataFrame, side: str) -> str:
    return f"n = {(points.side == side).sum()}"


def _shares(x: pd.Series[float], edges: Any) -> Any:
    counts, _ = np.histogram(x, edges)
    return counts / max(1, counts.sum())
