"""How do we get text and log-probabilities?"""

from repro.models.base import ChatModel, Sampling
from repro.models.load import load_model
from repro.models.local import LocalModel
from repro.models.scripted import ScriptedModel
from repro.models.served import ServedModel
from repro.models.vocabulary import user_tokenizer

__all__ = ["ChatModel", "LocalModel", "Sampling", "ScriptedModel", "ServedModel", "load_model", "user_tokenizer"]
