"""How many tokens can a dialogue of a profile have, and what became of those that were too long?"""

from __future__ import annotations

from ..config import Config

ROOM = 512  # ours: for a system turn (role-play's has up to 141 tokens) and a template's marks (about 11 for two turns)


def dialogue_tokens(config: Config) -> int:
    """Of what both sides say, at most."""
    return config.max_turns * (config.user_max_tokens + config.assistant_max_tokens)


def row_tokens(config: Config) -> int:
    """Of all that a model reads of a dialogue, at most."""
    return dialogue_tokens(config) + ROOM


def kept(n_rows: int, *, n_cut: int, n_lost: int) -> str:
    """What is left of rows of which none may be longer than a limit."""
    return f"{n_rows:,} rows ({n_cut:,} cut), {n_lost:,} left out with nothing to learn"
