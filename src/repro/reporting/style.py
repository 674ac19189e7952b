"""What does an arm look like, in every figure?

One seaborn style, one name and one colour per arm (Okabe and Ito's palette, safe for colour-blind readers), and the
two helpers that keep words apart: a headline and labels that are pushed until none overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARM_LABELS = {
    "initial": "initial, before RL",
    "roleplay_raw": "bare role-play",
    "roleplay": "role-play",
    "roleplay_persona": "role-play with persona",
    "roleplay_style": "role-play in chat style",
    "roleplay_examples": "role-play with examples",
    "roleplay_warm": "role-play, warmer",
    "roleplay_all": "role-play, all of these",
    "exhaustive": "says all at once (scripted)",
    "userlm": "fine-tuned user LM",
    "oracle": "reference users (ceiling)",
}
ARM_COLOURS = {
    "initial": "#8A8A8A",
    "roleplay_raw": "#56B4E9",
    "roleplay": "#0072B2",
    "roleplay_persona": "#CC79A7",  # and its kin in shades of it: they stand beside their names
    "roleplay_style": "#B0639A",
    "roleplay_examples": "#93508A",
    "roleplay_warm": "#763E79",
    "roleplay_all": "#592D66",
    "exhaustive": "#E69F00",
    "userlm": "#D55E00",
    "oracle": "#009E73",
}
USERS = {  # who nobody is trained against: name and colour
    "replay": ("replayed users", "#66B79A"),
    "other_users": ("other reference users", "#3FA37F"),
    "assistant_as_user": ("assistant as user", "#F0E442"),
}
INK, QUIET, FAINT = "#222222", "#6B6B6B", "#DDDDDD"
BRIGHT = 0.75  # luma of a colour, 0 to 1; ours: of the palette, only yellow has more
NEW_ARM = "#000000"  # an arm of the reader's own stands out


@contextmanager
def style() -> Iterator[None]:
    """The look of every figure, for as long as the `with` lasts; fonts ship with matplotlib, so that bytes repeat."""
    import matplotlib as mpl
    import seaborn as sns

    look: dict[Any, Any] = {
        **sns.axes_style("white"),
        **sns.plotting_context("notebook"),
        "font.family": "DejaVu Sans",
        "font.size": 13,
        "axes.labelsize": 13,
        "xtick.labelsize": 12,
        "ytick.labelsize": 12,
        "text.color": INK,
        "axes.labelcolor": QUIET,
        "axes.edgecolor": QUIET,
        "xtick.color": QUIET,
        "ytick.color": QUIET,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
        "figure.facecolor": "white",
        "figure.dpi": 110,
    }
    with mpl.rc_context(look):
        yield


def arm_label(arm: str) -> str:
    kind, _, depth = arm.partition("_depth")
    label = ARM_LABELS.get(kind) or USERS.get(kind, (kind.replace("_", " "),))[0]
    return f"{label}, {depth} layers" if depth else label


def arm_colour(arm: str) -> str:
    kind = arm.partition("_depth")[0]
    return ARM_COLOURS.get(kind) or USERS.get(kind, ("", NEW_ARM))[1]


def arm_ink(arm: str) -> tuple[float, ...]:
    """The arm's colour a shade darker, yellow by more, for words, which need more contrast than marks."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(arm_colour(arm))
    shade = 0.5 if 0.2126 * red + 0.7152 * green + 0.0722 * blue > BRIGHT else 0.8
    return tuple(shade * channel for channel in (red, green, blue))


def in_order(arms: Iterable[str], order: Sequence[str]) -> list[str]:
    """The arms that occur: those of one's own first, then the known ones in `order`."""
    present = dict.fromkeys(arms)
    return [*(arm for arm in present if arm not in order), *(arm for arm in order if arm in present)]


def headline(fig: Figure, title: str, subtitle: str) -> None:
    height = fig.get_figheight()
    fig.text(0.02, 1 - 0.18 / height, title, fontsize=17, weight="bold", va="top")
    fig.text(0.02, 1 - 0.53 / height, subtitle, fontsize=12, color=QUIET, va="top")


def spread(values: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Places for labels at sorted `values`: at least `gap` apart, in the same order, inside low..high if they fit."""
    places: list[float] = []
    for value in values:
        places.append(max(value, places[-1] + gap) if places else max(value, low))
    ceiling = high
    for i in reversed(range(len(places))):
        places[i] = min(places[i], ceiling)
        ceiling = places[i] - gap
    return places
