"""Which kinds of reference users are known to differ, so that a measure can be asked whether it sees that?

Each kind is a trait of the generator (`data.population`). Some can be seen in what a user writes; some only in what
they would have done had the dialogue gone another way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..data.population import Traits, traits_of

KINDS: Mapping[str, Callable[[Traits], bool]] = {
    "says much first": lambda traits: traits.says_first >= 0.4,
    "brushes questions off": lambda traits: traits.brushes_off >= 0.3,
    "corrects drafts": lambda traits: traits.corrects >= 0.5,
    "lower case": lambda traits: traits.lower_case,
    "polite": lambda traits: traits.register == "polite",
}


def is_of(kind: str, user_id: str) -> bool:
    """Whether a reference user is of a kind."""
    return KINDS[kind](traits_of(user_id))
