"""Which conversations did people have with assistants?

`load_corpus` reads WildChat-1M, PRISM or LMSYS-Chat-1M from the hub at a pinned revision, or a JSONL or parquet file in
any of their schemas, through one path built on `datasets`: rows lie in Arrow files that are read from disk as they are
needed, so that a million conversations take no more memory than a thousand, and a step that was done is found in its
cache. Kept are the dialogue, a pseudonym, country and language; what was left out is counted by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from repro.data.schemas import SCHEMAS, Read, fault, is_address, schema_of
from repro.errors import ReproError, one_line
from repro.models.hashes import digest, sha256
from repro.types import Task, Turn

_BATCH = 1000  # rows in memory at a time, per process
_KEPT = ("id", "user_id", "country", "language", "intent", "messages", "dropped")
Row = dict[str, Any]


@dataclass(frozen=True)
class Hub:
    """A corpus on the hub. Without a revision of ours, one has to be given: what is read must not change."""

    repository: str
    revision: str = ""
    config: str | None = None


HUB = {
    "wildchat": Hub("allenai/WildChat-1M", "7d6490e462285cf85d91eabea0f9a954fbddcd1f"),
    "lmsys": Hub("lmsys/lmsys-chat-1m", "200748d9d3cddcc9d782887541057aca0b18c5da"),
    "prism": Hub("HannahRoseKirk/prism-alignment", config="conversations"),
}


@dataclass(frozen=True)
class Step:
    """What one step left of a corpus, and why the rest is gone."""

    name: str
    n_before: int
    n_after: int
    dropped: Mapping[str, int]

    def __str__(self) -> str:
        why = ", ".join(f"{n:,} {reason}" for reason, n in sorted(self.dropped.items(), key=lambda kv: (-kv[1], kv[0])))
        return f"{self.name}: {self.n_before:,} -> {self.n_after:,}" + (f" ({why})" if why else "")


@dataclass(frozen=True)
class Corpus:
    """Conversations on disk (`rows`, a `datasets.Dataset`) and the steps they came through."""

    rows: Any
    steps: tuple[Step, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Task]:
        """Each as a task that a person had: `human` is the dialogue."""
        return map(task_of, self.rows)

    @property
    def users(self) -> list[tuple[str, str]]:
        """Who held each conversation, in order: pseudonym and country (arXiv 2605.09808)."""
        return list(zip(self.column("user_id"), self.column("country"), strict=True))

    def column(self, name: str) -> list[str]:
        values: list[str] = (
            self.rows.data.column(name).to_pylist() if self.rows._indices is None else self.rows[name][:]
        )
        return values

    def chosen(self, indices: Sequence[int], name: str, dropped: Mapping[str, int]) -> Corpus:
        """The rows at `indices`, in that order, with the step on record."""
        step = Step(name, len(self), len(indices), dict(dropped))
        return Corpus(self.rows.select(indices), (*self.steps, step))


def task_of(row: Mapping[str, Any]) -> Task:
    turns = tuple(Turn(m["role"], m["content"]) for m in row["messages"])
    return Task(row["id"], row["user_id"], row["intent"], human=turns)


def load_corpus(
    source: str | Path, *, schema: str | None = None, revision: str | None = None, language: str | None = "English",
    toxic: bool = True, limit: int | None = None, num_proc: int = 1,
) -> Corpus:  # fmt: skip
    """The usable conversations of `source`: "wildchat", "lmsys", "prism", a hub id, or the path of a file.

    `language` keeps conversations that are stated to be in it and those that state none; None keeps all. `toxic=False`
    leaves out what the corpus flags. `limit` streams and looks at that many rows; without it all are fetched once.
    """
    raw = _opened(str(source), revision, limit)
    name = schema or schema_of(raw.column_names, str(source))
    if name not in SCHEMAS:
        raise ReproError(f"no schema '{name}'; have {', '.join(SCHEMAS)}")
    how = {"schema": name, "language": language or "", "toxic": toxic, "code": _code()}
    marked = _on_disk(raw, how, num_proc, key=[_stated(str(source), revision), limit])
    reasons = marked.data.column("dropped").to_pylist()
    kept = [i for i, reason in enumerate(reasons) if not reason]
    if not kept:
        raise ReproError(f"no usable conversation in {source}: {Step('load', len(reasons), 0, Counter(reasons))}")
    return Corpus(marked.remove_columns("dropped")).chosen(kept, "load", Counter(filter(None, reasons)))


def from_rows(rows: Iterable[Mapping[str, Any]]) -> Corpus:
    """A corpus of rows in memory, in the `messages` schema; all languages."""
    from datasets import Dataset

    read = [_normal(SCHEMAS["messages"][1](row), "", True) for row in rows]
    kept = [row for row in read if not row["dropped"]]
    step = Step("load", len(read), len(kept), Counter(row["dropped"] for row in read if row["dropped"]))
    return Corpus(Dataset.from_list(kept, features=_features()).remove_columns("dropped"), (step,))


def _opened(source: str, revision: str | None, limit: int | None) -> Any:
    """The raw rows: streamed up to `limit`, or whole on disk."""
    from datasets import load_dataset

    kind, how = _where(source, revision)
    try:
        raw = load_dataset(kind, split="train", streaming=limit is not None, **how)
    except Exception as error:  # fsspec, pyarrow, the hub and datasets each raise their own
        raise ReproError(
            f"{source} cannot be read ({one_line(error)}); give a file, or a hub id you can reach"
        ) from error
    if limit is None:
        return raw
    return raw.take(limit) if raw.column_names else raw._resolve_features().take(limit)


def _where(source: str, revision: str | None) -> tuple[str, dict[str, Any]]:
    """What `load_dataset` is asked for."""
    path = Path(source)
    if path.is_file():
        kind = {".jsonl": "json", ".json": "json", ".parquet": "parquet"}.get(path.suffix)
        if not kind:
            raise ReproError(f"{source} is neither .jsonl nor .parquet; convert it first")
        return kind, {"data_files": [str(path)]}
    if path.suffix in (".jsonl", ".json", ".parquet"):
        raise ReproError(f"no file {source}; give the path of a JSONL or parquet file")
    if path.is_dir() and (files := sorted(map(str, path.glob("*.parquet")))):
        return "parquet", {"data_files": files}
    hub = HUB.get(source, Hub(source))
    if "/" not in hub.repository:
        raise ReproError(f"no corpus '{source}'; have {', '.join(HUB)}, a file, a folder of parquet files, or a hub id")
    if not (pinned := revision or hub.revision):
        raise ReproError(f"give a revision for {hub.repository}: what is read from a hub must not change")
    return hub.repository, {"name": hub.config, "revision": pinned}


def _stated(source: str, revision: str | None) -> str:
    """What a stream is read from, as its cache is named: content of a file, revision on the hub."""
    kind, how = _where(source, revision)
    return digest([kind, *(sha256(Path(path)) for path in how["data_files"])] if "data_files" in how else [kind, how])


def _on_disk(raw: Any, how: Row, num_proc: int, *, key: object) -> Any:
    """All rows in our columns, those that are left out with the reason alone. `key` names the cache of a stream."""
    from datasets import Dataset, IterableDataset

    streamed = isinstance(raw, IterableDataset)
    more = {} if streamed else {"num_proc": num_proc if num_proc > 1 else None, "desc": "conversations read"}
    rows = raw.map(
        _normalised, batched=True, batch_size=_BATCH, fn_kwargs=how,
        remove_columns=raw.column_names, features=_features(), **more,
    )  # fmt: skip
    if not streamed:
        return rows
    return Dataset.from_generator(
        _rows_of, gen_kwargs={"stream": rows}, features=_features(), fingerprint=digest([key, how])[:16]
    )


def _rows_of(stream: Iterable[Row]) -> Iterator[Row]:
    yield from stream


def _normalised(
    batch: Mapping[str, Sequence[Any]], *, schema: str, language: str, toxic: bool, code: str
) -> dict[str, list[Any]]:
    """Columns of a batch. `code` is a key of the cache: where this file changes, rows are read anew."""
    read = SCHEMAS[schema][1]
    keys = list(batch)
    rows = [read(dict(zip(keys, values, strict=True))) for values in zip(*batch.values(), strict=True)]
    out = [_normal(row, language, toxic) for row in rows]
    return {key: [row[key] for row in out] for key in _KEPT}


def _normal(row: Read, language: str, toxic: bool) -> Row:
    """One row in our columns. A user without a name is one of their own."""
    reason = _reason(row, language, toxic)
    kept = row if not reason else replace(row, messages=[], user="", country="", intent="")
    id = row.id or digest(row.messages)[:16]
    said = [{"role": role, "content": text} for role, text in kept.messages]
    user = kept.user or f"of {id}"
    return {
        "id": id, "user_id": user, "country": kept.country, "language": row.language, "intent": kept.intent,
        "messages": said, "dropped": reason,
    }  # fmt: skip


def _reason(row: Read, language: str, toxic: bool) -> str:
    if language and row.language and row.language.lower() != language.lower():
        return "in another language"
    if row.toxic and not toxic:
        return "flagged as toxic"
    if is_address(row.user):
        return "whose user is named by an address"
    return fault(row.messages)


def _features() -> Any:
    from datasets import Features, List, Value

    text = Value("string")
    columns = {key: text for key in _KEPT if key != "messages"}
    return Features({**columns, "messages": List({"role": text, "content": text})})


def _code() -> str:
    """What the rows depend on beside the settings: `datasets` caches by the name of a function, not by its text."""
    return digest([sha256(Path(__file__).parent / name) for name in ("corpora.py", "schemas.py")])
