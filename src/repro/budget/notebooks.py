"""How many dialogues does each notebook hold, and with which users?

As the notebooks say it (a test counts those of notebook 04). What several of them need is held once, so that the sum is
an upper bound. Not counted are 00, 03, 07, 08 and 10, which hold few, or as many as they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..config import Config
from ..evaluation.talks import MAIN_ARMS, assistants_of
from ..training import names

Held = list[tuple[str, int]]  # (user, dialogues)
WAYS = ("roleplay_persona", "roleplay_style", "roleplay_examples", "roleplay_warm", "roleplay_all")
N_GAP = 500  # conversations of a side in notebook 05, at full size


def talks(config: Config) -> dict[str, Held]:
    """By notebook: dialogues with each user; "oracle" are the reference users of a study."""
    n, sixth = config.n_participants, max(2, config.n_participants // 6)
    gap = N_GAP if config.profile in ("cpu", "paper") else max(6, n // 3)
    sizes = [arm for arm in config.arms if names.kind_of(arm) == "userlm"] or ["userlm"]
    prompted = ("roleplay_raw", "roleplay", "roleplay_warm", "roleplay_persona", "roleplay_examples")
    return {
        "01_main_win_rates": [*_each(MAIN_ARMS, max(2, n // 3)), ("oracle", len(assistants_of(config)) * n)],
        "02_persona_ablation": [
            *_each(("roleplay_raw", "roleplay", *WAYS, "userlm", "oracle"), sixth),
            ("oracle", len(assistants_of(config, ("roleplay", *WAYS, "userlm"))) * n),
        ],
        "04_cross_simulator": _each(MAIN_ARMS, len(assistants_of(config)) * sixth),
        "05_distributional_gap": [
            *_each(("oracle", *prompted, *sizes, "exhaustive", "roleplay"), gap),
            *_each(("oracle", "oracle", "replay"), gap),
        ],
        "06_user_lm": [
            *_each(("oracle", "roleplay_raw", "roleplay", *sizes, "exhaustive", "oracle"), max(4, n // 6)),
            *_each(3 * ["roleplay"], max(4, n // 6)), ("oracle", 3 * max(4, n // 6)),
        ],
    }  # fmt: skip


def _each(users: Sequence[str], n: int) -> Held:
    return [(user, n) for user in users]
