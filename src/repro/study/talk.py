"""Where is a participant in the study, and what may they say or choose there?

The place is worked out from what was stored, never kept in a browser: a reload, a lost connection or another device
lands on the same page. A chat is only text. Nothing that is written in it is read by the schedule or the votes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from ..types import Turn
from .design import TaskCard
from .store import Refused, Store
from .tables import Answer, Ballot, Comparison, Message, Participant

Stage = Literal["instructions", "task", "chat", "vote", "check", "finished", "late"]
CHOICES = ("A", "B", "tie", "both_bad")
MAX_REASON = 2000
LABELS = ("A", "B")


@dataclass(frozen=True)
class Where:
    """What a participant does now. `n_done` votes are cast; `check` is the number of a question."""

    stage: Stage
    n_done: int
    comparison: Comparison | None = None
    check: int | None = None

    def at(self, stage: Stage, comparison_id: int | None = None) -> Comparison:
        """The comparison of this stage; anything else is refused, as from an old page or a forged form."""
        found = self.comparison
        if self.stage != stage or found is None or (comparison_id is not None and found.id != comparison_id):
            raise Refused(409, "That page is not up to date. Please go on from here.")
        return found


@dataclass(frozen=True)
class Chat:
    """One of a comparison's two chats, as far as it went."""

    comparison: Comparison
    label: str
    said: list[Message]


class Talk:
    """What participants say and choose."""

    def __init__(self, store: Store) -> None:
        self.store, self.design, self.database = store, store.design, store.database

    def where(self, person: Participant) -> Where:
        with self.database.reading() as session:
            return self._where(session, person)

    def _where(self, session: Session, person: Participant) -> Where:
        with_votes = select(Comparison, Ballot.comparison_id).outerjoin(Ballot)
        mine = with_votes.where(Comparison.participant_id == person.id).order_by(col(Comparison.number))
        rows = session.exec(mine).all()
        done = {voted for _, voted in rows if voted is not None}
        if person.finished_at is not None:
            return Where("finished", len(done))
        if self.store.is_late(person):
            return Where("late", len(done))
        if person.instructed_at is None:
            return Where("instructions", len(done))
        check = self._open_check(session, person, len(done))
        if check is not None:
            return Where("check", len(done), check=check)
        following = next((comparison for comparison, _ in rows if comparison.id not in done), None)
        if following is None:
            return Where("finished", len(done))
        stage: Stage = "vote" if following.step == "vote" else "chat" if following.task else "task"
        return Where(stage, len(done), following)

    def _open_check(self, session: Session, person: Participant, n_done: int) -> int | None:
        due = [i for i, check in enumerate(self.design.checks) if check.after <= n_done]
        given = set(session.exec(select(Answer.number).where(Answer.participant_id == person.id)).all()) if due else ()
        return next((i for i in due if i not in given), None)

    def free_tasks(self, person: Participant) -> list[TaskCard]:
        """What somebody may still pick."""
        with self.database.reading() as session:
            taken = set(session.exec(select(Comparison.task).where(Comparison.participant_id == person.id)).all())
        return [card for card in self.store.cards.values() if card.id not in taken]

    def pick(self, person: Participant, task: str) -> None:
        found = self.where(person).at("task")
        if task not in {card.id for card in self.free_tasks(person)}:
            raise Refused(422, "Please pick one of the tasks on this page.")
        with self.database.writing() as session:
            row = session.get_one(Comparison, found.id)
            row.task = row.task or task
            session.add(row)

    def opened(self, comparison: Comparison) -> Comparison:
        """The comparison with its clock running and its first step taken."""
        if comparison.step:
            return comparison
        with self.database.writing() as session:
            row = session.get_one(Comparison, comparison.id)
            if not row.step:
                row.step = "both" if self.design.layout == "side_by_side" else "A"
                row.opened_at = self.store.now()
                session.add(row)
        return row

    def messages(self, comparison: Comparison) -> dict[str, list[Message]]:
        """Both chats, by label."""
        with self.database.reading() as session:
            return self._messages(session, comparison)

    def _messages(self, session: Session, comparison: Comparison) -> dict[str, list[Message]]:
        of = select(Message).where(Message.comparison_id == comparison.id).order_by(col(Message.turn))
        found = session.exec(of).all()
        return {label: [message for message in found if message.label == label] for label in LABELS}

    def chat_is_over(self, comparison: Comparison) -> bool:
        started = comparison.opened_at or self.store.now()
        return self.store.now() > started + self.design.chat_minutes * 60

    def say(self, person: Participant, comparison_id: int, label: str, text: str) -> Chat:
        """Add what a participant says; the chat that ends with it. Refused while a reply is still to come."""
        with self.database.reading() as session:
            comparison = self._where(session, person).at("chat", comparison_id)
            said = self._messages(session, comparison).get(label, [])
        text = _clean(text)
        if label not in LABELS or comparison.step not in ("both", label):
            raise Refused(409, "That chat is not open. Please go on from here.")
        if not text or len(text) > self.design.max_chars:
            raise Refused(422, f"Please write a message of 1 to {self.design.max_chars} characters.")
        if self.chat_is_over(comparison):
            raise Refused(409, "The time for this chat is over. Please choose now.")
        if said and said[-1].role == "user":
            raise Refused(409, "Please wait for the reply.")
        if len(said) // 2 >= self.design.max_turns:
            raise Refused(409, "This chat is as long as it may be. Please choose now.")
        message = Message(
            comparison_id=comparison_id, label=label, turn=len(said), role="user", text=text, at=self.store.now()
        )
        try:
            with self.database.writing() as session:
                session.add(message)
        except IntegrityError:
            raise Refused(409, "That message was already sent.") from None
        return Chat(comparison, label, [*said, message])

    def replied(self, replies: Sequence[Message]) -> None:
        """Keep replies, all on the disk at once. One that is kept already, or whose chat was withdrawn, is left out."""
        with self.database.writing() as session:
            for reply in replies:
                with suppress(IntegrityError), session.begin_nested():
                    session.add(reply)

    def may_go_on(self, comparison: Comparison, chats: Mapping[str, Sequence[Message]]) -> bool:
        """Has everything that has to be said in this step been said and answered?"""
        labels = (comparison.step,) if comparison.step in LABELS else LABELS
        answered = all(len(chats[label]) // 2 >= self.design.min_turns for label in labels)
        return answered or (self.chat_is_over(comparison) and comparison.step != "vote")

    def go_on(self, person: Participant, comparison_id: int) -> None:
        """From A to B, or to the vote."""
        with self.database.writing() as session:
            row = self._where(session, person).at("chat", comparison_id)
            if not self.may_go_on(row, self._messages(session, row)):
                wanted = self.design.min_turns
                raise Refused(409, f"Please write {wanted} message{'s' * (wanted > 1)} to each assistant first.")
            row.step = "B" if row.step == "A" else "vote"
            session.add(row)

    def vote(self, person: Participant, comparison_id: int, choice: str, strength: int | None, reason: str) -> None:
        """Cast the one vote of a comparison. Once this returns, it is on the disk; a second one changes nothing."""
        reason = _clean(reason)
        if choice not in CHOICES or strength not in (None, 1, 2, 3):
            raise Refused(422, "Please choose A, B, no difference, or neither.")
        if len(reason) > MAX_REASON:
            raise Refused(422, f"Please give your reason in at most {MAX_REASON} characters.")
        if choice in LABELS and strength is None:
            raise Refused(422, "Please say how much better it was.")
        strength = strength if choice in LABELS else None
        with self.database.writing() as session:
            row = session.get(Comparison, comparison_id, with_for_update=True)  # a twin of this vote waits here
            if row and row.participant_id == person.id and session.get(Ballot, comparison_id):
                return
            self._where(session, person).at("vote", comparison_id)
            session.add(
                Ballot(
                    comparison_id=comparison_id, choice=choice, strength=strength, reason=reason, at=self.store.now()
                )
            )
            self._finish_if_done(session, person)

    def answer(self, person: Participant, number: int, answer: str) -> None:
        """Answer an attention check, once."""
        with suppress(IntegrityError), self.database.writing() as session:
            where = self._where(session, person)
            if where.stage != "check" or where.check != number:
                raise Refused(409, "That page is not up to date. Please go on from here.")
            check = self.design.checks[number]
            if answer not in check.options:
                raise Refused(422, "Please choose one of the answers.")
            passed = answer == check.answer
            session.add(
                Answer(participant_id=person.id, number=number, answer=answer, passed=passed, at=self.store.now())
            )
            self._finish_if_done(session, person)

    def _finish_if_done(self, session: Session, person: Participant) -> None:
        row = session.get(Participant, person.id)
        if row and row.finished_at is None and self._where(session, row).stage == "finished":
            row.finished_at = self.store.now()
            session.add(row)

    def n_votes(self) -> int:
        with self.database.reading() as session:
            return session.exec(select(func.count()).select_from(Ballot)).one()


def _clean(text: str) -> str:
    """What somebody wrote. A form ends lines with two characters, of which the page that they wrote on counted one."""
    return text.replace("\r\n", "\n").replace("\x00", "").strip()


def turns_of(messages: Sequence[Message]) -> list[Turn]:
    """What was said, as models read it."""
    return [Turn("user" if message.role == "user" else "assistant", message.text) for message in messages]
