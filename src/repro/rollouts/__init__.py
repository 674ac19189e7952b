"""What happens when user and assistant talk?"""

from .dialogue import rollout, system_prompt
from .store import TrajectoryStore

__all__ = ["TrajectoryStore", "rollout", "system_prompt"]
