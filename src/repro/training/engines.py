"""Who speaks for an assistant while it learns: transformers, or vLLM through TRL?

With `transformers`, a copy of the weights in this process; it runs anywhere. With `vllm`, TRL's vLLM beside the trainer
on the same GPU ("colocate"), with `vllm_server` TRL's vLLM on another one. vLLM computes probabilities a little
differently, so TRL weighs each token by the ratio of the two, from the log-probabilities given here. A ratio of whole
dialogues, TRL's default, is a product over thousands of tokens, and leaves most dialogues far from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from os import environ
from typing import Any, Literal

from ..errors import ReproError
from ..models.base import Sampling
from ..models.chat import ChatFormat
from ..models.turns import prompts, rules, turn_of
from ..types import Role, Turn

Engine = Literal["transformers", "vllm", "vllm_server"]


@dataclass(frozen=True)
class PolicyInVLLM:
    """The policy as TRL's vLLM speaks for it, as a `ChatModel`; the trainer brings its weights up to date.

    How it samples was settled by `trl_settings`. Seeds change nothing: TRL hands none on.
    """

    generation: Any  # trl.generation.vllm_generation.VLLMGeneration
    format: ChatFormat
    name: str = "policy"

    def generate(
        self, contexts: Sequence[Sequence[Turn]], *, sampling: Sampling, seeds: Sequence[int], role: Role = "assistant",
        prefixes: Sequence[str] | None = None,
    ) -> list[Turn]:  # fmt: skip
        """One turn per context, in order; a log-probability that vLLM could not give is NaN."""
        ids, begun = prompts(self.format, contexts, role, prefixes)
        _, drawn, logps, _ = self.generation.generate(prompts=ids, images=None, num_generations=1)
        sampled = [[float("nan") if at[0] is None else float(at[0]) for at in row] for row in logps]
        return [
            turn_of(self.format, role, prefix, list(tokens), row)
            for prefix, tokens, row in zip(begun, drawn, sampled, strict=True)
        ]

    def logps(self, contexts: Sequence[Sequence[Turn]], turns: Sequence[Turn]) -> list[list[float]]:
        """TRL asks vLLM for what it draws only."""
        raise ReproError("a policy in vLLM gives no log-probabilities of given text while it learns; load its adapter")


def trl_settings(
    engine: Engine, chat: ChatFormat, sampling: Sampling, gpu_share: float, max_length: int | None
) -> dict[str, Any]:
    """What GRPOConfig has to be told. `gpu_share` is of the memory of the GPU that trains.

    vLLM does not start unless its cache holds a dialogue of `max_length` tokens; None is all that the model can read.
    A server is told by whoever starts it.
    """
    if engine == "transformers":
        return {}
    return {
        "use_vllm": True, "vllm_mode": "server" if engine == "vllm_server" else "colocate",
        "vllm_gpu_memory_utilization": gpu_share, "vllm_max_model_length": max_length,
        "vllm_importance_sampling_correction": True, "vllm_importance_sampling_mode": "token_truncate",
        "vllm_importance_sampling_clip_max": 3.0,  # TRL's default, said aloud; a larger ratio counts as this one
        "generation_kwargs": generation_kwargs(chat, sampling),
    }  # fmt: skip


def longest_read(asked: int | None, model: Any) -> int | None:
    """The longest dialogue that is asked for; not longer than `model` can read, which vLLM refuses."""
    return None if asked is None else min(asked, model.config.max_position_embeddings)


def generation_kwargs(chat: ChatFormat, sampling: Sampling) -> dict[str, Any]:
    """What an assistant may draw, in vLLM's own words: `models.bans` is not at hand in TRL's vLLM.

    The two agree for an assistant: it may never end the conversation, and not end its turn before it began.
    """
    rule = rules(chat, sampling, "assistant")
    return {
        "max_tokens": sampling.max_tokens, "stop_token_ids": sorted(rule.stop), "ignore_eos": True, "min_tokens": 1,
        "logit_bias": dict.fromkeys(rule.banned, -100.0),
    }  # fmt: skip


def sampled_logps(mask: Sequence[int], turns: Sequence[Turn]) -> list[float]:
    """The log-probability with which each token was sampled, 0 where `mask` is; NaN for what nobody sampled now.

    The turns are the last that the mask covers: what an assistant said before the dialogue began comes first.
    """
    known = [logp for turn in turns for logp in turn.logps or ()]
    values = iter([float("nan")] * (sum(mask) - len(known)) + known)
    return [next(values) if on else 0.0 for on in mask]


def check_engine(engine: Engine) -> None:
    """Raise where vLLM is asked for and cannot be had."""
    import torch

    if engine == "transformers":
        return
    lacking = [*([] if find_spec("vllm") else ["vllm"]), *([] if torch.cuda.is_available() else ["a GPU"])]
    if lacking:
        raise ReproError(
            f"train.engine is {engine}, and this machine lacks {' and '.join(lacking)}; "
            "see docs/scale.md, or set train.engine to transformers"
        )
    if engine == "vllm_server" and int(environ.get("WORLD_SIZE", "1")) > 1:
        raise ReproError(
            "train.engine is vllm_server, which serves one training process (dialogues of several end at different "
            "turns, and TRL's server waits for all of them); use one process, or train.engine=vllm"
        )
