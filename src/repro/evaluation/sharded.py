"""What does a simulator's way of telling do to an assistant's measured skill? (being written)"""

from repro.evaluation.sandbox import Limits, SandboxResult, limits_for, run_sandboxed

__all__ = ["Limits", "SandboxResult", "limits_for", "run_sandboxed"]
