"""Do the figures of how users talk say how many stand behind a dot, and whose it is?"""

from __future__ import annotations

import pandas as pd
import pytest

from repro.errors import ReproError
from repro.reporting.intrinsic import MANNER, intrinsic_figure, trade_figure
from repro.reporting.talk import TALK

FOUND = {"value": 0.4, "low": 0.3, "high": 0.5, "n_unscored": 0}


def texts(fig) -> list[str]:
    return [text.get_text() for ax in fig.axes for text in ax.texts]


def test_each_measure_shows_how_many_stand_behind_it():
    rows = [
        {"simulator": name, "measure": measure, "n": n, **FOUND}
        for measure, counts in {"role_adherence": (40, 40), "naturalness": (97, 141)}.items()
        for name, n in zip(("oracle", "userlm"), counts, strict=True)
    ]
    fig, _ = intrinsic_figure(pd.DataFrame(rows), people="oracle", subtitle="")
    assert {"n = 40", "n = 97 to 141", "stays the user when asked to swap"} <= {*texts(fig)}


def test_names_of_dots_at_one_place_stand_apart_and_each_points_at_its_own():
    rows = [
        {"arm": arm, "good": good, "good_low": 0.2, "good_high": 0.4, "n_good": 47}
        | {"passes": 0.01, "passes_low": 0.0, "passes_high": 0.03, "n_passes": 141}
        for arm, good in (("roleplay", 0.32), ("userlm", 0.33))
    ]
    fig, _ = trade_figure(pd.DataFrame(rows), subtitle="")
    notes = {note.get_text(): note for note in fig.axes[0].texts}
    left, right = notes["role-play"], notes["fine-tuned user LM"]
    assert (left.xy, right.xy) == ((0.32, 0.01), (0.33, 0.01))
    assert left.xyann[1] > right.xyann[1] > left.xy[1]
    assert "n = 47 dialogues" in fig.axes[0].get_xlabel()
    with pytest.raises(ReproError, match="no assistants to draw"):
        trade_figure(pd.DataFrame(rows)[:0], subtitle="")


def test_word_overlap_is_not_called_what_the_share_of_wishes_told_is():
    assert not {*MANNER.values()} & {*TALK.values()}
