"""How does vLLM keep tokens from being drawn, always or first in a turn?

vLLM loads this class by its name, in whichever of its processes draws tokens: `--logits-processors
repro.models.bans:Bans`. A request says what is banned in its extra arguments.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

PROCESSOR = f"{__name__}:Bans"


def arguments(banned: tuple[int, ...], banned_first: tuple[int, ...]) -> dict[str, list[int]]:
    """The extra arguments of a request."""
    return {"banned": list(banned), "banned_first": list(banned_first)}


def __getattr__(name: str) -> Any:
    if name == "Bans":
        return _made()
    raise AttributeError(name)


@cache
def _made() -> Any:
    from vllm.v1.sample.logits_processor import AdapterLogitsProcessor

    class Bans(AdapterLogitsProcessor):  # type: ignore[misc]
        """Puts banned tokens out of reach."""

        @classmethod
        def validate_params(cls, params: Any) -> None:
            """Whatever a request may hold, it was put there by `arguments`."""

        def is_argmax_invariant(self) -> bool:
            return False

        def new_req_logits_processor(self, params: Any) -> Any:
            said = params.extra_args or {}
            always, first = said.get("banned", []), said.get("banned_first", [])
            if not always and not first:
                return None

            def without(drawn: list[int], logits: Tensor) -> Tensor:
                logits[always if drawn else [*always, *first]] = float("-inf")
                return logits

            return without

    return Bans
