"""What does it look like how simulators talk, beside reference users?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from repro.errors import ReproError
from repro.reporting.panels import panel_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

TALK = {
    "first_turn_words": "words in the\nfirst turn",
    "revealed_first": "tells in the\nfirst turn",
    "first_turn_diversity": "first turns\ndiffer",
    "tells_when_asked": "tells more\nwhen asked",
    "leaves_after_draft": "leaves after\na draft",
    "ends_f1": "leaves where\nusers left (F1)",
    "out_of_role": "out of\nrole",
}


def talk_figure(realism: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """The measures of TALK for every simulator; columns simulator, measure, value, low, high."""
    data = realism[realism.measure.isin([*TALK])].reset_index(drop=True)
    if data.empty:
        raise ReproError(f"nothing to draw; give talk_figure rows with a measure of {', '.join(TALK)}")
    return panel_figure(
        data, who="simulator", titles=TALK, shares=[name for name in TALK if name != "first_turn_words"], head="user",
        question="How does each simulated user talk?",
        subtitle="With the initial assistant about the same held-out tasks. Lines: 95% intervals over tasks.",
    )  # fmt: skip
