"""What is a trajectory worth?"""

from .base import Scorer
from .judge import ChecklistScorer, Judge
from .rules import RequirementsMet, Reward, document_of
from .verifier import ChecklistVerifier

__all__ = ["ChecklistScorer", "ChecklistVerifier", "Judge", "RequirementsMet", "Reward", "Scorer", "document_of"]
