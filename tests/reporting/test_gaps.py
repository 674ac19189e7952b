"""Do the figures of gaps show what was found, with its intervals, and nothing on top of anything?"""

from __future__ import annotations

import pandas as pd
import pytest

from repro.errors import ReproError
from repro.reporting.gaps import path_figure
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


def test_no_mixture_is_an_error() -> None:
    with pytest.raises(ReproError, match="no mixtures to draw"):
        path_figure(path(), floor=FLOOR, gain=FLOOR, subtitle="")
