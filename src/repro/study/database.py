"""Where is a study kept, and how is nothing that was acknowledged ever lost?

SQLite by default: a write-ahead log that is flushed to the disk at every commit, so that neither `kill -9` nor a power
cut takes back an acknowledged vote. Writers take turns (`BEGIN IMMEDIATE`), readers do not wait. Postgres by URL.
Tables are made and changed by the alembic scripts in `migrations/`, run whenever a study is opened to be served.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, inspect
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlmodel import Session

from repro.errors import ReproError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 20  # a writer waits so long for another process


class Database:
    """An engine with two kinds of transaction: `reading` and `writing`."""

    def __init__(self, url: str) -> None:
        self.url = normal_url(url)
        self.engine = _engine(self.url)
        self._writer = threading.Lock()  # threads queue up fairly here; SQLite's own waiting is a lottery

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> Database:
        """The database at `url`, its tables up to date; with `create=False` it has to hold a study already."""
        database = cls(url)
        path = database.engine.url.database or ""
        if database.is_sqlite and not create and not Path(path).is_file():
            raise ReproError(f"no study at {path}; give --db the database that repro study serve printed")
        try:
            if create:
                database.migrate()
            elif not inspect(database.engine).has_table("study"):
                raise ReproError(f"{shown(url)} holds no study; give --db the database that repro study serve printed")
        except DBAPIError as error:
            said = " ".join(str(error.orig).split())[:200]
            raise ReproError(f"cannot open the database {shown(url)} ({said}); mend --db or DATABASE_URL") from None
        return database

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def migrate(self) -> None:
        """Bring the tables up to date."""
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with self.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that changes nothing; what it returns stays readable afterwards."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is committed, and on the disk, when the block ends without an error."""
        if not self.is_sqlite:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                yield session
            return
        immediate = self.engine.execution_options(immediate=True)
        with self._writer, Session(immediate, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        self.engine.dispose()


def normal_url(url: str) -> str:
    """A path is a SQLite file; `postgres://` means the driver psycopg."""
    if "://" not in url:
        return f"sqlite:///{url}"
    kind, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if kind in ("postgres", "postgresql") else url


def shown(url: str) -> str:
    """A URL without its password, for errors and logs."""
    from sqlalchemy import make_url

    try:
        return make_url(normal_url(url)).render_as_string(hide_password=True)
    except ArgumentError:
        return "given by --db or DATABASE_URL"


def _engine(url: str) -> Engine:
    try:
        engine = create_engine(url, pool_size=20, max_overflow=44, pool_pre_ping=not url.startswith("sqlite"))
    except ModuleNotFoundError as error:
        raise ReproError(f"{shown(url)} needs {error.name}; pip install 'psycopg[binary]'") from None
    except (ArgumentError, NoSuchModuleError):
        raise ReproError(f"no database {shown(url)}; give a file, sqlite:///FILE or postgresql://...") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _: object) -> None:
    connection.isolation_level = None  # BEGIN is ours to say
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
