"""How do commands of ours run side by side, each on its own share of the cores?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from .errors import ReproError


def cores() -> list[int]:
    """The cores this process may use; where the system does not say, all of them."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def shares(n_jobs: int) -> list[list[int]]:
    """The cores, dealt out to `n_jobs` processes."""
    have = cores()
    if not 1 <= n_jobs <= len(have):
        raise ReproError(f"{n_jobs} jobs need {n_jobs} cores; this process may use {len(have)}")
    return [have[i::n_jobs] for i in range(n_jobs)]


def start(arguments: Sequence[str], on: Sequence[int], **how: Any) -> subprocess.Popen[Any]:
    """`repro ARGUMENTS` in a process of its own that keeps to the cores `on`; `how` goes to Popen."""
    environment = os.environ | {"OMP_NUM_THREADS": str(len(on))}
    pin = f"os.sched_setaffinity(0, {list(on)})" if hasattr(os, "sched_setaffinity") else "pass"
    script = f"import os, sys; {pin}; from repro.cli import main; sys.exit(main())"
    return subprocess.Popen([sys.executable, "-c", script, *arguments], env=environment, **how)
