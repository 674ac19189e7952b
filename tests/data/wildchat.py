"""What does a small corpus in WildChat's schema look like?

Rows written from patterns: a few users in each of several countries, several languages, toxic flags, openings that
many share, broken turns. `rows()` is a function of nothing, so tests can count on what is in it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

COUNTRIES = {"France": 14, "United States": 20, "Brazil": 8, "Japan": 3, "Malta": 1}  # users
THINGS = ["apple", "bread", "chair", "dream", "engine", "forest", "garden", "harbour", "jacket", "kettle", "ladder"]
ASKS = [  # no seven words in a row are in two of them, or the same for two sets of things
    "write a short letter about the {} that my {} lost by the old {} last week",
    "explain how a {} works to someone who knows the {} or a {}",
    "fix this for me please: the {} were standing behind an {} beside our {}",
    "five names for a shop with {} that sells every {} and one {}",
]
MORE = ["make it shorter", "no, friendlier please", "thx, and one more about a {}", "why?"]
FLYER = "as a prompt generator for a generative AI called midjourney you will create image prompts of a {}"


def conversation(said: list[tuple[str, str]], *, toxic: bool, country: str, user: str) -> list[dict[str, Any]]:
    return [
        {
            "content": text, "role": role, "language": "English", "toxic": toxic, "country": country, "hashed_ip": user,
            "header": {"user-agent": "Browser 1.0", "accept-language": "en"}, "state": None, "redacted": False,
            "turn_identifier": i, "timestamp": None,
        }
        for i, (role, text) in enumerate(said)
    ]  # fmt: skip


def row(
    i: int, said: list[tuple[str, str]], *, user: str, country: str, language: str = "English", toxic: bool = False
):
    """Every column of WildChat-1M that we know of, so that what must not be kept is there to be dropped."""
    return {
        "conversation_hash": f"{i:032x}", "model": "gpt-4", "timestamp": "2023-05-01T00:00:00",
        "conversation": conversation(said, toxic=toxic, country=country, user=user), "turn": (len(said) + 1) // 2,
        "language": language, "openai_moderation": [], "toxic": toxic, "redacted": False, "state": "somewhere",
        "country": country, "hashed_ip": user, "header": {"user-agent": "Browser 1.0", "accept-language": "en"},
    }  # fmt: skip


def dialogue(i: int) -> list[tuple[str, str]]:
    """One to three exchanges, different for each i."""
    words = [THINGS[(i * k + k) % len(THINGS)] for k in (1, 3, 5)]
    said = [("user", f"{ASKS[i % len(ASKS)].format(*words)} ({i})"), ("assistant", f"Here is what you asked for: {i}.")]
    for k in range(i % 3):
        said += [("user", MORE[(i + k) % len(MORE)].format(words[0])), ("assistant", f"Changed, take {k}.")]
    return said


def usable(n: int) -> list[dict[str, Any]]:
    """`n` conversations in English, users of all countries in turn."""
    users = [(f"{country[:2].lower()}{k:02d}f00d", country) for country, many in COUNTRIES.items() for k in range(many)]
    return [row(i, dialogue(i), user=users[i % len(users)][0], country=users[i % len(users)][1]) for i in range(n)]


def rows() -> list[dict[str, Any]]:
    """150 usable, 12 that open alike, 14 in French, 6 toxic, 18 broken: 200."""
    flyers = [[("user", FLYER.format(THINGS[i % len(THINGS)])), ("assistant", "A picture.")] for i in range(12)]
    french = [("user", "bonjour, écris une lettre"), ("assistant", "Voici une lettre.")]
    broken = [
        [("assistant", "Hello!"), ("user", "hi"), ("assistant", "How are you?")],
        [("user", "are you there"), ("user", "hello?"), ("assistant", "Yes.")],
        [("user", "  "), ("assistant", "You sent nothing.")],
        [("user", "what is a ladder"), ("assistant", "")],
        [("user", "nobody answers me")],
        [],
    ]
    at = {"user": "fr00f00d", "country": "France"}
    return [
        *usable(150),
        *(row(1000 + i, said, **at) for i, said in enumerate(flyers)),
        *(row(2000 + i, french, language="French", **at) for i in range(14)),
        *(row(3000 + i, dialogue(i), toxic=True, **at) for i in range(6)),
        *(row(4000 + i, broken[i % len(broken)], **at) for i in range(18)),
    ]


def write(path: Path, what: list[dict[str, Any]]) -> Path:
    """JSONL, or parquet by the name's end."""
    if path.suffix == ".parquet":
        from datasets import Dataset

        Dataset.from_list(what).to_parquet(str(path))
    else:
        path.write_text("".join(json.dumps(one) + "\n" for one in what), "utf-8")
    return path
