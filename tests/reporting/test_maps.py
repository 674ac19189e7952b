"""Are simulated users drawn where they lie, with users behind them?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from repro.errors import ReproError
from repro.reporting.maps import component_figure, map_figure

from .test_figures import overlapping_words


def points(*sides: str, n: int = 50) -> pd.DataFrame:
    draws = np.random.default_rng(0)
    return pd.concat(
        pd.DataFrame({"side": side, "x": draws.normal(i, 1, n), "y": draws.normal(0, 1, n)})
        for i, side in enumerate(sides)
    )


def test_each_simulator_has_a_histogram_with_that_of_users_as_a_line() -> None:
    figure, data = component_figure(points("real", "roleplay", "userlm"), order=["userlm"], subtitle="Made up.")
    assert len(figure.axes) == 2
    assert [ax.texts[0].get_text() for ax in figure.axes] == ["fine-tuned user LM", "role-play"]
    for ax in figure.axes:
        own, users = ax.patches
        assert own.get_data().values.sum() == pytest.approx(1)
        assert users.get_data().values.sum() == pytest.approx(1)
    (own, users), (other, again) = (ax.patches for ax in figure.axes)
    assert (users.get_data().values == again.get_data().values).all()
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()  # so that the line is as high in every row
    assert figure.axes[0].get_ylim()[1] > max(own.get_data().values.max(), other.get_data().values.max())
    assert [ax.texts[1].get_text() for ax in figure.axes] == ["n = 50", "n = 50"]
    assert overlapping_words(figure) == []
    assert list(data.columns) == ["side", "x"]


def test_each_simulator_has_a_panel_with_users_in_grey() -> None:
    names = ("roleplay", "userlm", "exhaustive", "roleplay_warm", "roleplay_persona")
    figure, data = map_figure(points("real", *names), order=[], subtitle="Made up.")
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert len(shown) == len(names)
    assert [ax.texts[0].get_text() for ax in shown] == ["n = 50"] * len(names)
    assert all(len(cloud.get_offsets()) == 50 for ax in shown for cloud in ax.collections)
    assert overlapping_words(figure) == []
    assert len(data) == 300


@pytest.mark.parametrize("draw", [component_figure, map_figure])
@pytest.mark.parametrize("sides", [("real",), ("roleplay",)])
def test_one_side_alone_is_nothing_to_compare(draw, sides) -> None:
    with pytest.raises(ReproError, match="rows of 'real' and of one simulator or more"):
        draw(points(*sides), order=[], subtitle="")
