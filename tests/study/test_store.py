from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlmodel import SQLModel, select

from repro.errors import ReproError
from repro.study import app
from repro.study.database import Database, normal_url, shown
from repro.study.export import participant_rows, vote_rows
from repro.study.store import Store
from repro.study.tables import Comparison, Participant, Study

from .conftest import STUDY


def test_the_migrations_make_the_tables_that_the_code_means(tmp_path):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    database = Database.open(str(tmp_path / "a.db"))
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []
    database.migrate()  # once more changes nothing


def test_sqlite_flushes_every_commit_and_lets_readers_go_on(tmp_path):
    database = Database.open(str(tmp_path / "a.db"))
    with database.engine.connect() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2}  # 2 is FULL


def test_urls_are_taken_as_people_write_them(tmp_path):
    assert normal_url("x/study.db") == "sqlite:///x/study.db"
    assert normal_url("postgres://u:p@h/d") == "postgresql+psycopg://u:p@h/d"
    assert "secret" not in shown("postgresql://u:secret@h/d")
    with pytest.raises(ReproError, match="no database"):
        Database.open("nosuchkind://x")
    with pytest.raises(ReproError, match=r"no study at .*missing.db"):
        Database.open(str(tmp_path / "missing.db"), create=False)
    (tmp_path / "noise.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(ReproError, match="cannot open the database"):
        Database.open(str(tmp_path / "noise.db"))
    sqlite3.connect(tmp_path / "other.db").execute("create table t (x)")
    with pytest.raises(ReproError, match="holds no study"):
        Database.open(str(tmp_path / "other.db"), create=False)


def test_a_database_of_another_study_is_not_mixed_into_this_one(serve):
    with serve() as site:
        assert Store.of(site.store.database).design == site.store.design
    with serve(consent="Another wording is not another design.") as site:
        assert site.store.design.consent.startswith("Another")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 1}, "seed"),
        ({"sampling": {"temperature": 0.2}}, "sampling"),
        ({"layout": "in_turn"}, "layout"),
        ({"min_turns": 2, "max_turns": 9}, "min_turns, max_turns"),
        ({"tasks": [{**task, "text": "nothing"} for task in STUDY["tasks"]]}, "task texts"),
        ({"tasks": STUDY["tasks"][1:]}, "tasks, task texts"),
        ({"store_ids": "plain"}, "store_ids"),
        ({"comparisons": 2}, "comparisons"),
    ],
)
def test_a_study_does_not_go_on_under_other_conditions(serve, change, words):
    with serve():
        pass
    sentence = rf"holds 'small' with other settings than were asked for \({words}\); give --db another database"
    with pytest.raises(ReproError, match=sentence), serve(**change):
        pass


def test_a_database_from_before_is_held_to_what_it_was_last_served_with(serve, tmp_path):
    with serve():
        pass
    with sqlite3.connect(tmp_path / "study.db") as older:
        older.execute('update study set fingerprint = \'{"name": "small", "seed": 0}\'')
    with pytest.raises(ReproError, match=r"\(layout\)"), serve(layout="in_turn"):
        pass
    with serve() as site:
        kept = json.loads(Store.of(site.store.database)._study().fingerprint)
    assert {"sampling", "layout", "task texts", "store_ids"} <= set(kept)


def test_what_was_gathered_is_exported_whatever_tasks_this_package_makes_now(serve, tmp_path):
    with serve():
        pass
    with sqlite3.connect(tmp_path / "study.db") as older:
        older.execute("update study set fingerprint = replace(fingerprint, 'Write note', 'Compose note')")
    with pytest.raises(ReproError, match="task texts"), serve():
        pass
    assert vote_rows(Store.of(Database.open(str(tmp_path / "study.db"), create=False))) == []


def test_places_are_given_out_once_each_however_many_come_at_once(serve):
    with serve() as site:
        threads = [threading.Thread(target=site.store.join, args=(f"token {i}", None)) for i in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with site.store.database.reading() as session:
            people = session.exec(select(Participant)).all()
            comparisons = session.exec(select(Comparison)).all()
    assert sorted(person.place for person in people) == list(range(24))
    # 24 places are 4 blocks of 6: every pair and order 3 x 4 times
    counts = [
        sum((c.a, c.b, c.first) == cell for c in comparisons) for cell in {(c.a, c.b, c.first) for c in comparisons}
    ]
    assert counts == [12] * 6


def test_a_browser_that_joins_twice_at_once_takes_part_once(serve, monkeypatch):
    """With time between what is read and what is written, in which the others get on."""
    with serve() as site:
        reading = site.store.database.reading

        @contextmanager
        def slowly():
            with reading() as session:
                yield session
            time.sleep(0.1)

        monkeypatch.setattr(site.store.database, "reading", slowly)
        with ThreadPoolExecutor(4) as pool:
            joined = [pool.submit(site.store.join, "the same token", None) for _ in range(4)]
            assert len({one.result().id for one in joined}) == 1
        assert len(participant_rows(site.store)) == 1


def test_who_comes_again_goes_on_and_who_leaves_frees_the_place(serve):
    with serve(minutes=30) as site:
        store = site.store
        first = store.join("browser one", store.external("prolific", "x"))
        again = store.join("browser two", store.external("prolific", "x"))
        second = store.join("browser three", store.external("prolific", "y"))
        assert (first.id, first.place) == (again.id, again.place)
        assert second.place == 1
        store.withdraw(first)
        assert store.join("browser four", None).place == 0
        site.clock.time += 31 * 60  # two and four are out of time
        assert store.join("browser five", None).place == 0
        assert store.join("browser six", None).place == 1


def test_ids_of_others_are_kept_hashed_or_as_the_study_says(serve, tmp_path):
    with serve() as site:
        kept = site.store.external("prolific", "pid-xyz")
        assert "pid-xyz" not in kept  # letters that no hash has
        assert len(kept) == 64
    with serve(db="other.db") as site:
        assert site.store.external("prolific", "pid-xyz") != kept  # another study, another salt
    with serve(db="plain.db", store_ids="plain") as site:
        assert site.store.external("prolific", "pid-xyz") == "prolific:pid-xyz"


def test_invitations_cannot_be_made_up(serve):
    with serve() as site:
        code = site.store.invitation(3)
        assert site.store.is_invitation(code)
        made_up = [code.replace("3-", "4-", 1), code[:-1], "", "3", "x-y", "३-" + code[2:]]
        assert not any(map(site.store.is_invitation, made_up))


def test_an_hour_in_which_nothing_could_be_deleted_is_told_and_the_next_one_goes_on(monkeypatch, capsys):
    done = threading.Event()

    class Busy:
        n_asked = 0

        def forget_old(self):
            self.n_asked += 1
            if self.n_asked == 1:
                raise OSError("database is locked")
            done.set()

    async def two_hours():
        task = asyncio.create_task(app._forget_hourly(Busy()))
        assert await asyncio.to_thread(done.wait, 10)
        task.cancel()

    monkeypatch.setattr(app, "HOUR", 0.01)
    asyncio.run(two_hours())
    said = capsys.readouterr().err.splitlines()
    assert said == ["old data was not deleted (OSError: database is locked); trying again in an hour"]


def test_people_are_forgotten_when_the_time_is_over(serve):
    with serve(retention_days=10) as site, site.browser() as person:
        person.join()
        person.compare(reason="secret words")
        site.clock.time += 9 * 86400
        assert site.store.forget_old() == 0
        site.clock.time += 2 * 86400
        assert site.store.forget_old() == 1
        assert vote_rows(site.store) == participant_rows(site.store) == []
        with site.store.database.reading() as session:
            assert session.get(Study, 1) is not None
