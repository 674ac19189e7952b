"""How do we get text and log-probabilities?"""

from repro.models.base import ChatModel, Sampling
from repro.models.local import LocalModel
from repro.models.scripted import ScriptedModel

__all__ = ["ChatModel", "LocalModel", "Sampling", "ScriptedModel"]
