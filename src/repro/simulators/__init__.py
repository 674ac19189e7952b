"""What would the user say next?"""

from .base import UserSimulator
from .exhaustive import Exhaustive
from .guardrails import Guardrails
from .mixture import Mixture
from .origins import made_of
from .reference import ReferenceUsers
from .registry import SIMULATORS
from .replay import Replay
from .roleplay import RolePlay
from .shards import Concat, Full, OneByOne, ShardRolePlay
from .specs import load_simulator
from .userlm import UserLM

__all__ = [
    "SIMULATORS", "Concat", "Exhaustive", "Full", "Guardrails", "Mixture", "OneByOne", "ReferenceUsers", "Replay",
    "RolePlay", "ShardRolePlay", "UserLM", "UserSimulator", "load_simulator", "made_of",
]  # fmt: skip
