"""What do the results look like?

Names stand beside the marks instead of in a legend, and every number shows its interval, n and seeds. Each function
returns the figure and the tidy data that it shows, ready for `run.figure(name, fig, data=data)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from repro.errors import ReproError
from repro.evaluation.preference import PairResult
from repro.reporting.panels import panel_figure
from repro.reporting.style import (
    ARM_COLOURS,
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

MEASURES = {
    "asks_first": "Asks before\nit writes",
    "revealed": "Requirements\nthe user revealed",
    "met": "Requirements\nmet in the text",
    "assistant_turns": "Assistant turns\nper dialogue",
    "words": "Words per\nassistant turn",
}
BAND = 3  # seeds; ours: an interval of two is as wide as the figure
SHARES = ("asks_first", "revealed", "met")  # measures between 0 and 1

__all__ = [
    "ARM_COLOURS",
    "ARM_LABELS",
    "MEASURES",
    "behaviour_figure",
    "style",
    "training_curves_figure",
    "win_rate_figure",
]


def win_rate_figure(
    pairs: Sequence[PairResult], published: Mapping[str, float] | None = None, *, who: str = "reference users"
) -> tuple[Figure, pd.DataFrame]:
    """A dot and its interval per pair, the published value as a hollow diamond beside ours, a line at one half.

    Pairs with a published value come first, then the rest; within each, arms in turn, the highest win rate first.
    `published` maps `<a>_vs_<b>` to the paper's value; `who` voted.
    """
    import matplotlib.pyplot as plt
    import pandas as pd

    if not pairs:
        raise ReproError("no pairs to draw; give win_rate_figure the results of win_rates")
    data = pd.DataFrame([_pair_row(pair, published or {}) for pair in pairs])
    order = {arm: place for place, arm in enumerate(in_order(data.a, [*reversed(ARM_LABELS)]))}
    data = data.assign(claim=data.published.isna(), arm=data.a.map(order))
    data = data.sort_values(["claim", "arm", "value"], ascending=[True, True, False], ignore_index=True)
    data = data.drop(columns=["claim", "arm"])
    unit = who.split()[-1]
    with style():
        height = 2.2 + 0.62 * len(data)
        fig, ax = plt.subplots(figsize=(11.5, height))
        fig.subplots_adjust(left=0.31, right=0.755, top=1 - 1.4 / height, bottom=0.75 / height)
        for y, row in enumerate(data.itertuples()):
            _draw_pair(ax, y, row, unit)
        _frame_win_rates(ax, data)
        over = f"{unit} and training seeds" if (data[["n_seeds_a", "n_seeds_b"]] > 1).any(axis=None) else unit
        diamond = "; diamonds: the published study with people" if data.published.notna().any() else ""
        headline(
            fig,
            f"Which assistant do {who} prefer?",
            f"Share of comparisons won, ties half. Lines: 95% intervals over {over}{diamond}.",
        )
    return fig, data


def _pair_row(pair: PairResult, published: Mapping[str, float]) -> dict[str, Any]:
    rate = pair.win_rate
    return {
        "a": pair.a,
        "b": pair.b,
        "value": rate.value,
        "low": rate.low,
        "high": rate.high,
        "n": rate.n,
        "n_unscored": rate.n_unscored,
        "n_participants": rate.n_clusters,
        "n_seeds_a": pair.n_seeds_a,
        "n_seeds_b": pair.n_seeds_b,
        "published": published.get(pair.pair, float("nan")),
    }


def _draw_pair(ax: Axes, y: int, row: Any, unit: str) -> None:
    colour = arm_colour(row.a)
    ax.plot([row.low, row.high], [y, y], color=colour, lw=3, solid_capstyle="round", zorder=3)
    ax.plot(row.value, y, "o", color=colour, ms=10, mec="white", mew=1.2, zorder=4)
    if row.published == row.published:
        ax.plot(row.published, y + 0.3, "D", mfc="white", mec=INK, mew=1.3, ms=6.5, zorder=5)
        ax.annotate(
            f"paper {row.published:.2f}", (row.published, y + 0.3), (9, 0), textcoords="offset points",
            va="center", fontsize=10, color=QUIET,
        )  # fmt: skip
    left: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "ha": "right", "va": "center"}
    right: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "ha": "left", "va": "center"}
    ax.text(-0.03, y - 0.14, arm_label(row.a), color=arm_ink(row.a), weight="bold", **left)
    ax.text(-0.03, y + 0.2, f"v {arm_label(row.b)}", color=QUIET, fontsize=11, **left)
    ax.text(1.03, y - 0.14, _interval(row), **right)
    ax.text(1.03, y + 0.2, _behind(row, unit), color=QUIET, fontsize=10.5, **right)


def _interval(row: Any) -> str:
    return f"{row.value:.2f}  [{row.low:.2f}, {row.high:.2f}]" if row.value == row.value else "unscored"


def _behind(row: Any, unit: str) -> str:
    """How many users and training seeds stand behind a win rate: "283 users, 3 v 2 seeds"."""
    users = f"{row.n_participants} {unit[:-1] if row.n_participants == 1 else unit}"
    trained = dict.fromkeys(str(n) for n in (row.n_seeds_a, row.n_seeds_b) if n)
    seeds = " v ".join(trained)
    return f"{users}, {seeds} seed{'' if seeds == '1' else 's'}" if trained else users


def _frame_win_rates(ax: Axes, data: pd.DataFrame) -> None:
    known = data[["low", "high", "value", "published"]].stack().dropna()
    ax.set(xlim=(min([0.4, *(known - 0.03)]), max([0.6, *(known + 0.03)])), ylim=(len(data) - 0.35, -0.65))
    ax.set(yticks=[], xlabel="win rate")
    ax.axvline(0.5, color=QUIET, lw=1, ls=(0, (4, 3)), zorder=1)
    n_claims = int(data.published.notna().sum())
    for y in range(1, len(data)):
        ax.axhline(y - 0.45, color=QUIET if y == n_claims else FAINT, lw=0.8, zorder=0)
    ax.spines["left"].set_visible(False)
    above: dict[str, Any] = {
        "xycoords": ax.get_xaxis_transform(),
        "textcoords": "offset points",
        "color": QUIET,
        "fontsize": 11,
    }
    ax.annotate("wins \u2192", (0.5, 1), (8, 6), ha="left", **above)
    ax.annotate("\u2190 loses", (0.5, 1), (-8, 6), ha="right", **above)
    heads: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "color": QUIET, "fontsize": 11}
    ax.annotate("trained with", (-0.03, 1), (0, 6), ha="right", **heads)
    ax.annotate("win rate [95% interval]", (1.03, 1), (0, 6), ha="left", **heads)


def behaviour_figure(data: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """What each assistant does, one small panel per measure, arms in the same order in each.

    `data` is tidy: `arm`, `measure` (a key of MEASURES, or a name of one's own), `value`, `low`, `high`.
    """
    _need(data, ("arm", "measure", "value", "low", "high"))
    return panel_figure(
        data, who="arm", titles=MEASURES, shares=SHARES, head="trained with", question="What does each assistant do?",
        subtitle="Means over dialogues with held-out reference users. Lines: 95% intervals.",
    )  # fmt: skip


def training_curves_figure(data: pd.DataFrame, *, span: int = 10) -> tuple[Figure, pd.DataFrame]:
    """Reward over steps: a thin line per seed, a thick one for their mean, all smoothed over `span` steps.

    `data` is tidy: `arm`, `seed`, `step`, `reward`. Smoothing is an exponentially weighted mean; the thick line goes
    as far as every seed of the arm has come. From three seeds on, a band is the 95% interval of the mean over seeds
    (Student's t at each step).
    """
    import matplotlib.pyplot as plt

    _need(data, ("arm", "seed", "step", "reward"))
    arms = in_order(data.arm, [*ARM_LABELS])
    ends: dict[str, tuple[float, float]] = {}
    with style():
        fig, ax = plt.subplots(figsize=(11.5, 6))
        fig.subplots_adjust(left=0.075, right=0.71, top=1 - 1.15 / 6, bottom=0.12)
        for arm in arms:
            ends[arm] = _draw_curve(ax, data[data.arm == arm], arm_colour(arm), span)
        ax.set(xlabel="training step", ylabel="reward per dialogue")
        ax.grid(axis="y", color=FAINT, lw=0.8)
        ax.margins(x=0.01)
        seeds = data.groupby("arm").seed.nunique()
        labels = {arm: f"{arm_label(arm)}, {seeds[arm]} seed{'s' if seeds[arm] > 1 else ''}" for arm in arms}
        _label_ends(ax, ends, labels)
        headline(
            fig,
            "How does reward grow in training?",
            f"Each assistant is rewarded by its own simulated user: compare shapes, not heights.{_banded(seeds)}",
        )
    return fig, data


def _banded(seeds: pd.Series[int]) -> str:
    return f" Bands: 95% over seeds, where there are {BAND} or more." if seeds.max() >= BAND else ""


def _draw_curve(ax: Axes, rows: pd.DataFrame, colour: str, span: int) -> tuple[float, float]:
    runs = rows.pivot_table(index="step", columns="seed", values="reward").sort_index()
    smooth = runs.ewm(span=span).mean()
    for seed in runs:
        ax.plot(smooth.index, smooth[seed].where(runs[seed].notna()), color=colour, lw=1, alpha=0.45)
    known = smooth.where(runs.notna()).dropna()
    mean = known.mean(axis=1)
    if (n := known.shape[1]) >= BAND:
        from scipy.stats import t

        half = t.ppf(0.975, n - 1) * known.std(axis=1, ddof=1) / n**0.5
        ax.fill_between(mean.index, mean - half, mean + half, color=colour, alpha=0.15, lw=0)
    ax.plot(mean.index, mean, color=colour, lw=3, solid_capstyle="round")
    return (float(mean.index[-1]), float(mean.iloc[-1])) if len(mean) else (float("nan"), float("nan"))


def _label_ends(ax: Axes, ends: Mapping[str, tuple[float, float]], labels: Mapping[str, str]) -> None:
    """Names at the right edge, pushed apart until none overlap, with a thin line to each curve's end."""
    low, high = ax.get_ylim()
    right = ax.get_xlim()[1]
    known = sorted((arm for arm in ends if ends[arm][1] == ends[arm][1]), key=lambda arm: ends[arm][1])
    places = spread([ends[arm][1] for arm in known], gap=0.065 * (high - low), low=low, high=high)
    for arm, place in zip(known, places, strict=True):
        ax.annotate(
            labels[arm], ends[arm], (right + 0.035 * (right - ax.get_xlim()[0]), place), va="center",
            color=arm_ink(arm), weight="bold", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": arm_colour(arm), "lw": 0.8, "shrinkB": 4, "relpos": (0, 0.5)},
        )  # fmt: skip


def _need(data: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in data]
    if missing or data.empty:
        raise ReproError(f"the figure needs rows with {', '.join(columns)}; got {len(data)} with {list(data.columns)}")
