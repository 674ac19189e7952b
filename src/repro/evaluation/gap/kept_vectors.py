"""Which texts were encoded before?

Vectors by text, in one SQLite file an encoder, in the folder for derived files (`cache_path`): written batch by batch,
so that what was stopped goes on where it was, and read by several processes at once. A folder that cannot be written
costs time, nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from ...models.hashes import cache_path

Vectors = npt.NDArray[np.float32]
_AT_ONCE = 500  # texts looked up in one question to the database
_PATIENCE = 60.0  # seconds to wait for another process that writes


class KeptVectors:
    """A mapping from texts to vectors on disk; `key` is the hash of all that changes a text's vector."""

    def __init__(self, key: str) -> None:
        self._database = _opened(key)

    def get(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """The vectors (d,) of those texts that have one."""
        found: dict[bytes, bytes] = {}
        named = {_name(text): text for text in texts}
        names = list(named)
        for i in range(0, len(names), _AT_ONCE):
            part = names[i : i + _AT_ONCE]
            query = f"SELECT text, vector FROM vectors WHERE text IN ({','.join('?' * len(part))})"
            found.update(self._database.execute(query, part))
        return {named[name]: np.frombuffer(vector, dtype=np.float32) for name, vector in found.items()}

    def put(self, vectors: Mapping[str, Vectors]) -> None:
        rows = [(_name(text), vector.tobytes()) for text, vector in vectors.items()]
        with suppress(sqlite3.OperationalError), self._database:  # a full disk, a file that may only be read
            self._database.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)


def _name(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _opened(key: str) -> sqlite3.Connection:
    path = cache_path() / "vectors" / f"{key[:32]}.sqlite"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _with_table(sqlite3.connect(path, timeout=_PATIENCE))
    except (OSError, sqlite3.Error):
        return _with_table(sqlite3.connect(":memory:"))


def _with_table(database: sqlite3.Connection) -> sqlite3.Connection:
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE IF NOT EXISTS vectors (text BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID")
    return database
