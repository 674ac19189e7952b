"""How are a million dialogues kept and read, with no more memory than a thousand take?

In parquet, written and read a group of rows at a time. A row holds what was said as `messages` (role, content), as
`repro gap` and `repro train-user` read them, and who spoke; token ids, requirements and flags stay in the store.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import ReproError, one_line
from ..types import Trajectory
from .store import Key

ROWS = 1000  # dialogues in memory at a time. ours: a few MB


def write_dialogues(path: str | Path, dialogues: Iterable[tuple[Key, Trajectory]]) -> int:
    """Write them to a parquet file, whole; how many there were. Their iterator is read once, as they are written."""
    import pyarrow.parquet as pq

    path, n = Path(path), 0
    path.parent.mkdir(parents=True, exist_ok=True)
    draft, left = path.with_name(f".{path.name}.draft"), iter(dialogues)
    with pq.ParquetWriter(draft, _schema()) as writer:
        while part := [_row(*one) for one in islice(left, ROWS)]:
            writer.write_table(_table(part))
            n += len(part)
    os.replace(draft, path)
    return n


def read_rows_of(path: str | Path) -> Iterator[dict[str, Any]]:
    """The rows of any parquet file, read a few at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=ROWS):
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise ReproError(f"cannot read {path} ({one_line(error)}); give a parquet file of conversations") from error


def _row(key: Key, one: Trajectory) -> dict[str, Any]:
    task, sample = one.task, key[1]
    return {
        "id": f"{task.id}#{sample}" if sample else task.id, "user_id": task.user_id, "domain": task.domain,
        "intent": task.intent, "messages": one.messages, "user": one.user, "assistant": one.assistant,
        "seed": str(one.seed), "stop": one.stop,
    }  # fmt: skip


def _table(rows: list[dict[str, Any]]) -> Any:
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema=_schema())


def _schema() -> Any:
    import pyarrow as pa

    text = pa.string()
    columns = dict.fromkeys(("id", "user_id", "domain", "intent"), text)
    said = {"messages": pa.list_(pa.struct({"role": text, "content": text}))}
    return pa.schema(columns | said | dict.fromkeys(("user", "assistant", "seed", "stop"), text))
