"""Which simulators have a name?

Ours, each one entry: a name and a function that makes it from the models at hand. And those of installed packages,
which register a class or a function without arguments in the entry-point group `repro.simulators`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from ..errors import ReproError
from ..models.base import ChatModel
from ..models.local import LocalModel
from .base import UserSimulator
from .exhaustive import Exhaustive
from .guardrails import Guardrails
from .reference import ReferenceUsers
from .replay import Replay
from .roleplay import SAMPLING, RolePlay
from .userlm import SAMPLING as USER_SAMPLING
from .userlm import UserLM

GROUP = "repro.simulators"
RELEASED = "checkpoints/userlm"  # in the checkout: the adapter that these speak with
ON_RELEASED = ("userlm", "userlm_guarded")
LONG = replace(USER_SAMPLING, max_tokens=256)  # ours: what is too long is for the guardrails to say
WARM = replace(SAMPLING, temperature=1.2)  # ours: half as warm again as role-play otherwise is

# By name, from a model: what `NAME:MODEL` stands for.
ON_A_MODEL: dict[str, Callable[[ChatModel], UserSimulator]] = {
    "roleplay_raw": partial(RolePlay, name="roleplay_raw", helped=False),
    "roleplay": RolePlay,
    "roleplay_persona": partial(RolePlay, name="roleplay_persona", persona=True),
    "roleplay_style": partial(RolePlay, name="roleplay_style", style=True),
    "roleplay_examples": partial(RolePlay, name="roleplay_examples", n_examples=6),
    "roleplay_warm": partial(RolePlay, name="roleplay_warm", sampling=WARM),
    "roleplay_all": partial(RolePlay, name="roleplay_all", persona=True, style=True, n_examples=6, sampling=WARM),
    "userlm": UserLM,
    "userlm_guarded": partial(UserLM, name="userlm_guarded", sampling=LONG, guardrails=Guardrails()),
}


def _on_base(name: str) -> Callable[[str, str], UserSimulator]:
    return lambda base, dtype: ON_A_MODEL[name](LocalModel.from_pretrained(base, dtype=dtype))


def _released_userlm(base: str, dtype: str, name: str) -> UserSimulator:
    from ..config import repo_root

    adapter = repo_root() / RELEASED
    return ON_A_MODEL[name](LocalModel.from_pretrained(base, adapters=[adapter], dtype=dtype))


# By name, from the base weights' name and type.
SIMULATORS: dict[str, Callable[[str, str], UserSimulator]] = {
    **{name: _on_base(name) for name in ON_A_MODEL},
    **{name: partial(_released_userlm, name=name) for name in ON_RELEASED},
    "exhaustive": lambda *_: Exhaustive(),
    "oracle": lambda *_: ReferenceUsers(),
    "replay": lambda *_: Replay(),
}


def installed() -> dict[str, Any]:
    """The entry points of installed packages by name; one that takes a name of ours is an error."""
    from importlib.metadata import entry_points

    found = {point.name: point for point in entry_points(group=GROUP)}
    if taken := sorted(found.keys() & SIMULATORS.keys()):
        raise ReproError(f"{found[taken[0]].value} registers the simulator '{taken[0]}', a name of ours; rename it")
    return found


def names() -> list[str]:
    return sorted([*SIMULATORS, *installed()])
