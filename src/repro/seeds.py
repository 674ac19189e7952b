"""Where does randomness come from?

From a `seed` argument and nothing else. A child seed is the SHA-256 of its parent and of what it is for, so
that draws depend neither on batch size nor on order, and are the same in every process.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def derive(seed: int, *parts: object) -> int:
    """A 63-bit seed for `parts`: `derive(0, task.id, 3)` is the third sample of a task under root seed 0."""
    text = "\x1f".join([str(seed), *map(str, parts)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def rng(seed: int, *parts: object) -> np.random.Generator:
    """A numpy generator seeded with `derive(seed, *parts)`."""
    import numpy as np

    return np.random.default_rng(derive(seed, *parts))
