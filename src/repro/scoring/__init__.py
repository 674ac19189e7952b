"""What is a trajectory worth?"""

from .base import Scorer
from .rules import RequirementsMet, Reward, document_of

__all__ = ["RequirementsMet", "Reward", "Scorer", "document_of"]
