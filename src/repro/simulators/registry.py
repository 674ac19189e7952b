"""Which simulator does this name stand for?

Every simulator is one entry: a name and a function that makes it from the models at hand. A name that is not known
is answered with those that are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import ReproError
from ..models.local import LocalModel
from .base import UserSimulator
from .exhaustive import Exhaustive
from .reference import ReferenceUsers
from .replay import Replay
from .roleplay import RolePlay
from .userlm import UserLM


def _released_userlm(base: str, dtype: str) -> UserSimulator:
    from ..config import repo_root

    return UserLM(LocalModel.from_pretrained(base, adapters=[repo_root() / "checkpoints" / "userlm"], dtype=dtype))


def _roleplay(base: str, dtype: str, **how: Any) -> UserSimulator:
    return RolePlay(LocalModel.from_pretrained(base, dtype=dtype), **how)


# By name, from the base weights' name and type.
SIMULATORS: dict[str, Callable[[str, str], UserSimulator]] = {
    "roleplay_raw": partial(_roleplay, name="roleplay_raw", helped=False),
    "roleplay": _roleplay,
    "roleplay_persona": partial(_roleplay, name="roleplay_persona", persona=True),
    "userlm": _released_userlm,
    "exhaustive": lambda *_: Exhaustive(),
    "oracle": lambda *_: ReferenceUsers(),
    "replay": lambda *_: Replay(),
}


def load_simulator(spec: str, *, base: str = "smollm2", dtype: str = "bfloat16") -> UserSimulator:
    """The simulator named `spec`, or the user language model in the adapter folder `spec`, on the weights `base`."""
    if spec in SIMULATORS:
        return SIMULATORS[spec](base, dtype)
    if (Path(spec) / "adapter_config.json").is_file():
        return UserLM(LocalModel.from_pretrained(base, adapters=[spec], dtype=dtype), name=Path(spec).name)
    raise ReproError(f"no simulator '{spec}'; have {', '.join(sorted(SIMULATORS))}, or give an adapter folder")
