"""What does a study remember?

Eight tables. Of a person there is a random id and, where they came by a Prolific link or an invitation, a salted hash
of it; no name, address or browser. Unique keys, not code, are what keeps a message or a vote from counting twice.
Times are seconds since 1970.
"""

from __future__ import annotations

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel


class Study(SQLModel, table=True):
    """The one study of this database, with the secrets that sign its cookies and salt its ids."""

    id: int = Field(default=1, primary_key=True)
    name: str
    design: str = Field(sa_type=Text)  # JSON, whole
    fingerprint: str = Field(sa_type=Text)  # JSON of what may not change while votes come in
    secret: str
    salt: str
    created_at: float


class Participant(SQLModel, table=True):
    """Somebody who consented. After withdrawal only `id`, the times and `withdrawn_at` are left."""

    id: str = Field(primary_key=True)
    external: str | None = Field(default=None, unique=True)  # of a PROLIFIC_PID or an invitation
    place: int = Field(index=True)  # in the schedule
    holds: bool = True  # the place; not after a withdrawal or a time-out
    joined_at: float
    instructed_at: float | None = None
    finished_at: float | None = None
    withdrawn_at: float | None = None


class Visit(SQLModel, table=True):
    """A browser of a participant: the hash of what its cookie says."""

    token_hash: str = Field(primary_key=True)
    participant_id: str = Field(foreign_key="participant.id", index=True)


class Comparison(SQLModel, table=True):
    """Two assistants that a participant compares. `first` is shown as A."""

    __table_args__ = (UniqueConstraint("participant_id", "number"), UniqueConstraint("participant_id", "a", "b"))

    id: int | None = Field(default=None, primary_key=True)
    participant_id: str = Field(foreign_key="participant.id", index=True)
    number: int  # 0 for the first
    a: str
    b: str
    first: str
    task: str | None = None  # until it is chosen
    step: str = ""  # "": not opened; then "both", or "A" and "B"; then "vote"
    opened_at: float | None = None

    @property
    def second(self) -> str:
        return self.b if self.first == self.a else self.a

    def arm(self, label: str) -> str:
        """Who answers under the label A or B."""
        return self.first if label == "A" else self.second


class Message(SQLModel, table=True):
    """What was said in one of the two chats, turn by turn: even turns are the participant's."""

    __table_args__ = (UniqueConstraint("comparison_id", "label", "turn"),)

    id: int | None = Field(default=None, primary_key=True)
    comparison_id: int = Field(foreign_key="comparison.id", index=True)
    label: str  # A or B
    turn: int
    role: str
    text: str = Field(sa_type=Text)
    at: float
    seconds: float | None = None  # until the first words of a reply


class Ballot(SQLModel, table=True):
    """A vote; a comparison has one or none."""

    comparison_id: int = Field(primary_key=True, foreign_key="comparison.id")
    choice: str  # A, B, tie, both_bad
    strength: int | None = None  # 1 slightly, 2 clearly, 3 by far
    reason: str = Field(default="", sa_type=Text)
    at: float


class Answer(SQLModel, table=True):
    """What was answered to an attention check."""

    participant_id: str = Field(primary_key=True, foreign_key="participant.id")
    number: int = Field(primary_key=True)
    answer: str = Field(sa_type=Text)
    passed: bool
    at: float


class Look(SQLModel, table=True):
    """That somebody looked at the win rates before the study was over, or after."""

    id: int | None = Field(default=None, primary_key=True)
    at: float
    n_votes: int
