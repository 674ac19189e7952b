"""How do we get text from a model that somebody serves?

Any endpoint that speaks OpenAI's chat completions (vLLM, SGLang, llama.cpp, a company's); `endpoint` says how it is
asked, `completions` what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import ReproError
from ..types import Role, Turn
from .base import OnText, Sampling
from .completions import chat_body, streamed, turn_of, whole
from .endpoint import BAD, Body, Endpoint, Unreadable
from .pieces import Pieces

SCHEME = "openai"


@dataclass(frozen=True)
class ServedModel(Endpoint):
    """A model behind an endpoint, as a `ChatModel`; `suppress_first` cannot be asked for."""

    schema: Mapping[str, Any] | None = None  # that what is written has to satisfy

    @classmethod
    def from_spec(cls, spec: str) -> ServedModel:
        """`openai:http://127.0.0.1:8000/v1#model`."""
        return cls(*address_of(spec, SCHEME))

    def held_to(self, schema: Mapping[str, Any]) -> ServedModel:
        """The same model, whose text is JSON of this schema; an endpoint that knows no schemas writes as it likes."""
        return replace(self, schema=schema)

    def generate(
        self, contexts: Sequence[Sequence[Turn]], *, sampling: Sampling, seeds: Sequence[int], role: Role = "assistant",
        prefixes: Sequence[str] | None = None,
    ) -> list[Turn]:  # fmt: skip
        """One turn per context, same order. Words cannot be put into an endpoint's mouth: `prefixes` are an error."""
        if any(prefixes or ()):
            raise ReproError(f"the endpoint {self.base_url} cannot continue words of ours; use roleplay_raw with it")
        return self._turns(contexts, sampling, seeds, role, None)

    def stream(
        self, contexts: Sequence[Sequence[Turn]], *, sampling: Sampling, seeds: Sequence[int], on_text: OnText
    ) -> list[Turn]:
        """What `generate` makes of the same arguments, heard while it is written, from another thread.

        If an answer breaks off and is written again in other words, after some were told, it fails.
        """
        pieces = Pieces(len(contexts), on_text)
        turns = self._turns(contexts, sampling, seeds, "assistant", pieces)
        pieces.close([turn.text for turn in turns])
        return turns

    def logps(self, contexts: Sequence[Sequence[Turn]], turns: Sequence[Turn]) -> list[list[float]]:
        """Chat completions do not score given text."""
        raise ReproError(f"the endpoint {self.base_url} gives no log-probabilities of given text; load the weights")

    def _turns(
        self, contexts: Sequence[Sequence[Turn]], sampling: Sampling, seeds: Sequence[int], role: Role,
        pieces: Pieces | None,
    ) -> list[Turn]:  # fmt: skip
        bodies = [
            chat_body(self.model, context, role, sampling, seed, self.schema)
            for context, seed in zip(contexts, seeds, strict=True)
        ]

        async def ask(client: Any, i: int, body: Body) -> Turn:
            hear = (lambda text: pieces.so_far(i, text)) if pieces else None
            said, reason = await self._said(client, body, hear)
            turn = turn_of(said, reason, role)
            if pieces and not turn.text.startswith(pieces.said[i]):
                raise Unreadable("an answer broke off and was other words when it was asked for again")
            return turn

        return self.answers(bodies, ask)

    async def _said(self, client: Any, body: Body, hear: Callable[[str], None] | None) -> tuple[str, str | None]:
        import openai

        try:
            text, reason, used = await (streamed(client, body, hear) if hear else whole(client, body))
        except openai.APIStatusError as error:
            if error.status_code not in BAD or "response_format" not in body["extra_body"]:
                raise
            free = {k: v for k, v in body["extra_body"].items() if k != "response_format"}
            return await self._said(client, {**body, "extra_body": free}, hear)
        self.meter.add(used)
        return text, reason


def address_of(spec: str, scheme: str) -> tuple[str, str]:
    """URL and model of `scheme:http://host:8000/v1#model`."""
    url, _, model = spec.removeprefix(f"{scheme}:").partition("#")
    if not url.startswith(("http://", "https://")) or not model:
        raise ReproError(f"'{spec}' is no endpoint; write {scheme}:http://host:8000/v1#model-name")
    return url, model
