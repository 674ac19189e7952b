"""What did the user come for, and what is hidden from the assistant?

A task is a document type, one phrasing of the request, and 3-6 hidden requirements. Types are split into train and
eval (`doc_types.yaml`), and so are values (`values.split_of`): no name, date or phrase of an eval task is seen in
training. Rules of style (a word limit, a greeting) come from small lists and are shared. Values are drawn to be
sensible together: an end after its start, a deadline before the date, no value that meets another requirement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

import numpy as np

from repro.data.requirements import meets
from repro.data.values import Slot, as_date, as_minutes, draw, load, slots
from repro.errors import ReproError
from repro.seeds import rng
from repro.types import Requirement, Task

Split = Literal["train", "eval"]
INTENT = "You are a user chatting with an assistant language model to get help writing {request}."
SIZES = {3: 0.40, 4: 0.35, 5: 0.20, 6: 0.05}  # requirements a task. ours: documents of 40-60 words hold no more
P_RULE = 0.35  # share of tasks with a rule of style, at most one each. ours
RULES = ("max_words", "no_exclamation", "greeting", "sign_off", "avoid_word")
LETTER_RULES = ("greeting", "sign_off")  # only where the text is addressed to someone
WORDY = ("name", "place", "phrase")  # two such values of a task share no word
N_TRAIN_USERS = 200  # ours: five tasks a user at n=1000, enough to show a user's habits in the logs


@dataclass(frozen=True)
class DocType:
    """A kind of text. `requests` are names for it; `slots` are what can be wanted of it."""

    name: str
    domain: str
    split: Split
    requests: tuple[str, ...]
    slots: tuple[str, ...]
    letter: bool = False  # it can open with a greeting and close with a sign-off
    own: Mapping[str, Slot] = field(default_factory=dict)  # slots with a label or range of their own

    def slot(self, key: str) -> Slot:
        return self.own.get(key) or slots()[key]


@cache
def doc_types() -> Mapping[str, DocType]:
    """Every document type by name."""
    return {name: _doc_type(name, **entry) for name, entry in load("doc_types.yaml").items()}


def make_tasks(n: int, *, split: Split, seed: int, n_users: int | None = None) -> list[Task]:
    """`n` tasks, types in balance; task i does not depend on n. By default 200 users share those of train."""
    types = [kind for kind in doc_types().values() if kind.split == split]
    if not types:
        raise ReproError(f"no split {split!r} of tasks; have train and eval")
    if n < 0 or (n_users is not None and n_users < 1):
        raise ReproError(f"asked for n={n} tasks and n_users={n_users}; n must be 0 or more and n_users 1 or more")
    users = n_users or (N_TRAIN_USERS if split == "train" else max(n, 1))
    return [_make_task(i, types, split=split, seed=seed, user_id=f"{split}-{i % users:04d}") for i in range(n)]


def near_duplicates(train: Sequence[Task], other: Sequence[Task], *, threshold: float = 0.8) -> list[tuple[str, str]]:
    """Pairs of ids whose word sets (request and values) have a Jaccard overlap of `threshold` or more."""
    left, right = ([(task.id, _words(task)) for task in tasks] for tasks in (train, other))
    return [(one, two) for one, a in left for two, b in right if len(a & b) >= threshold * len(a | b)]


def _doc_type(name: str, *, slots: Sequence[str | Mapping[str, Any]], requests: Sequence[str], **rest: Any) -> DocType:
    entries = [{entry: None} if isinstance(entry, str) else dict(entry) for entry in slots]
    keys = tuple(str(next(iter(entry))) for entry in entries)
    own = {key: _own_slot(key, **entry) for key, entry in zip(keys, entries, strict=True) if entry[key] is not None}
    return DocType(name, requests=tuple(requests), slots=keys, own=own, **rest)


def _own_slot(key: str, **entry: Any) -> Slot:
    """`{price: the reward, range: [5, 60]}` is the slot `price` with a label and a range of its own."""
    fields: dict[str, Any] = {name: tuple(value) for name, value in entry.items() if name != key}
    return replace(slots()[key], label=entry[key], **fields)


def _make_task(i: int, types: Sequence[DocType], *, split: Split, seed: int, user_id: str) -> Task:
    block, place = divmod(i, len(types))
    kind = types[int(rng(seed, split, "types", block).permutation(len(types))[place])]
    dice = rng(seed, split, "task", i)
    request = kind.requests[int(dice.integers(len(kind.requests)))]
    return Task(
        id=f"{kind.name}/{split}/{i:05d}",
        user_id=user_id,
        intent=INTENT.format(request=request),
        requirements=_fill(kind, _keys(kind, dice), request, split, dice),
        domain=kind.domain,
        doc_type=kind.name,
    )


def _keys(kind: DocType, dice: np.random.Generator) -> list[str]:
    """Which slots this user cares about, in the type's order, the rule last."""
    size = int(dice.choice(list(SIZES), p=list(SIZES.values())))
    has_rule = bool(dice.random() < P_RULE)
    chosen = set(dice.permutation(len(kind.slots))[: min(size - has_rule, len(kind.slots))])
    keys = [key for i, key in enumerate(kind.slots) if i in chosen]
    addressed = kind.letter and "recipient" not in keys  # "Hi all" does not suit a letter to one person
    rules = [rule for rule in RULES if addressed or rule != "greeting"]
    rules = [rule for rule in rules if kind.letter or rule not in LETTER_RULES]
    return keys + [rules[int(dice.integers(len(rules)))]] * has_rule


def _fill(
    kind: DocType, keys: Sequence[str], request: str, split: Split, dice: np.random.Generator
) -> tuple[Requirement, ...]:
    """Values for `keys`, drawn again until they are sensible together."""
    while True:
        wanted = tuple(Requirement(s.key, s.kind, draw(s, split, dice), s.label) for s in map(kind.slot, keys))
        if _sensible(wanted, request):
            return wanted


def _sensible(wanted: Sequence[Requirement], request: str) -> bool:
    values = {want.key: want.value for want in wanted}
    return _in_sequence(values) and not _overlap(wanted, request)


def _in_sequence(values: Mapping[str, str]) -> bool:
    """The deadline 2-45 days before the date, the end half an hour to six hours after the start."""
    days, minutes = 2, 30
    if {"date", "deadline"} <= values.keys():
        days = (as_date(values["date"]) - as_date(values["deadline"])).days
    if {"time", "end_time"} <= values.keys():
        minutes = as_minutes(values["end_time"]) - as_minutes(values["time"])
    return 2 <= days <= 45 and 30 <= minutes <= 360


def _overlap(wanted: Sequence[Requirement], request: str) -> bool:
    """Do two values share a word, or would one of them, or the request, meet or break another requirement?"""
    words = [word for want in wanted if want.kind in WORDY for word in _tokens(want.value)]
    if len(words) != len(set(words)):
        return True
    others = [(want, other.value) for want in wanted for other in wanted if want is not other]
    return any(_clash(want, text) for want, text in [*others, *((want, request) for want in wanted)])


def _clash(want: Requirement, text: str) -> bool:
    """Would writing `text` meet `want` by accident, or break it?"""
    if want.kind == "avoid_word":
        return not meets(want, text)
    return want.key not in RULES and meets(want, text)


def _tokens(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9:$']+", text.lower())) - {"a", "an", "the", "of", "am", "pm", "to", "for", "and"}


def _words(task: Task) -> set[str]:
    request = task.intent.removeprefix(INTENT.partition("{")[0])
    return _tokens(" ".join([request, *(want.value for want in task.requirements)]))
