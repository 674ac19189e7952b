"""Do the figures show the data they were given, and nothing on top of anything?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import ReproError
from repro.evaluation.preference import ARMS, Utility, votes_from, win_rates
from repro.reporting.figures import MEASURES, behaviour_figure, training_curves_figure, win_rate_figure
from repro.reporting.scaling import scaling_figure
from repro.reporting.style import ARM_COLOURS, ARM_LABELS, arm_colour, arm_label, spread, style

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    from matplotlib import pyplot

    pyplot.close("all")


def pairs(*arms: str) -> Any:
    random = np.random.default_rng(0)
    utilities = [
        Utility(f"p{i}", "t", arm, 0, random.normal(place)) for i in range(30) for place, arm in enumerate(arms)
    ]
    return win_rates(votes_from(utilities), n_boot=50)


def overlapping_words(figure: Any) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes overlap by more than a pixel or two; tick labels beyond an axis are not drawn."""
    figure.canvas.draw()
    texts = [*figure.texts, *(text for ax in figure.axes for text in [*ax.texts, ax.xaxis.label, ax.yaxis.label])]
    for ax in figure.axes:
        texts += [ax.title, ax._left_title]
        for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, sorted(ax.get_ylim()))):
            texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    texts = [text for text in texts if text.get_visible() and text.get_text().strip()]
    extent = matplotlib.text.Text.get_window_extent  # of the words alone, without an annotation's arrow
    boxes = [(text.get_text(), extent(text).padded(-2)) for text in texts]
    return [(one, two) for i, (one, box) in enumerate(boxes) for two, other in boxes[i + 1 :] if box.overlaps(other)]


def behaviour(*arms: str) -> pd.DataFrame:
    rows = [(arm, measure, 0.3, 0.2, 0.4, 30) for arm in arms for measure in MEASURES]
    return pd.DataFrame(rows, columns=["arm", "measure", "value", "low", "high", "n"])


def curves(**ends: float) -> pd.DataFrame:
    rows = [(arm, seed, step, end * step / 20) for arm, end in ends.items() for seed in (0, 1) for step in range(20)]
    return pd.DataFrame(rows, columns=["arm", "seed", "step", "reward"])


def test_every_arm_has_a_name_and_a_colour_of_its_own() -> None:
    assert set(ARM_LABELS) == set(ARM_COLOURS) == set(ARMS)
    assert len(set(ARM_COLOURS.values())) == len(set(ARM_LABELS.values())) == len(ARMS)
    assert not any("human" in label for label in ARM_LABELS.values())


def test_win_rate_figure_shows_every_pair_the_published_ones_first() -> None:
    figure, data = win_rate_figure(pairs("initial", "roleplay", "userlm"), {"userlm_vs_roleplay": 0.57})
    assert next(zip(data.a, data.b, strict=True)) == ("userlm", "roleplay")
    assert data.published.tolist()[0] == 0.57
    assert data.published.isna().sum() == 2
    words = [text.get_text() for text in figure.axes[0].texts]
    assert "paper 0.57" in words
    assert "30 users, 1 seed" in words
    assert f"{data.value[0]:.2f}  [{data.low[0]:.2f}, {data.high[0]:.2f}]" in words
    assert "human" not in " ".join(words)


def test_a_pair_without_any_score_is_drawn_as_unscored() -> None:
    nothing = win_rates(votes_from([Utility("p", "t", arm, 0, float("nan")) for arm in ("initial", "mine")]))
    figure, data = win_rate_figure(nothing)
    assert "unscored" in [text.get_text() for text in figure.axes[0].texts]
    assert data.n.tolist() == [0]


def test_behaviour_figure_has_a_panel_per_measure_with_the_values_written() -> None:
    figure, data = behaviour_figure(behaviour("initial", "userlm"))
    assert [ax.get_title(loc="left") for ax in figure.axes] == list(MEASURES.values())
    assert sum(text.get_text() == "0.30" for text in figure.axes[0].texts) == 2
    assert len(data) == 2 * len(MEASURES)


def test_training_curves_draw_each_seed_and_a_mean_as_far_as_all_have_come() -> None:
    data = curves(userlm=1.0)
    data = data[(data.seed == 0) | (data.step < 10)]
    figure, shown = training_curves_figure(data)
    lines = figure.axes[0].get_lines()
    assert [len(line.get_xdata()) for line in lines] == [20, 20, 10]  # two seeds, then their mean over shared steps
    assert len(shown) == 30
    assert [text.get_text() for text in figure.axes[0].texts] == ["fine-tuned user LM, 2 seeds"]


def test_three_seeds_have_a_band_and_two_have_none() -> None:
    rows = [
        {"arm": "userlm", "seed": seed, "step": step, "reward": 0.1 * seed + 0.01 * step}
        for seed in range(3)
        for step in range(5)
    ]
    figure, _ = training_curves_figure(pd.DataFrame(rows))
    (band,) = figure.axes[0].collections
    low, high = band.get_paths()[0].get_extents().intervaly
    assert low < 0.1 < 0.14 < high
    assert "Bands: 95% over seeds" in " ".join(text.get_text() for text in figure.texts)
    two, _ = training_curves_figure(pd.DataFrame(rows).query("seed < 2"))
    assert not two.axes[0].collections


@pytest.mark.parametrize(
    "draw",
    [
        lambda: win_rate_figure(pairs(*ARMS), {"userlm_vs_roleplay": 0.57, "roleplay_vs_initial": 0.51}),
        lambda: win_rate_figure(pairs("initial", "a_very_good_user")),
        lambda: behaviour_figure(behaviour(*ARMS)),
        lambda: training_curves_figure(curves(**dict.fromkeys(ARMS, 0.4))),
    ],
    ids=["all pairs", "one pair", "behaviour", "curves that end together"],
)
def test_no_words_overlap(draw: Any) -> None:
    figure, _ = draw()
    assert overlapping_words(figure) == []


@pytest.mark.parametrize("draw", [behaviour_figure, training_curves_figure])
def test_data_without_its_columns_is_refused_in_a_sentence(draw: Any) -> None:
    with pytest.raises(ReproError, match=r"needs rows with arm, .*; got 1 with \['x'\]"):
        draw(pd.DataFrame({"x": [1]}))


def test_no_pairs_is_refused() -> None:
    with pytest.raises(ReproError, match="no pairs to draw"):
        win_rate_figure([])


def test_style_ends_with_its_block() -> None:
    before = matplotlib.rcParams["font.size"]
    with style():
        assert matplotlib.rcParams["font.size"] == 13
    assert matplotlib.rcParams["font.size"] == before


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10).map(sorted))
def test_labels_keep_their_order_their_distance_and_the_axis(values: list[float]) -> None:
    places = spread(values, gap=0.1, low=0, high=1)
    assert all(b - a >= 0.1 - 1e-9 for a, b in itertools.pairwise(places))
    assert max(places) <= 1 + 1e-9
    assert min(places) >= -1e-9


def test_sizes_have_a_panel_a_measure_and_a_name_a_line():
    rows = [
        {"kind": kind, "n_layers": n, "measure": measure, "value": 0.4 + n / 100, "low": 0.35, "high": 0.75}
        for kind in ("roleplay", "userlm")
        for n in (10, 30)
        for measure in ("perplexity", "win_rate")
    ]
    titles = {"perplexity": "Perplexity", "win_rate": "Win rate"}
    fig, data = scaling_figure(pd.DataFrame(rows), titles=titles, references={"win_rate": 0.5})
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["Perplexity", "Win rate"]
    assert {text.get_text() for text in fig.axes[1].texts} == {"role-play", "fine-tuned user LM"}
    assert len(data) == 8
    with pytest.raises(ReproError, match="no sizes to draw"):
        scaling_figure(pd.DataFrame(), titles=titles, references={})
    assert arm_label("userlm_depth10") == "fine-tuned user LM, 10 layers"
    assert arm_colour("userlm_depth10") == arm_colour("userlm")
