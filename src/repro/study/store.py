"""Who takes part, which place in the schedule is theirs, and how do they come back or leave?

Everything a participant does passes through here or `talk.py`, one transaction each. Of a PROLIFIC_PID or an invitation
a hash is kept, keyed with the study's own salt (or the id itself, where the study says `store_ids: plain`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

from repro.errors import ReproError

from .database import Database, shown
from .design import Design, design_of
from .schedule import Assigned, assignments, free_place
from .tables import Answer, Ballot, Comparison, Message, Participant, Study, Visit

DAY = 86400.0


class Refused(Exception):
    """Something a participant may not do now: the HTTP status and a sentence for them."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class Store:
    """The people of one study. `now` is the clock. Without `study`, the row of this one, the database is made for
    `design` or held to it."""

    def __init__(
        self, database: Database, design: Design, *, now: Callable[[], float] = time.time, study: Study | None = None
    ) -> None:
        self.database, self.design, self.now = database, design, now
        self.cards = design.cards
        self.pairs = design.all_pairs
        study = study or self._study()
        self.secret, self.salt = study.secret.encode(), study.salt.encode()

    @classmethod
    def of(cls, database: Database) -> Store:
        """The study that `database` was made with, for its report and its export."""
        with database.reading() as session:
            study = session.get(Study, 1)
        if study is None:
            raise ReproError(f"{shown(database.url)} holds no study yet; repro study serve makes one")
        return cls(database, design_of(json.loads(study.design), "the database"), study=study)

    def _study(self) -> Study:
        """The row of this study, made on the first start. A database of another study is an error."""
        bound = self.design.bound
        with self.database.writing() as session:
            study = session.get(Study, 1)
            if study:
                self._check_same(study, bound)
            else:
                study = Study(
                    name=self.design.name, design="", fingerprint="", created_at=self.now(),
                    secret=secrets.token_urlsafe(32), salt=secrets.token_urlsafe(32),
                )  # fmt: skip
            study.design, study.fingerprint = json.dumps(asdict(self.design)), json.dumps(bound, sort_keys=True)
            session.add(study)
        return study

    def _check_same(self, study: Study, bound: Mapping[str, Any]) -> None:
        """An older database binds less; its design, as it was last served, says the rest."""
        served = design_of(json.loads(study.design), "the database").bound
        held = {**served, **json.loads(study.fingerprint)}
        if differ := [name for name in bound if held[name] != bound[name]]:
            raise ReproError(
                f"{shown(self.database.url)} holds '{study.name}' with other settings than were asked for "
                f"({', '.join(differ)}); give --db another database, or the study file as it was"
            )

    def assigned(self, place: int) -> list[Assigned]:
        return assignments(
            place, pairs=self.pairs, tasks=list(self.cards), n_comparisons=self.design.n_comparisons,
            seed=self.design.seed,
        )  # fmt: skip

    def sign(self, *parts: str) -> str:
        """A signature that only this study can make: of CSRF tokens, invitations and the admin's cookie."""
        return hmac.new(self.secret, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()

    def invitation(self, number: int) -> str:
        return f"{number}-{self.sign('invitation', str(number))[:20]}"

    def is_invitation(self, code: str) -> bool:
        number, _, _ = code.partition("-")
        return number.isdecimal() and len(number) < 10 and same(code, self.invitation(int(number)))

    def external(self, kind: str, text: str) -> str:
        """What is kept of an id that somebody else gave."""
        if self.design.store_ids == "plain":
            return f"{kind}:{text}"
        return hmac.new(self.salt, f"{kind}:{text}".encode(), hashlib.sha256).hexdigest()

    def join(self, token: str, external: str | None) -> Participant:
        """Take part, under the browser's `token`; who comes again, here or with the same id, goes on."""
        with self.database.writing() as session:
            self._lock(session)
            if known := _whose(session, token):
                return known
            found = external and session.exec(select(Participant).where(Participant.external == external)).first()
            person = found or self._newcomer(session, external)
            session.add(Visit(token_hash=hashed(token), participant_id=person.id))
        return person

    def _newcomer(self, session: Session, external: str | None) -> Participant:
        self._free_late_places(session)
        held = session.exec(select(Participant.place).where(col(Participant.holds).is_(True))).all()
        person = Participant(
            id=secrets.token_hex(8), external=external, place=free_place(held), holds=True, joined_at=self.now()
        )
        session.add(person)
        session.flush()
        for number, cell in enumerate(self.assigned(person.place)):
            task = None if self.design.choose_task else cell.task
            session.add(
                Comparison(participant_id=person.id, number=number, a=cell.a, b=cell.b, first=cell.first, task=task)
            )
        return person

    def _lock(self, session: Session) -> None:
        """Places are given out one at a time (SQLite has locked already)."""
        session.exec(select(Study).with_for_update()).one()

    def _free_late_places(self, session: Session) -> None:
        too_late = self.now() - self.design.minutes * 60
        late = select(Participant).where(
            col(Participant.holds).is_(True), col(Participant.finished_at).is_(None), Participant.joined_at < too_late
        )
        for person in session.exec(late).all():
            person.holds = False
            session.add(person)

    def participant(self, token: str) -> Participant | None:
        """Whose browser this is."""
        if not token:
            return None
        with self.database.reading() as session:
            return _whose(session, token)

    def instructed(self, person: Participant) -> None:
        with self.database.writing() as session:
            row = session.get(Participant, person.id)
            if row and row.instructed_at is None:
                row.instructed_at = self.now()
                session.add(row)

    def is_late(self, person: Participant) -> bool:
        return person.finished_at is None and self.now() > person.joined_at + self.design.minutes * 60

    def withdraw(self, person: Participant) -> None:
        """Delete all that they wrote and chose, and every link to them; that somebody left is kept."""
        with self.database.writing() as session:
            _forget(session, person.id)
            row = session.get(Participant, person.id)
            if row:
                row.external, row.holds, row.withdrawn_at = None, False, self.now()
                session.add(row)

    def forget_old(self) -> int:
        """Delete participants who joined more than `retention_days` ago, whole; how many they were."""
        before = self.now() - self.design.retention_days * DAY
        with self.database.writing() as session:
            old = session.exec(select(Participant.id).where(Participant.joined_at < before)).all()
            for person_id in old:
                _forget(session, person_id)
                session.exec(delete(Participant).where(col(Participant.id) == person_id))
        return len(old)


def _whose(session: Session, token: str) -> Participant | None:
    return session.exec(select(Participant).join(Visit).where(Visit.token_hash == hashed(token))).first()


def _forget(session: Session, person_id: str) -> None:
    mine = select(Comparison.id).where(Comparison.participant_id == person_id)
    for table in (Message, Ballot):
        session.exec(delete(table).where(col(table.comparison_id).in_(mine)))
    for own in (Comparison, Answer, Visit):
        session.exec(delete(own).where(col(own.participant_id) == person_id))


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def same(one: str, two: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell how far they agree."""
    return hmac.compare_digest(one.encode(), two.encode())
