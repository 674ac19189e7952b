"""What does a profile take before anything is spent, and what is missing here?"""

from .report import plan_lines
from .stages import Stage, stages

__all__ = ["Stage", "plan_lines", "stages"]
