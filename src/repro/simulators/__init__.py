"""What would the user say next?"""

from .base import UserSimulator
from .exhaustive import Exhaustive
from .reference import ReferenceUsers
from .registry import SIMULATORS, load_simulator
from .replay import Replay
from .roleplay import RolePlay
from .userlm import UserLM

__all__ = [
    "SIMULATORS", "Exhaustive", "ReferenceUsers", "Replay", "RolePlay", "UserLM", "UserSimulator", "load_simulator",
]  # fmt: skip
