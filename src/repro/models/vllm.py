"""How do we get text and log-probabilities from vLLM, in this process?

`vllm.LLM` is given the very token ids that `LocalModel` would read, so the user is played under the user's own header
and a turn that was sampled is read as it was sampled. Prefixes of dialogues are cached between turns. The last adapter
is a LoRA of the request, so that models on one base share an engine; what lies below it is merged into a folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl

from ..errors import ReproError, one_line
from ..types import Role, Turn
from .bans import PROCESSOR, arguments
from .base import Sampling
from .chat import ChatFormat
from .hashes import contents
from .local import brings_tokenizer, load_tokenizer
from .merged import merged_folder
from .turns import Rules, check_length, prompts, rules, turn_of
from .usage import Meter, Usage

SCHEME = "vllm"
_ONE_AT_A_TIME = Lock()  # an engine takes one batch at a time, and models in several threads may share it
_STRICT = {"backend": "xgrammar", "disable_any_whitespace": True}  # or JSON may be mostly line breaks
_FOR_THE_MACHINE = (  # change how fast it answers, not what
    "tensor_parallel_size", "pipeline_parallel_size", "gpu_memory_utilization", "enforce_eager", "max_num_seqs",
)  # fmt: skip
MAX_LORA_RANK = 64  # of all adapters that share an engine; ours: twice that of our largest


@dataclass(frozen=True)
class VLLMModel:
    """A language model in vLLM, as a `ChatModel`. Greedy, it says what `LocalModel` says; drawn, other words."""

    llm: Any
    format: ChatFormat
    name: str
    identity: str
    adapter: Any = None  # vLLM's LoRARequest
    schema: Mapping[str, Any] | None = None
    meter: Meter = field(default_factory=Meter, compare=False, repr=False)

    @classmethod
    def from_pretrained(
        cls, name: str = "smollm2", *, adapters: Sequence[str | Path] = (), dtype: str = "bfloat16", **engine: Any
    ) -> VLLMModel:
        """`name` ("smollm2", a folder or a hub id) with `adapters` in order; `engine` are arguments of `vllm.LLM`.

        Of use are tensor_parallel_size, gpu_memory_utilization, max_model_len and, on a CPU, enforce_eager.
        """
        separate = bool(adapters) and not brings_tokenizer(adapters[-1])
        folder = merged_folder(name, adapters[:-1] if separate else adapters, dtype=dtype)
        llm = _engine(folder, dtype, separate, tuple(sorted(engine.items())))
        identity = identified([name, *adapters], dtype, engine)
        lora = _lora(llm, str(Path(adapters[-1]).resolve())) if separate else None
        called = Path(adapters[-1]).name if adapters else name
        return cls(llm, ChatFormat(load_tokenizer(folder)), called, identity, lora)

    @property
    def n_readable(self) -> int:
        return int(self.llm.llm_engine.model_config.max_model_len)

    def held_to(self, schema: Mapping[str, Any]) -> VLLMModel:
        """The same model, whose text is JSON of this schema."""
        return replace(self, schema=schema)

    def generate(
        self, contexts: Sequence[Sequence[Turn]], *, sampling: Sampling, seeds: Sequence[int], role: Role = "assistant",
        prefixes: Sequence[str] | None = None,
    ) -> list[Turn]:  # fmt: skip
        """One turn per context, in order, with token ids and log-probabilities (nats, temperature 1).

        A dialogue that is too long for the model raises a plain ValueError: it is data, not the caller's mistake.
        """
        ids, begun = prompts(self.format, contexts, role, prefixes)
        check_length(ids, sampling, self.n_readable, self.name)
        rule = rules(self.format, sampling, role)
        done = self._run(ids, [self._params(sampling, rule, seed) for seed in seeds])
        drawn = [one.outputs[0] for one in done]
        self.meter.add(Usage(len(ids), sum(map(len, ids)), sum(len(d.token_ids) for d in drawn)))
        return [turn_of(self.format, role, b, d.token_ids, _logps(d)) for b, d in zip(begun, drawn, strict=True)]

    def logps(self, contexts: Sequence[Sequence[Turn]], turns: Sequence[Turn]) -> list[list[float]]:
        """Log-probability (nats) of every token of each turn given its context, end token included."""
        before = [self.format.ids(c, t.role) for c, t in zip(contexts, turns, strict=True)]
        rows = [a + self.format.closed(turn) for a, turn in zip(before, turns, strict=True)]
        params = _vllm().SamplingParams(max_tokens=1, prompt_logprobs=0, detokenize=False)
        parts = [[row] for row in rows] if self.adapter else [rows]  # with a LoRA, vLLM 0.32 scores only one at a time
        scored = [one for part in parts for one in self._run(part, [params] * len(part))]
        return [
            [float(one.prompt_logprobs[i][row[i]].logprob) for i in range(len(a), len(row))]
            for one, a, row in zip(scored, before, rows, strict=True)
        ]

    def _run(self, ids: Sequence[list[int]], params: Sequence[Any]) -> list[Any]:
        if not ids:
            return []
        asked = [{"prompt_token_ids": row} for row in ids]
        with _ONE_AT_A_TIME:
            done: list[Any] = self.llm.generate(asked, list(params), lora_request=self.adapter, use_tqdm=False)
        return done

    def _params(self, sampling: Sampling, rule: Rules, seed: int) -> Any:
        from_vllm = _vllm()
        held = from_vllm.sampling_params.StructuredOutputsParams(json=self.schema) if self.schema else None
        return from_vllm.SamplingParams(
            temperature=sampling.temperature, top_p=sampling.top_p, min_p=sampling.min_p, seed=seed,
            max_tokens=sampling.max_tokens, stop_token_ids=sorted(rule.stop), ignore_eos=True, detokenize=False,
            logprobs=0, structured_outputs=held, extra_args=arguments(rule.banned, rule.banned_first),
        )  # fmt: skip


def _logps(drawn: Any) -> list[float]:
    """Of the tokens drawn; vLLM gives them before temperature, cuts and bans."""
    return [float(at[token].logprob) for token, at in zip(drawn.token_ids, drawn.logprobs, strict=True)]


def _vllm() -> Any:
    try:
        import vllm
    except ImportError as error:
        raise ReproError(
            "vllm is not installed; in an environment of its own run: pip install -e '.[cuda]' (or see make serve-cpu)"
        ) from error
    return vllm


@cache
def _engine(folder: str, dtype: str, has_adapters: bool, more: tuple[tuple[str, Any], ...]) -> Any:
    """One engine for all models with these weights."""
    from_vllm = _vllm()
    lora = {"enable_lora": True, "max_lora_rank": MAX_LORA_RANK} if has_adapters else {}
    try:
        return from_vllm.LLM(
            model=folder, dtype=dtype, enable_prefix_caching=True, generation_config="vllm",
            logits_processors=[PROCESSOR], structured_outputs_config=_STRICT, **lora, **dict(more),
        )  # fmt: skip
    except Exception as error:  # of its processes, of torch, of the hub
        raise ReproError(
            f"vLLM cannot run {folder!r} ({one_line(error)}); give a checkpoint folder or a hub id, and mind its memory"
        ) from error


@cache
def _lora(llm: Any, adapter: str) -> Any:
    from vllm.lora.request import LoRARequest

    return LoRARequest(adapter, _lora.cache_info().currsize + 1, adapter)


def identified(parts: Sequence[str | Path], dtype: str, engine: Mapping[str, Any]) -> str:
    """What tells this model's answers from those of any other: its parts, and the arguments that change them."""
    more = [f"{key}={engine[key]}" for key in sorted(engine) if key not in _FOR_THE_MACHINE]
    return f"{SCHEME}:{'?'.join([contents(parts), *more])}@{dtype}"


def parsed(spec: str) -> tuple[str, dict[str, Any]]:
    """Folder or hub id, and engine arguments, of `vllm:MODEL?tensor_parallel_size=2&max_model_len=8192`."""
    name, _, query = spec.removeprefix(f"{SCHEME}:").partition("?")
    engine = {key: _value(text) for key, text in parse_qsl(query, keep_blank_values=True)}
    if not name or "" in engine.values():
        raise ReproError(f"'{spec}' is no model for vLLM; write {SCHEME}:FOLDER_OR_HUB_ID?tensor_parallel_size=2")
    return name, engine


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return {"true": True, "false": False}.get(text.lower(), text)
