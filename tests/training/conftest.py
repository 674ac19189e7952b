"""What do the tests of training share?"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from repro.training import assistant


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the loss of an assistant is given from now on, micro-batch by micro-batch."""
    inputs: list[dict[str, Any]] = []

    class Spy(assistant.conversation_trainer()):
        def _compute_loss(self, model: Any, batch: dict[str, Any]) -> Any:
            inputs.append({name: value.clone() for name, value in batch.items() if torch.is_tensor(value)})
            return super()._compute_loss(model, batch)

    monkeypatch.setattr(assistant, "conversation_trainer", lambda: Spy)
    return inputs
