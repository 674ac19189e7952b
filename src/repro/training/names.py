"""What are the models of a profile called, and what does each stand on?

initial                        the assistant before RL
userlm                         a user language model
depth10                        the first ten layers of the base model, healed
userlm_depth10                 a user language model of that depth
assistant-<simulator>-s<seed>  an assistant trained against a simulator, which may end in _depth10 as well
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_DEPTH = re.compile(r"(?:^|_)depth(\d+)$")


def assistant_name(arm: str, seed: int) -> str:
    return f"assistant-{arm}-s{seed}"


def arm_and_seed(name: str) -> tuple[str, int]:
    """What the assistant `name` was trained against, and with which seed."""
    arm, _, seed = name.removeprefix("assistant-").rpartition("-s")
    return arm, int(seed)


def is_assistant(name: str) -> bool:
    return name.startswith("assistant-")


def depth_of(name: str) -> int | None:
    """How many layers a simulator or its model has; None: all. An assistant has all."""
    found = None if is_assistant(name) else _DEPTH.search(name)
    return int(found[1]) if found else None


def kind_of(simulator: str) -> str:
    """Its name without the depth."""
    return _DEPTH.sub("", simulator)


def model_of(simulator: str) -> str:
    """The trained model that a simulator speaks with; "" if it needs none."""
    if kind_of(simulator) == "userlm":
        return simulator
    depth = depth_of(simulator)
    return "" if depth is None else f"depth{depth}"


def parents_of(name: str) -> tuple[str, ...]:
    """The models that have to be there before `name` can be made."""
    if name == "initial":
        return ()
    if is_assistant(name):
        return ("initial", *filter(None, [model_of(arm_and_seed(name)[0])]))
    depth = depth_of(name)
    return ("initial",) if depth is None or name == f"depth{depth}" else ("initial", f"depth{depth}")


def adapters_of(name: str) -> tuple[str, ...]:
    """The adapters that make the model, in the order they are merged."""
    if is_assistant(name):
        return ("initial", name)
    return (*(parent for parent in parents_of(name) if parent != "initial"), name)


def in_order(arms: Mapping[str, int]) -> list[str]:
    """Every model that a profile with these arms trains: what others need first, seed 0 of every arm before seed 1."""
    pairs = sorted(((seed, arm) for arm, n in arms.items() for seed in range(n)), key=lambda pair: pair[0])
    models = [name for arm in arms if model_of(arm) for name in adapters_of(model_of(arm))]
    return [*dict.fromkeys(["initial", "userlm", *models]), *(assistant_name(arm, seed) for seed, arm in pairs)]
