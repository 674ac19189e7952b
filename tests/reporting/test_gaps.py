"""Do the figures of gaps show what was found, with its intervals, and nothing on top of anything?"""

from __future__ import annotations

import pandas as pd
import pytest

from repro.errors import ReproError
from repro.reporting.gaps import gap_figure, heat_figure, path_figure
from repro.reporting.panels import panel_figure
from repro.reporting.style import arm_colour, arm_ink
from repro.types import Estimate

from .test_figures import overlapping_words

FLOOR = Estimate(0.0, -0.02, 0.02, 500)


def path(*js_held_out: float) -> pd.DataFrame:
    added = ["userlm", "roleplay_examples", "assistant_as_user", "roleplay_warm"][: len(js_held_out)]
    rows = {"size": range(1, len(js_held_out) + 1), "added": added, "js_held_out": js_held_out}
    return pd.DataFrame(rows).assign(js=lambda one: one.js_held_out + 0.001)


@pytest.mark.parametrize("js", [(0.6, 0.59, 0.589), (0.05, 0.01, -0.001, 0.0), (0.3,)], ids=["far", "near", "one"])
def test_lines_that_end_together_have_labels_that_do_not(js) -> None:
    figure, data = path_figure(path(*js), floor=FLOOR, gain=Estimate(0.01, -0.01, 0.03, 500), subtitle="Made up.")
    assert overlapping_words(figure) == []
    left, right = figure.axes
    assert left.get_ylim()[0] == min(0, *js)
    assert sorted(right.lines[1].get_ydata()) == [-0.01, 0.03]
    assert set(data.gain_high) == {0.03}
    assert right.xaxis.label.get_text() == "n = 500"


def test_a_mixture_says_how_many_users_each_half_has() -> None:
    gain = Estimate(-0.0001, -0.01, 0.03, 3500, n_clusters=501)
    figure, _ = path_figure(path(0.6, 0.59), floor=FLOOR, gain=gain, subtitle="Made up.")
    left, right = (ax.xaxis.label.get_text() for ax in figure.axes)
    assert left == "simulators in the mixture; n = 250 users in each half"
    assert right == "n = 3500, of\n501 users"
    assert overlapping_words(figure) == []


def test_no_mixture_is_an_error() -> None:
    with pytest.raises(ReproError, match="no mixtures to draw"):
        path_figure(path(), floor=FLOOR, gain=FLOOR, subtitle="")


def gaps(**p_holm: float) -> pd.DataFrame:
    rows = [{"simulator": name, "p_holm": p, "p_is_least": p < 0.05} for name, p in p_holm.items()]
    rows.append({"simulator": "real", "p_holm": float("nan"), "p_is_least": False})
    return pd.DataFrame(rows).assign(value=0.3, low=0.2, high=0.4, n=200, n_unscored=3)


def test_a_p_that_could_not_be_lower_is_at_most_what_is_shown() -> None:
    figure, _ = gap_figure(gaps(roleplay=0.010, userlm=0.68, exhaustive=0.001), subtitle="Made up.")
    said = [text.get_text() for text in figure.axes[0].texts if text.get_text().startswith("p ")]
    assert said == ["p ≤ 0.01, n = 200, 3 unscored", "p = 0.68, n = 200, 3 unscored", "p < 0.01, n = 200, 3 unscored"]
    assert overlapping_words(figure) == []


def test_numbers_whose_interval_is_not_above_zero_are_in_brackets() -> None:
    rows = [("style", "polite", 0.3, 0.1), ("style", "hurried", -0.001, -0.1), ("damsl", "polite", -0.05, -0.09)]
    data = pd.DataFrame(rows, columns=["facet", "trait", "value", "low"])
    ask = {
        "down": "facet",
        "across": "trait",
        "value": "value",
        "question": "What?",
        "subtitle": "",
        "order": ["style"],
    }
    figure, _ = heat_figure(data, **ask, with_intervals=True)
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.30", "(0.00)", "(-0.05)"]  # one cell is empty
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["style", "dialogue acts (DAMSL)"]
    figure, _ = heat_figure(data, **ask)
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.30", "0.00", "-0.05"]


def test_each_column_of_a_grid_says_how_many_are_behind_it() -> None:
    rows = [("one", "style", 0.3, 984), ("two", "style", 0.1, 1000), ("one", "damsl", 0.2, 50), ("two", "damsl", 0, 50)]
    data = pd.DataFrame(rows, columns=["simulator", "facet", "value", "n"])
    ask = {"down": "simulator", "across": "facet", "value": "value", "question": "What?", "subtitle": "", "order": []}
    figure, _ = heat_figure(data, **ask)
    assert [text.get_text() for text in figure.axes[0].texts][4:] == ["n = 984\nto 1000", "n = 50"]
    assert overlapping_words(figure) == []


def test_panels_of_one_range_hold_every_interval() -> None:
    rows = [("roleplay", "a", 0.6, 0.5, 0.69), ("roleplay", "b", -0.01, -0.2, 0.1)]
    data = pd.DataFrame(rows, columns=["simulator", "measure", "value", "low", "high"])
    ask = {"who": "simulator", "titles": {}, "shares": (), "head": "", "question": "What?", "subtitle": ""}
    figure, _ = panel_figure(data, **ask, one_range=True)
    (low, high), other = (ax.get_xlim() for ax in figure.axes)
    assert low < -0.2
    assert high > 0.69
    assert other == (low, high)


def test_the_assistant_as_a_user_has_a_colour_that_grey_users_have_not() -> None:
    assert arm_colour("assistant_as_user") == "#F0E442"  # Okabe and Ito's yellow
    assert max(arm_ink("assistant_as_user")) < 0.5  # words in it are dark enough to read
    assert arm_ink("userlm") == pytest.approx([0.8 * x for x in (0xD5 / 255, 0x5E / 255, 0)])
