"""How does a reference user put and type a thing?

Phrases are in `say.yaml`; here are the small rules of English and of keyboards that they need.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from random import Random
from typing import Any

from repro.data.population import Traits
from repro.data.tasks import INTENT
from repro.types import Task

P_NO_APOSTROPHES = 0.5  # ours: "its" for "it's", each turn of a casual or terse user
P_LOWER_TURN = 0.92  # ours: each turn of a user who types in lower case


@lru_cache(maxsize=1)
def phrases() -> dict[str, Any]:
    """All of `say.yaml`."""
    import yaml

    loaded: dict[str, Any] = yaml.safe_load(resources.files("repro.simulators").joinpath("say.yaml").read_text("utf-8"))
    return loaded


def request_of(task: Task) -> str:
    """What is to be written, as the intent names it: "an invitation to a birthday party"."""
    return task.intent.removeprefix(INTENT.partition("{")[0]).rstrip(".")


def bare(request: str) -> str:
    """A request without its article: "invitation to a birthday party"."""
    return re.sub(r"^(?:an?|the|some)\s+", "", request)


def is_clause(label: str) -> bool:
    """Whether a label reads "where we meet" and not "the meeting point"."""
    return bool(re.match(r"(?:wh|how\b)", label))


def with_article(value: str) -> str:
    """A phrase as a noun phrase: "a burst pipe", "an old lamp"; plurals stay as they are."""
    return value if value.endswith("s") else f"{'an' if value[:1].lower() in 'aeiou' else 'a'} {value}"


def typed(text: str, task: Task, traits: Traits, draw: Random) -> str:
    """The text as this user types it: case, apostrophes, full stops and slips; values are never misspelt."""
    if traits.register in ("casual", "terse") and draw.random() < P_NO_APOSTROPHES:
        text = text.replace("'", "")
    if draw.random() < (P_LOWER_TURN if traits.lower_case else 0.03):
        text = text.lower().rstrip(".")
    else:
        text = re.sub(r"(^|[.?!] )([a-z])", lambda m: m[1] + m[2].upper(), text)
    safe = {word for r in task.requirements for word in re.findall(r"\w+", r.value.lower())}
    safe |= {"exclamation", "words", "word"}  # a rule must stay readable
    return re.sub(
        r"[A-Za-z]{4,}",
        lambda m: m[0] if m[0].lower() in safe or draw.random() >= traits.typos else _slip(m[0], draw),
        text,
    )


def _slip(word: str, draw: Random) -> str:
    """One letter left out, doubled, or swapped with the next."""
    at = draw.randrange(1, len(word) - 1)
    before, here, after, rest = word[:at], word[at], word[at + 1], word[at + 2 :]
    return before + draw.choice([after, here + here + after, after + here]) + rest
