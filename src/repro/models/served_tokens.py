"""How do we get text and log-probabilities from a vLLM server, token by token?

Chat completions write assistants' turns only, in text. vLLM's completions take token ids, and give those drawn with
their log-probabilities: so a user language model is asked under the user's own header, as it was trained, and whatever
`VLLMModel` does in process is done here over HTTP. The server has to know which tokens may not be drawn: it is started
with `--logits-processors repro.models.bans:Bans`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import ReproError
from ..types import Role, Turn
from .bans import PROCESSOR, arguments
from .base import Sampling
from .chat import ChatFormat
from .completions import readable, usage_of
from .endpoint import Body, Endpoint
from .local import load_tokenizer
from .served import address_of
from .turns import Rules, prompts, rules, turn_of
from .vllm import SCHEME


@dataclass(frozen=True)
class ServedTokens(Endpoint):
    """A model that vLLM serves, as a `ChatModel`."""

    format: ChatFormat = field(kw_only=True, compare=False, repr=False)
    schema: Mapping[str, Any] | None = None

    @classmethod
    def from_spec(cls, spec: str, *, tokenizer: str) -> ServedTokens:
        """`vllm:http://127.0.0.1:8000/v1#model`, and whose tokenizer it has: "smollm2", a folder, a hub id."""
        return cls(*address_of(spec, SCHEME), format=ChatFormat(load_tokenizer(tokenizer)))

    def held_to(self, schema: Mapping[str, Any]) -> ServedTokens:
        """The same model, whose text is JSON of this schema."""
        return replace(self, schema=schema)

    def generate(
        self, contexts: Sequence[Sequence[Turn]], *, sampling: Sampling, seeds: Sequence[int], role: Role = "assistant",
        prefixes: Sequence[str] | None = None,
    ) -> list[Turn]:  # fmt: skip
        """One turn per context, in order, with token ids and log-probabilities (nats, temperature 1)."""
        ids, begun = prompts(self.format, contexts, role, prefixes)
        rule = rules(self.format, sampling, role)
        bodies = [self._body(row, sampling, rule, seed) for row, seed in zip(ids, seeds, strict=True)]

        async def ask(client: Any, i: int, body: Body) -> Turn:
            async with readable():
                answer = await client.completions.create(**body)
                drawn, logps = answer.choices[0].token_ids, answer.choices[0].logprobs.token_logprobs
                turn = turn_of(self.format, role, begun[i], drawn, logps)
            if drawn[0] in rule.banned_first or {*drawn} & {*rule.banned}:
                raise ReproError(
                    f"{self.base_url} draws tokens that it may not; start it with --logits-processors {PROCESSOR}"
                )
            self.meter.add(usage_of(answer))
            return turn

        return self.answers(bodies, ask)

    def logps(self, contexts: Sequence[Sequence[Turn]], turns: Sequence[Turn]) -> list[list[float]]:
        """Not asked for: a server that is asked for them while it serves adapters can die of it (vLLM 0.32, CPU)."""
        raise ReproError(f"{self.base_url} is not asked for log-probabilities of given text; load the weights")

    def _body(self, ids: list[int], sampling: Sampling, rule: Rules, seed: int) -> dict[str, Any]:
        extra: dict[str, Any] = {
            "min_p": sampling.min_p, "stop_token_ids": sorted(rule.stop), "ignore_eos": True, "return_token_ids": True,
            "vllm_xargs": arguments(rule.banned, rule.banned_first),
        }  # fmt: skip
        if self.schema:
            extra["structured_outputs"] = {"json": self.schema}
        return {
            "model": self.model, "prompt": ids, "temperature": sampling.temperature, "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens, "seed": seed, "logprobs": 0, "extra_body": extra,
        }  # fmt: skip
