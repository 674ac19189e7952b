"""Do votes come out of a file as they went in, and is a file that cannot be read told so in one sentence?"""

from __future__ import annotations

import math

import pytest

from repro.errors import ReproError
from repro.evaluation.preference import Vote
from repro.evaluation.votes import domains_of, read_votes, votes_frame

VOTES = [
    Vote("p1", "t1", "userlm", "initial", 0, None, 1.0, "a_first", 2.0),
    Vote("p1", "t2", "userlm", "roleplay", 1, 2, 0.5, "b_first"),
    Vote("01", "007", "roleplay", "initial", None, None, 0.0),
    Vote("p3", "t1", "userlm", "initial", 0, None, float("nan"), "a_first"),
]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_votes_survive_a_file(kind, tmp_path):
    path, frame = tmp_path / f"votes.{kind}", votes_frame(VOTES, {"t1": "mail"})
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    again = read_votes(path)
    assert [repr(vote) for vote in again] == [repr(vote) for vote in VOTES]  # repr: NaN is not equal to itself
    assert domains_of(path) == {"t1": "mail"}


def test_both_bad_is_a_tie_and_an_empty_vote_is_unscored(tmp_path):
    path = tmp_path / "votes.csv"
    path.write_text("participant,task,a,b,vote,reason\np,t,x,y,both_bad,neither\np,u,x,y,,\n")
    tie, empty = read_votes(path)
    assert (tie.outcome, tie.position, tie.seed_a) == (0.5, "unknown", None)
    assert math.isnan(empty.outcome)


def test_what_is_marked_as_left_out_is_not_read(tmp_path):
    path = tmp_path / "votes.csv"
    path.write_text("participant,task,a,b,vote,left_out\np,t,x,y,a,True\nq,t,x,y,b,False\nr,t,x,y,b,\n")
    assert [vote.participant for vote in read_votes(path)] == ["q", "r"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("participant,task,a,b\np,t,x,y\n", "no column 'vote'"),
        ("participant,task,a,b,vote\np,t,x,y,left\n", r"vote 1 is 'left'; votes are a, b, tie"),
        ("participant,task,a,b,vote\np,t,x,y,a\n,t,x,y,a\n", "vote 2 has no participant"),
        ("participant,task,a,b,vote,position\np,t,x,y,a,left\n", "position 'left'; it is a_first, b_first"),
        ("participant,task,a,b,vote,strength\np,t,x,y,a,very\n", "'very' as strength; give a number"),
        (
            "participant,task,a,b,vote,left_out\np,t,x,y,a,perhaps\n",
            "'perhaps' as left_out; it is true, false or empty",
        ),
        ("participant,task,a,b,vote\np,t,x,x,a\n", "compares x with itself"),
    ],
)
def test_a_vote_that_cannot_be_is_named(text, words, tmp_path):
    (tmp_path / "votes.csv").write_text(text)
    with pytest.raises(ReproError, match=words):
        read_votes(tmp_path / "votes.csv")


def test_a_file_that_is_not_there_or_of_another_kind_is_an_error(tmp_path):
    with pytest.raises(ReproError, match=r"no file .*votes.csv"):
        read_votes(tmp_path / "votes.csv")
    (tmp_path / "votes.xlsx").write_text("x")
    with pytest.raises(ReproError, match=r"give .csv, .jsonl or .parquet"):
        read_votes(tmp_path / "votes.xlsx")
    (tmp_path / "votes.parquet").write_text("x")
    with pytest.raises(ReproError, match="cannot be read as parquet"):
        read_votes(tmp_path / "votes.parquet")
