"""Which tokens stand for a dialogue?

The pieces around the messages (role headers, end-of-turn marks) are read off the tokenizer's own chat template
by rendering a probe dialogue, never written by hand. A turn that this model sampled keeps its token ids, so the
tokens trained on are the tokens sampled; all other text is tokenised once. A context always begins with a
system turn: several templates slip in one of their own when it is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from ..errors import ReproError
from ..types import Role, Turn

END_OF_CONVERSATION = "<|endconversation|>"  # arXiv 2510.06552: a special token of user language models
_PROBES: dict[Role, str] = {"system": "PROBE-S", "user": "PROBE-U", "assistant": "PROBE-A"}


class ChatFormat:
    """The token pieces of one tokenizer's chat template."""

    def __init__(self, tokenizer: Any) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise ReproError(f"no chat template in tokenizer {tokenizer.name_or_path!r}; use an instruct or user model")
        self.tokenizer = tokenizer
        self.glue = cache(self._glue)
        self.end_of_turn: int = self.glue("assistant", "user")[0]
        self.end_of_conversation: int = self._end_of_conversation()

    def ids(self, turns: Sequence[Turn], role: Role) -> list[int]:
        """Token ids of `turns`, closed by the header under which `role` speaks next."""
        out = self._beginning(turns)
        for turn, following in zip(turns, [*(t.role for t in turns[1:]), role], strict=True):
            said, joint = self._said(turn, following, role)
            out += said + joint
        return out

    def labelled(self, turns: Sequence[Turn], role: Role) -> tuple[list[int], list[int]]:
        """Ids of a finished dialogue and a mask of the same length: 1 on what `role` said, end tokens included.

        Turns of `role` that were sampled keep their ids. The dialogue is cut after the last turn of `role`.
        """
        last = max((i for i, turn in enumerate(turns) if turn.role == role), default=-1)
        if last < 0:
            return [], []
        ids = self._beginning(turns)
        mask = [0] * len(ids)
        for i, turn in enumerate(turns[: last + 1]):
            said, joint = self._said(turn, turns[i + 1].role if i < last else None, role)
            ids += said + joint
            mask += [int(turn.role == role)] * len(said) + [0] * len(joint)
        return ids, mask

    def _beginning(self, turns: Sequence[Turn]) -> list[int]:
        if not turns or turns[0].role != "system":
            raise ReproError("a context must begin with a system turn, so that no template adds its own")
        return list(self.glue(None, "system"))

    def _said(self, turn: Turn, following: Role | None, role: Role) -> tuple[list[int], list[int]]:
        """What a turn says, and what stands between it and the next one; nothing does after the last."""
        body = self.closed(turn) if turn.role == role else self.encode(turn.text)
        if following is None:
            return body, []
        joint = list(self.glue(turn.role, following))
        return body, joint[1:] if body and body[-1] == joint[0] else joint

    def encode(self, text: str) -> list[int]:
        """Token ids of what somebody said: marks of the template in it are letters, not marks."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        return ids

    def closed(self, turn: Turn) -> list[int]:
        """The ids of a turn as a model should have sampled it: text, then end of turn or of conversation."""
        if turn.token_ids is not None:
            return list(turn.token_ids)
        leaves = turn.ends and self.end_of_conversation >= 0
        return [*self.encode(turn.text), self.end_of_conversation if leaves else self.end_of_turn]

    def _glue(self, before: Role | None, after: Role) -> tuple[int, ...]:
        """What stands between a message of `before` and one of `after`: end mark, newline, next header."""
        order: list[Role] = ["system"] if after == "system" else ["system", "user", "assistant", "user", "assistant"]
        if before == "system" and after == "assistant":
            order = ["system", "assistant"]
        messages = [{"role": r, "content": f"{_PROBES[r]}{i}"} for i, r in enumerate(order)]
        text: str = self.tokenizer.apply_chat_template(messages, tokenize=False)
        if before is None:
            return self._marks(text[: text.index(_PROBES["system"])])
        start = next((i for i, pair in enumerate(pairwise(order)) if pair == (before, after)), None)
        if start is None:
            raise ReproError(f"user and assistant must speak in turns; got {before}, then {after}")
        left = text.index(f"{_PROBES[before]}{start}") + len(f"{_PROBES[before]}{start}")
        return self._marks(text[left : text.index(f"{_PROBES[after]}{start + 1}")])

    def _marks(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _end_of_conversation(self) -> int:
        """`<|endconversation|>` where the vocabulary has it; else the pretraining end of text.

        The packaged SmolLM2 keeps its vocabulary, so its adapters stay small: `<|endoftext|>` plays the part.
        """
        vocabulary: dict[str, int] = self.tokenizer.get_vocab()
        for token in (END_OF_CONVERSATION, "<|endoftext|>"):
            if token in vocabulary and vocabulary[token] != self.end_of_turn:
                return vocabulary[token]
        return -1
