"""What does a user language model learn from?

Conversations turned around (arXiv 2605.09808, 2510.06552): the system turn is the intent, the user's turns are what is
learned, and last comes a user turn that is only the end of the conversation. Everything else has the label -100. The
tokens are those of the tokenizer's own chat template (`ChatFormat`), in training as in use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from repro.data.corpora import Corpus, task_of
from repro.errors import ReproError
from repro.models.chat import ChatFormat
from repro.models.chat import __file__ as chat_module
from repro.models.hashes import digest, sha256
from repro.types import Role, Task, Turn

MAX_LENGTH = 2048  # arXiv 2510.06552
IGNORED = -100  # the label of what is not learned, as in transformers
_BATCH = 100  # dialogues whose tokens are in memory at a time, per process


def system_turn(task: Task) -> Turn:
    """The system turn of a flipped dialogue, in training and in use."""
    wishes = "".join(f"\n{r.label}: {r.value}" for r in task.requirements)
    return Turn("system", task.intent + wishes)


def flipped(task: Task, turns: Sequence[Turn]) -> list[Turn]:
    """A logged dialogue as a training row: the user's turns are to be learned, and where the user leaves.

    A silent leave is a turn that is only the end token, as in the papers' recipe; one with a word ends in it.
    """
    return [system_turn(task), *turns]


def left(turns: Sequence[Turn]) -> list[Turn]:
    """A recorded dialogue with its end: the user falls silent after the last answer, or leaves with their last word."""
    if turns and turns[-1].role == "user":
        return [*turns[:-1], Turn("user", turns[-1].text, ends=True)]
    return [*turns, Turn("user", "", ends=True)]


def labelled(turns: Sequence[Turn], *, role: Role, chat: ChatFormat) -> dict[str, list[int]]:
    """`input_ids`, and `labels` that are -100 everywhere but on what `role` said; both empty if it said nothing."""
    ids, mask = chat.labelled(turns, role)
    return {"input_ids": ids, "labels": [i if m else IGNORED for i, m in zip(ids, mask, strict=True)]}


def flip(corpus: Corpus, *, tokenizer: Any, max_length: int = MAX_LENGTH, num_proc: int = 1) -> Any:
    """The corpus as rows to train on: a `datasets.Dataset` of `id`, `input_ids`, `labels` and `cut`, in order.

    Rows longer than `max_length` lose their end, and `cut` says so; one that has lost every token to learn is left out.
    Every conversation needs an intent (`repro.data.intents`).
    """
    chat = ChatFormat(tokenizer)
    if chat.end_of_conversation < 0:
        raise ReproError("this tokenizer has no token for the end of a conversation; take repro.models.user_tokenizer")
    if n_without := sum(not intent for intent in corpus.column("intent")):
        raise ReproError(f"{n_without} of {len(corpus)} conversations have no intent; see repro.data.intents")
    rows: Any = corpus.rows.map(
        _flipped, batched=True, batch_size=_BATCH, fn_kwargs={"tokenizer": tokenizer, "max_length": max_length},
        remove_columns=corpus.rows.column_names, features=_features(), num_proc=num_proc if num_proc > 1 else None,
        new_fingerprint=_key(corpus, tokenizer, max_length), desc="conversations flipped",
    )  # fmt: skip
    return rows


def _flipped(batch: Mapping[str, Sequence[Any]], *, tokenizer: Any, max_length: int) -> dict[str, list[Any]]:
    chat = _chat(tokenizer, len(tokenizer), tokenizer.chat_template)
    out: dict[str, list[Any]] = {"id": [], "input_ids": [], "labels": [], "cut": []}
    for values in zip(*batch.values(), strict=True):
        task = task_of(dict(zip(batch, values, strict=True)))
        row = labelled(flipped(task, left(task.human or ())), role="user", chat=chat)
        ids, labels = (row[key][:max_length] for key in ("input_ids", "labels"))
        if any(label != IGNORED for label in labels):
            for key, value in zip(out, (task.id, ids, labels, len(ids) < len(row["input_ids"])), strict=True):
                out[key].append(value)
    return out


@lru_cache(maxsize=2)
def _chat(tokenizer: Any, n_tokens: int, template: str) -> ChatFormat:
    """Made once a process, not once a batch; anew where the tokenizer was changed."""
    return ChatFormat(tokenizer)


def _key(corpus: Corpus, tokenizer: Any, max_length: int) -> str:
    """What the rows depend on, for the cache of `datasets`: its own way to hash a tokenizer sees its state as well."""
    vocabulary = sorted(tokenizer.get_vocab().items())
    code = [sha256(Path(__file__)), sha256(Path(chat_module))]
    return digest([corpus.rows._fingerprint, vocabulary, tokenizer.chat_template, max_length, code])[:16]


def _features() -> Any:
    from datasets import Features, List, Value

    ids = List(Value("int32"))
    return Features({"id": Value("string"), "input_ids": ids, "labels": ids, "cut": Value("bool")})
