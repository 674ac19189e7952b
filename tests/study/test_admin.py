from __future__ import annotations

import csv
import io
import json
import re
import zipfile

import pytest
from sqlmodel import select

from repro.evaluation.gap.conversations import read_conversations
from repro.evaluation.preference import win_rates
from repro.evaluation.votes import read_votes
from repro.study.export import export_files, vote_rows
from repro.study.report import as_text, report
from repro.study.tables import Look

from .conftest import PID


@pytest.fixture
def admin(admin_token):
    def sign_in(person):
        person.get("/admin")
        person.client.post("/admin/login", data={"token": admin_token})
        return person.get("/admin")

    return sign_in


def test_nobody_gets_in_without_the_token(serve):
    with serve() as site, site.browser() as person:
        assert person.get("/admin/export/votes.csv").status_code == 401
        assert person.client.post("/admin/look", data={"csrf": "x"}).status_code == 401
        codes = [person.client.post("/admin/login", data={"token": f"guess {i}"}).status_code for i in range(12)]
        assert codes == [403] * 10 + [429] * 2  # ten guesses a minute
        person.client.cookies.set("study_admin", "0" * 64)
        assert "For researchers" in person.get("/admin").text


def test_progress_balance_and_drop_outs(serve, admin):
    with serve(minutes=30) as site:
        for votes in (3, 1, 0):
            with site.browser() as person:
                person.join()
                for _ in range(votes):
                    person.compare()
        with site.browser() as person:
            person.get("/")
            person.send("/join", agree="yes")
        site.clock.time += 31 * 60
        with site.browser() as person:
            person.join()
            page = admin(person).text
    numbers = dict(re.findall(r"<dt>(.*?)</dt><dd>(\d+)</dd>", page))
    assert numbers == {
        "agreed to take part": "5", "finished": "1", "at it": "1", "left before the first chat": "1",
        "left after 0 votes": "1", "left after 1 vote": "1", "left after 2 votes": "0", "withdrew their data": "0",
    }  # fmt: skip
    votes = [int(cell) for cell in re.findall(r"<td>(\d+)</td></tr>", page)]
    assert sum(votes) == 4


def test_win_rates_are_hidden_and_every_look_is_recorded(serve, admin):
    with serve() as site, site.browser() as person:
        person.join()
        person.finish()
        assert "[0." not in admin(person).text
        assert person.client.post("/admin/look", data={"csrf": "forged"}).status_code == 403
        person.send("/admin/look")
        assert "[0." in person.page.text
        assert "Looked at once." in person.page.text
        assert "[0." not in person.get("/admin").text
        with site.store.database.reading() as session:
            assert [look.n_votes for look in session.exec(select(Look)).all()] == [3]
        assert report(site.store, n_boot=50).n_looks == 1
        person.send("/admin/logout")
        assert "For researchers" in person.page.text


def test_the_export_says_everything_but_who_people_are(serve, admin, tmp_path):
    import pyarrow.parquet as pq

    with serve() as site, site.browser() as person:
        person.join(f"?PROLIFIC_PID={PID}")
        person.compare(reason='=HYPERLINK("http://x")')
        admin(person)
        files = zipfile.ZipFile(io.BytesIO(person.client.get("/admin/export/all.zip").content))
        assert person.client.get("/admin/export/../study.db").status_code == 404
        assert person.client.get("/admin/export/votes.csv").headers["content-disposition"].startswith("attachment")
        assert {name: files.read(name) for name in files.namelist()} == export_files(site.store)
        hashed = site.store.external("prolific", PID)
    for name in files.namelist():
        text = files.read(name).decode(errors="ignore")
        assert PID not in text
        assert hashed not in text
    (row,) = csv.DictReader(io.StringIO(files.read("votes.csv").decode()))
    assert row["reason"].startswith("'=")  # no spreadsheet runs it
    table = pq.read_table(io.BytesIO(files.read("votes.parquet"))).to_pylist()
    assert [json.loads(line) for line in files.read("votes.jsonl").decode().splitlines()] == table
    codebook = files.read("codebook.md").decode()
    assert all(f"| {column} |" in codebook for column in table[0])
    (tmp_path / "people.jsonl").write_bytes(files.read("conversations.jsonl"))
    found = read_conversations(tmp_path / "people.jsonl")  # what notebook 05 does with real_path
    assert len(found) == 2


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_votes_that_are_exported_are_read_as_they_were_cast_and_counted_as_in_the_report(serve, tmp_path, kind):
    with serve() as site:
        for answer in ("Blue", "Red", "Blue"):
            with site.browser() as person:
                person.join()
                person.compare("A", "3", reason="-- shorter,\nand it asked")
                person.send("/check", number=0, answer=answer)
                person.compare("both_bad")
        rows, found, files = vote_rows(site.store), report(site.store, n_boot=50), export_files(site.store)
    path = tmp_path / f"votes.{kind}"
    path.write_bytes(files[path.name])
    votes = read_votes(path)
    kept = [row for row in rows if not row["left_out"]]
    assert (len(rows), len(votes), found.n_left_out) == (9, 6, 1)
    for row, vote in zip(kept, votes, strict=True):
        assert (vote.participant, vote.task, vote.a, vote.b) == tuple(row[k] for k in ("participant", "task", "a", "b"))
        assert (vote.position == "a_first") == (row["first"] == row["a"])
        if row["choice"] == "A":
            assert (vote.outcome, vote.strength) == (float(row["first"] == row["a"]), 3)
        else:  # neither is good: a tie; opened and not voted: unscored, not 0
            assert repr(vote.outcome) == ("0.5" if row["choice"] else "nan")
    rates = {pair.pair: pair.win_rate for pair in win_rates(votes, arms=["plain", "tuned", "other"], n_boot=50)}
    assert all(repr(rates[pair.pair]) == repr(pair.win_rate) for pair in found.pairs)  # NaN is not equal to itself
    assert {pair for pair, rate in rates.items() if rate.n} == {pair.pair for pair in found.pairs}


def test_the_report_counts_who_paid_attention_and_leaves_out_who_did_not(serve):
    with serve() as site:
        assert as_text(report(site.store, n_boot=50)) == "A small study: no votes yet"
        for answer in ("Blue", "Blue", "Red"):
            with site.browser() as person:
                person.join()
                person.compare("both_bad")
                person.send("/check", number=0, answer=answer)
                person.compare("tie")
        found = report(site.store, n_boot=50)
    assert (found.n_participants, found.n_left_out, found.n_both_bad) == (2, 1, 2)
    assert sum(pair.win_rate.n for pair in found.pairs) == 4
    assert sum(pair.win_rate.n_unscored for pair in found.pairs) == 2  # the third comparison of each was opened
    assert all(pair.win_rate.value == 0.5 for pair in found.pairs if pair.win_rate.n)
    assert "2 participants voted, 1 left out" in as_text(found)
    assert len(vote_rows(site.store)) == 9
