"""How long does a person wait before anything happens?

For `import repro` and `repro --help`, each in a process of its own; and for `make reproduce`, which is not run here:
read from the records of the last time, from the first start to the last end.

    python benchmarks/start.py
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from side_by_side import arguments, middle, recorded, take_turns

COMMANDS = {"import": ["-c", "import repro"], "help": ["-m", "repro", "--help"], "python": ["-c", "pass"]}


def waited(*command: str) -> dict[str, float]:
    """Seconds on the wall, and of the processor, until a command is done."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": time.perf_counter() - start, "processor": cpu}


def reproduced(folder: Path) -> float | None:
    """Minutes from the first start to the last end of the records in a folder; None without any."""
    runs = [json.loads(path.read_text("utf-8")) for path in folder.glob("*/run.json")]
    starts = [datetime.fromisoformat(run["started"]).timestamp() for run in runs]
    ends = [start + run["seconds"] for start, run in zip(starts, runs, strict=True)]
    return (max(ends) - min(starts)) / 60 if runs else None


def main() -> int:
    asked = arguments(__doc__)
    with recorded("start", asked) as (run, kept):
        contestants = {name: lambda turn, command=command: waited(*command) for name, command in COMMANDS.items()}
        turns = take_turns(contestants, asked.turns, kept)
        for name in contestants:
            run.number(f"start.{name}", middle(turns.of(name, "processor" if asked.busy else "wall"), "s"))
        minutes = reproduced(Path("results/quick"))
        if minutes is not None:
            run.number("start.reproduce", middle([minutes], "min"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
