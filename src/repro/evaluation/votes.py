"""How do votes get into a file and out of it?

One row a vote, as CSV, JSONL or parquet; `repro study export` writes such files. Columns:

    participant   who voted: a pseudonym                            required
    task          what it was about                                 required
    a, b          the two assistants                                required
    vote          a, b, tie, both_bad, or empty: not given          required
    position      a_first, b_first or unknown: who was seen first   unknown if absent
    left_out      true: is not read (who failed attention checks)   optional
    strength      how much better, a number                         optional
    domain        what kind of task                                 optional
    seed_a, seed_b   training seeds, empty: not trained             optional

`both_bad` is a tie in win rates: neither was preferred. Other columns are left alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from ..errors import ReproError
from .preference import NAN, Position, Vote

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("participant", "task", "a", "b", "vote")
OUTCOMES: Mapping[str, float] = {"a": 1.0, "b": 0.0, "tie": 0.5, "both_bad": 0.5, "": NAN}
LEFT_OUT: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False, "": False}
_WORDS = {1.0: "a", 0.0: "b", 0.5: "tie"}


def read_votes(path: str | Path) -> list[Vote]:
    """The votes in a file, in its order, less those that are marked as left out."""
    return votes_of(_frame(Path(path)), str(path))


def domains_of(path: str | Path) -> dict[str, str]:
    """The domain of each task that has one."""
    frame = _frame(Path(path))
    if "domain" not in frame:
        return {}
    return {task: domain for task, domain in zip(frame.task, frame.domain, strict=True) if domain}


def votes_of(frame: pd.DataFrame, where: str = "the table") -> list[Vote]:
    """The votes in a data frame with the columns above, less those that are left out."""
    if missing := [column for column in NEEDED if column not in frame]:
        raise ReproError(f"{where} has no column '{missing[0]}'; votes need {', '.join(NEEDED)}")
    rows = [(f"{where}, vote {i}", _cells(row)) for i, row in enumerate(frame.to_dict("records"), 1)]
    return [_vote(cells, place) for place, cells in rows if not _is_left_out(cells, place)]


def votes_frame(votes: Sequence[Vote], domains: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Votes as a data frame that `votes_of` reads back."""
    import pandas as pd

    rows = [
        {
            "participant": v.participant, "task": v.task, "a": v.a, "b": v.b, "vote": _WORDS.get(v.outcome, ""),
            "position": v.position, "strength": v.strength, "seed_a": v.seed_a, "seed_b": v.seed_b,
            "domain": (domains or {}).get(v.task, ""),
        }
        for v in votes
    ]  # fmt: skip
    columns = ["participant", "task", "a", "b", "vote", "position", "strength", "seed_a", "seed_b", "domain"]
    return pd.DataFrame(rows, columns=columns).astype({"seed_a": "Int64", "seed_b": "Int64"})


def _frame(path: Path) -> pd.DataFrame:
    """The rows of a file, every cell as text, what is missing as ""."""
    import pandas as pd

    if not path.is_file():
        raise ReproError(f"no file {path}; give the votes as .csv, .jsonl or .parquet")
    try:
        if path.suffix == ".csv":
            return pd.read_csv(path, dtype=str, keep_default_na=False)
        if path.suffix in (".jsonl", ".ndjson"):
            frame = pd.read_json(path, lines=True, dtype=False)
        elif path.suffix == ".parquet":
            frame = pd.read_parquet(path)
        else:
            raise ReproError(f"{path} is of no kind that is read here; give .csv, .jsonl or .parquet")
    except (ValueError, OSError) as error:
        if isinstance(error, ReproError):
            raise
        raise ReproError(f"{path} cannot be read as {path.suffix[1:]} ({str(error).splitlines()[0]})") from None
    return frame.astype(object).where(frame.notna(), "").map(str)


def _cells(row: Mapping[Any, Any]) -> dict[str, str]:
    """A row as text, what is missing as ""."""
    cells = {str(key): str(value).strip() for key, value in row.items()}
    return {key: "" if value in ("nan", "None", "<NA>") else value for key, value in cells.items()}


def _is_left_out(cells: Mapping[str, str], where: str) -> bool:
    said = cells.get("left_out", "").lower()
    if said not in LEFT_OUT:
        raise ReproError(f"{where} has '{said}' as left_out; it is true, false or empty")
    return LEFT_OUT[said]


def _vote(cells: Mapping[str, str], where: str) -> Vote:
    vote, position = cells["vote"].lower(), cells.get("position") or "unknown"
    if empty := [key for key in ("participant", "task", "a", "b") if not cells[key]]:
        raise ReproError(f"{where} has no {empty[0]}; every vote needs one")
    if vote not in OUTCOMES:
        raise ReproError(f"{where} is '{vote}'; votes are a, b, tie, both_bad or empty")
    if position not in get_args(Position):
        raise ReproError(f"{where} has position '{position}'; it is {', '.join(get_args(Position))}")
    return Vote(
        cells["participant"], cells["task"], cells["a"], cells["b"], _seed(cells, "seed_a", where),
        _seed(cells, "seed_b", where), OUTCOMES[vote], position, _number(cells, "strength", where),  # type: ignore[arg-type]
    )  # fmt: skip


def _number(cells: Mapping[str, str], key: str, where: str) -> float:
    try:
        return float(cells.get(key) or NAN)
    except ValueError:
        raise ReproError(f"{where} has '{cells[key]}' as {key}; give a number or leave it empty") from None


def _seed(cells: Mapping[str, str], key: str, where: str) -> int | None:
    number = _number(cells, key, where)
    return None if math.isnan(number) else int(number)
