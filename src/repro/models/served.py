"""How do we get text from a model that somebody serves?

Any endpoint that speaks OpenAI's chat completions (vLLM, SGLang, llama.cpp, a company's). Such an endpoint writes the
assistant's turns only, so to play the user the sides are swapped: what the user said becomes the assistant's, and the
other way round. Requests run side by side in threads; the client retries a few times, with growing pauses.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from ..errors import ReproError
from ..types import Role, Turn
from .base import Sampling
from .chat import END_OF_CONVERSATION
from .usage import Meter, Usage

SCHEME = "openai"
OPENING = "Hello! What can I do for you?"  # ours: an endpoint needs a message to answer before the user has spoken
_SWAPPED: dict[Role, Role] = {"user": "assistant", "assistant": "user", "system": "system"}


@dataclass(frozen=True)
class ServedModel:
    """A model behind an endpoint, as a `ChatModel`. The key is read from `OPENAI_API_KEY`; local servers need none.

    `min_p` is sent where it asks for something (not every server knows it); `suppress_first` cannot be asked for.
    """

    base_url: str
    model: str
    n_parallel: int = 16
    timeout: float = 120.0  # seconds a request
    max_retries: int = 4
    schema: Mapping[str, Any] | None = None  # that what is written has to satisfy
    client: Any = field(default=None, compare=False, repr=False)
    meter: Meter = field(default_factory=Meter, compare=False, repr=False)  # of this model, held to a schema or not

    @classmethod
    def from_spec(cls, spec: str) -> ServedModel:
        """`openai:http://127.0.0.1:8000/v1#model`."""
        url, _, model = spec.removeprefix(f"{SCHEME}:").partition("#")
        if not url.startswith(("http://", "https://")) or not model:
            raise ReproError(f"'{spec}' is no endpoint; write {SCHEME}:http://host:8000/v1#model-name")
        return cls(url, model)

    def held_to(self, schema: Mapping[str, Any]) -> ServedModel:
        """The same model, whose text is JSON of this schema; an endpoint that knows no schemas writes as it likes."""
        return replace(self, schema=schema)

    @property
    def name(self) -> str:
        return self.model.rsplit("/", 1)[-1]

    @property
    def identity(self) -> str:
        """What tells its answers from those of any other model, as a name for people does not."""
        return f"{self.base_url}#{self.model}"

    def generate(
        self, contexts: Sequence[Sequence[Turn]], *, sampling: Sampling, seeds: Sequence[int], role: Role = "assistant",
        prefixes: Sequence[str] | None = None,
    ) -> list[Turn]:  # fmt: skip
        """One turn per context, same order. Words cannot be put into an endpoint's mouth: `prefixes` are an error."""
        if any(prefixes or ()):
            raise ReproError(f"the endpoint {self.base_url} cannot continue words of ours; use roleplay_raw with it")
        client = self.client or self._connect()
        with ThreadPoolExecutor(max(1, min(self.n_parallel, len(contexts)))) as pool:
            jobs = [
                pool.submit(self._ask, client, context, sampling, seed, role)
                for context, seed in zip(contexts, seeds, strict=True)
            ]
            return [job.result() for job in jobs]

    def logps(self, contexts: Sequence[Sequence[Turn]], turns: Sequence[Turn]) -> list[list[float]]:
        """Chat completions do not score given text."""
        raise ReproError(f"the endpoint {self.base_url} gives no log-probabilities of given text; load the weights")

    def _connect(self) -> Any:
        from openai import OpenAI

        key = os.environ.get("OPENAI_API_KEY") or "none"
        return OpenAI(base_url=self.base_url, api_key=key, timeout=self.timeout, max_retries=self.max_retries)

    def _ask(self, client: Any, context: Sequence[Turn], sampling: Sampling, seed: int, role: Role) -> Turn:
        import openai

        extra: dict[str, Any] = {"min_p": sampling.min_p} if sampling.min_p else {}
        if self.schema:
            named = {"name": "answer", "schema": self.schema, "strict": True}
            extra["response_format"] = {"type": "json_schema", "json_schema": named}
        try:
            answer = client.chat.completions.create(
                model=self.model, messages=messages(context, role), temperature=sampling.temperature,
                top_p=sampling.top_p, max_tokens=sampling.max_tokens, seed=seed % 2**31, extra_body=extra,
            )  # fmt: skip
        except openai.BadRequestError:
            if self.schema:
                return replace(self, schema=None)._ask(client, context, sampling, seed, role)
            raise  # this dialogue's fault: too long, say
        except openai.OpenAIError as error:
            self._give_up(error)
        self.meter.add(_usage(answer))
        return _turn(answer.choices[0], role)

    def _give_up(self, error: Exception) -> NoReturn:
        """An endpoint that is down, or refuses, would fail every dialogue: that is for a person to mend."""
        said = " ".join(str(error).split())[:200]
        raise ReproError(
            f"no answer from {self.base_url} for the model {self.model!r} ({said}); start it, or mend the spec"
        ) from error


def messages(context: Sequence[Turn], role: Role) -> list[dict[str, str]]:
    """`context` as the endpoint has to see it, so that what it writes is the next turn of `role`."""
    swap = role == "user"
    turns = [*context[:1], Turn("assistant", OPENING), *context[1:]] if swap and len(context) == 1 else list(context)
    return [{"role": _SWAPPED[t.role] if swap else t.role, "content": t.text} for t in turns]


def _usage(answer: Any) -> Usage:
    """What the endpoint says that it read and wrote; one that does not say is counted as a call."""
    said = getattr(answer, "usage", None)
    return Usage(1, int(getattr(said, "prompt_tokens", 0) or 0), int(getattr(said, "completion_tokens", 0) or 0))


def _turn(choice: Any, role: Role) -> Turn:
    said = choice.message.content or ""
    text, end, _ = said.partition(END_OF_CONVERSATION)
    flags = ("truncated",) if choice.finish_reason == "length" else ()
    return Turn(role, text.strip(), ends=bool(end) and role == "user", flags=flags)
