"""Is this user simulator any good? Train an assistant against it, and ask the users that were held out.

The window of the package: what is named here is imported on first use, so that `import repro` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from repro.errors import ReproError
    from repro.reporting.run import Run
    from repro.rollouts.dialogue import rollout
    from repro.simulators.specs import load_simulator
    from repro.types import Estimate, Requirement, Score, Task, Trajectory, Turn

__version__ = "0.1.0"
__all__ = [
    "Estimate",
    "ReproError",
    "Requirement",
    "Run",
    "Score",
    "Task",
    "Trajectory",
    "Turn",
    "load_simulator",
    "rollout",
]

_HOMES = {
    "ReproError": "repro.errors",
    "Run": "repro.reporting.run",
    "load_simulator": "repro.simulators.specs",
    "rollout": "repro.rollouts.dialogue",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'repro' has no attribute '{name}'; have {', '.join(__all__)}")
    return getattr(import_module(_HOMES.get(name, "repro.types")), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
