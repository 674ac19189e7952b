"""Do the figures of who meets whom show what they are given?"""

from __future__ import annotations

import pandas as pd
import pytest

from repro.errors import ReproError
from repro.reporting.cross import gain_figure, grid_figure
from repro.reporting.scorecard import scorecard_figure

NAN = float("nan")
DISTANCE = pd.DataFrame([{"simulator": "mine", "value": 0.3, "low": 0.2, "high": 0.4, "n": 9, "n_unscored": 0}])


def texts(fig) -> list[str]:
    return [text.get_text() for ax in fig.axes for text in ax.texts]


def rows(names: list[str], key: str, **more: object) -> list[dict[str, object]]:
    return [{key: name, "value": 0.4, "low": 0.3, "high": 0.5, "n": 9, "n_unscored": 0, **more} for name in names]


def test_every_cell_shows_its_value_and_interval_and_own_users_are_framed():
    cells = pd.DataFrame(
        [
            {"arm": a, "simulator": s, "own": a == s, "value": 0.4, "low": 0.3, "high": 0.5, "n": 9, "n_unscored": 0}
            for a in ("initial", "roleplay", "userlm")
            for s in ("roleplay", "userlm")
        ]
    )
    cells.loc[0, ["value", "low", "high"]] = NAN
    fig, data = grid_figure(cells)
    assert texts(fig).count("0.40") == texts(fig).count("0.30 to 0.50") == 5
    assert texts(fig).count("unscored") == 1
    assert len([patch for patch in fig.axes[0].patches if not patch.get_fill()]) == 2
    assert len(data) == 6
    with pytest.raises(ReproError, match="no cells to draw"):
        grid_figure(cells[:0])


def test_gains_show_the_gap_with_its_interval_and_seeds():
    measures = ["gain.userlm", "gain.roleplay", "others", "gap"]
    gains = pd.DataFrame(rows(measures, "measure", arm="userlm", n_seeds=2))
    fig, data = gain_figure(gains)
    assert "gap +0.40  [+0.30, +0.50]" in texts(fig)
    assert "2 seeds, 9 dialogues" in texts(fig)
    assert [*data.measure] == ["own", "others", "gap"]
    with pytest.raises(ReproError, match="no gains to draw"):
        gain_figure(gains[gains.arm == "nobody"])


def test_a_score_card_shows_both_sides_and_marks_what_is_yours():
    realism = pd.DataFrame(
        [row for who in ("mine", "oracle") for row in rows(["revealed_first", "ends_f1"], "measure", simulator=who)]
    )
    utility = pd.DataFrame(rows(["mine", "userlm"], "arm"))
    fig, data = scorecard_figure("mine", realism, DISTANCE, utility, note="Yours: 3 steps.")
    assert "mine (yours)" in texts(fig)
    assert {"tells in the first turn", "leaves where users left (F1)"} <= {*texts(fig)}
    assert len(data) == 7
    with pytest.raises(ReproError, match="needs rows of 'other'"):
        scorecard_figure("other", realism, DISTANCE, utility, note="")
