"""How many votes a second does a study take, when nobody pauses?

Calls study_load.py, which starts a server and lets participants click through the whole study at once.

    python benchmarks/study.py --participants 20
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from side_by_side import HERE, arguments, middle, recorded, take_turns


def voted(n: int) -> dict[str, float]:
    """What study_load.py says of n participants in a hurry."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "load.json"
        command = [str(HERE / "study_load.py"), "--participants", "0", "--hasty", str(n), "--out", str(out)]
        done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"study_load.py found a fault:\n{(done.stderr or done.stdout)[-800:]}")
        said = json.loads(out.read_text("utf-8"))["hasty"]
    return {"votes": float(said["votes_stored"]), "clicking": said["seconds"], "page": said["page"]["median"]}


def main() -> int:
    asked = arguments(__doc__, participants=20)
    with recorded("study", asked) as (run, kept):
        turns = take_turns({"ours": lambda turn: voted(asked.participants)}, asked.turns, kept)
        rates = [a / b for a, b in zip(turns.of("ours", "votes"), turns.of("ours", "clicking"), strict=True)]
        run.number("study.votes_per_s", middle(rates, "votes/s"))
        run.number("study.page", middle(turns.of("ours", "page"), "s"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
