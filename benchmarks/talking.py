"""In which ways can two language models talk to each other?

With this package; through transformers' own `generate`, called once a turn; in vLLM, here or at a server. The
loop, the tasks, the weights and the sampling are the same: what differs is who draws the tokens.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from side_by_side import SERVER

from repro.models.base import Sampling
from repro.models.decode import Sampled
from repro.models.local import LocalModel
from repro.models.served_tokens import ServedTokens
from repro.models.vllm import VLLMModel
from repro.rollouts.dialogue import rollout
from repro.simulators.userlm import UserLM
from repro.types import Role, Task, Trajectory

SAMPLING = Sampling(temperature=1.0, max_tokens=80)  # as assistants are trained
MAX_TURNS = 2  # of the assistant


def models() -> tuple[LocalModel, LocalModel]:
    """The fine-tuned user and the initial assistant."""
    user, assistant = (LocalModel.from_pretrained(adapters=[f"checkpoints/{name}"]) for name in ("userlm", "initial"))
    return user, assistant


class Plain(LocalModel):
    """The same weights, asked through `transformers`: no cache between turns, attention as torch has it."""

    def _draw(
        self, ids: Sequence[list[int]], sampling: Sampling, seeds: Sequence[int], role: Role, on_token: object = None
    ) -> list[Sampled]:
        ends = sorted({self.format.end_of_turn, self.format.end_of_conversation})
        banned = [] if role == "user" and sampling.may_end else [self.format.end_of_conversation]
        first = [self.format.encode(text)[0] for text in sampling.suppress_first] + [self.format.end_of_turn]
        width, device = max(map(len, ids)), self.model.device
        padded = [[ends[0]] * (width - len(row)) + row for row in ids]
        real = [[0] * (width - len(row)) + [1] * len(row) for row in ids]
        torch.manual_seed(seeds[0] % 2**63)
        with attending(self.model, "sdpa"):
            drawn = self.model.generate(
                input_ids=torch.tensor(padded, device=device), attention_mask=torch.tensor(real, device=device),
                do_sample=True, temperature=sampling.temperature, top_p=sampling.top_p, top_k=0,
                max_new_tokens=sampling.max_tokens, eos_token_id=ends, suppress_tokens=banned or None,
                begin_suppress_tokens=first, pad_token_id=ends[0],
            )[:, width:].tolist()  # fmt: skip
        return [Sampled(_cut(row, ends), []) for row in drawn]


def _cut(row: list[int], ends: Sequence[int]) -> list[int]:
    """Up to the first end token, that included."""
    last = next((i for i, token in enumerate(row) if token in ends), len(row) - 1)
    return row[: last + 1]


def plain(model: LocalModel) -> Plain:
    return Plain(model.model, model.tokenizer, name=model.name)


@contextmanager
def attending(model: Any, how: str) -> Iterator[None]:
    """While entered, a model attends in another way."""
    before = model.config._attn_implementation
    model.set_attn_implementation(how)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


class Talks:
    """Conversations between two models, held as if neither had read anything before; the tokens that were drawn."""

    def __init__(self, user: Any, assistant: Any, tasks: Sequence[Task], n_together: int) -> None:
        self.user, self.assistant, self.tasks, self.n_together = UserLM(user), assistant, tasks, n_together
        self.held: list[Trajectory] = []

    def __call__(self, turn: int) -> dict[str, float]:
        self.held, tasks = [], self.tasks if turn else self.tasks[:2]
        for i in range(0, len(tasks), self.n_together):
            self._forget()
            self.held += rollout(
                tasks[i : i + self.n_together], user=self.user, assistant=self.assistant, max_turns=MAX_TURNS,
                sampling=SAMPLING, seed=turn,
            )  # fmt: skip
        did = {"tokens": self.n_drawn(), "conversations": float(len(self.held))}
        self._forget()  # what was read takes gigabytes
        return did

    def _forget(self) -> None:
        self.user.model.decoder.reset()
        self.assistant.decoder.reset()

    def n_drawn(self) -> float:
        """Tokens of all turns of the conversations held last, end marks included."""
        return sum(len(turn.token_ids or ()) for dialogue in self.held for turn in dialogue.turns)


class Served(Talks):
    """The same at a vLLM server, which is sent token ids, so that each side is asked as it was trained."""

    def _forget(self) -> None:
        """Nothing: what the server keeps is its own affair."""


class InProcess(Talks):
    """The same in vLLM, in this process."""

    def _forget(self) -> None:
        for model in (self.user.model, self.assistant):
            model.llm.reset_prefix_cache()


def in_process(tasks: Sequence[Task]) -> Talks:
    """Two engines share a GPU with whatever else is on it."""
    user, assistant = (
        VLLMModel.from_pretrained(adapters=[f"checkpoints/{name}"], gpu_memory_utilization=0.2, max_model_len=2048)
        for name in ("userlm", "initial")
    )
    return InProcess(user, assistant, tasks, len(tasks))


def served(tasks: Sequence[Task]) -> dict[str, Talks]:
    spec = os.environ.get(SERVER)
    if not spec:
        return {}
    assistant, _, user = spec.partition(",")
    model = replace(ServedTokens.from_spec(assistant, tokenizer="smollm2"), n_parallel=len(tasks))
    return {"server": Served(replace(model, model=user or model.model), model, tasks, len(tasks))}
