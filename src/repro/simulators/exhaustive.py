"""What would a user say who states everything at once?

A scripted stand-in for a strong language model's role-play, labelled as scripted: it puts every requirement into one
tidy message, restates them when asked, says what a draft lacks (twice at most) and ends when nothing is missing. It has
no traits: all such users talk alike. The papers' point is about such users.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random

from repro.data import acts
from repro.data.requirements import meets
from repro.seeds import derive
from repro.simulators.wording import is_clause, request_of, with_article
from repro.types import Requirement, Task, Turn, last_text

MAX_COMPLAINTS = 2  # ours
_OPENINGS = (
    "Hello, could you please write {request}?",
    "Hi! Please help me write {request}.",
    "I would like you to write {request}.",
)
_ASKED = ("To answer your question: {facts}", "Certainly. {facts}", "Of course, here are the details. {facts}")
_MISSING = ("Thank you, but this is still missing or wrong: {facts}", "Almost there. Please mend this: {facts}")
_THANKS = ("Thank you, that is perfect.", "Perfect, thank you very much.")
_RULE = {
    "max_words": "Please use at most {v} words.",
    "no_exclamation": "Please use no exclamation marks.",
    "greeting": "Please begin with {v}.",
    "sign_off": "Please sign off with {v}.",
    "avoid_word": "Please do not use the word {v}.",
}


class Exhaustive:
    """Scripted users who say everything in turn 1."""

    name = "exhaustive"

    def reply(self, tasks: Sequence[Task], dialogues: Sequence[Sequence[Turn]], *, seed: int) -> list[Turn]:
        """The next user turn of each dialogue."""
        return [
            _reply(task, dialogue, Random(derive(seed, task.id, len(dialogue))))
            for task, dialogue in zip(tasks, dialogues, strict=True)
        ]


def _reply(task: Task, dialogue: Sequence[Turn], draw: Random) -> Turn:
    if not any(turn.role == "user" for turn in dialogue):
        return Turn("user", f"{draw.choice(_OPENINGS).format(request=request_of(task))} {_facts(task.requirements)}")
    heard = last_text(dialogue, "assistant")
    draft = acts.draft_of(heard)
    if not draft:
        return Turn("user", draw.choice(_ASKED).format(facts=_facts(_wanted(task, heard))))
    lacking = [r for r in task.requirements if not meets(r, draft)]
    if not lacking or _n_complaints(dialogue) >= MAX_COMPLAINTS:
        return Turn("user", "" if lacking else draw.choice(_THANKS), ends=True)
    return Turn("user", draw.choice(_MISSING).format(facts=_facts(lacking)))


def _wanted(task: Task, heard: str) -> Sequence[Requirement]:
    """What a question is about; everything, if it is about nothing in particular."""
    asked = acts.asked_keys(heard, task)
    return [r for r in task.requirements if r.key in asked] or task.requirements


def _n_complaints(dialogue: Sequence[Turn]) -> int:
    """How many user turns so far came after a draft."""
    pairs = pairwise(dialogue)
    return sum(
        before.role == "assistant" and after.role == "user" and bool(acts.draft_of(before.text))
        for before, after in pairs
    )


def _facts(requirements: Sequence[Requirement]) -> str:
    return " ".join(_RULE.get(r.kind, "").format(v=r.value) or _sentence(r) for r in requirements)


def _sentence(r: Requirement) -> str:
    value = with_article(r.value) if r.key in ("item", "reason", "feature") else r.value
    text = f"{value} is {r.label}." if is_clause(r.label) else f"{r.label} is {value}."
    return text[:1].upper() + text[1:]
