"""Which tables does a study begin with?"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "study",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("design", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("salt", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
    )
    op.create_table(
        "look",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("n_votes", sa.Integer(), nullable=False),
    )
    _people()
    _talk()


def _people() -> None:
    op.create_table(
        "participant",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("external", sa.String(), nullable=True, unique=True),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("joined_at", sa.Float(), nullable=False),
        sa.Column("instructed_at", sa.Float(), nullable=True),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.Column("withdrawn_at", sa.Float(), nullable=True),
    )
    op.create_index("ix_participant_place", "participant", ["place"])
    op.create_table(
        "visit",
        sa.Column("token_hash", sa.String(), primary_key=True),
        sa.Column("participant_id", sa.String(), sa.ForeignKey("participant.id"), nullable=False),
    )
    op.create_index("ix_visit_participant_id", "visit", ["participant_id"])
    op.create_table(
        "answer",
        sa.Column("participant_id", sa.String(), sa.ForeignKey("participant.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
    )


def _talk() -> None:
    op.create_table(
        "comparison",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("participant_id", sa.String(), sa.ForeignKey("participant.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("a", sa.String(), nullable=False),
        sa.Column("b", sa.String(), nullable=False),
        sa.Column("first", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=True),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=True),
        sa.UniqueConstraint("participant_id", "number"),
        sa.UniqueConstraint("participant_id", "a", "b"),
    )
    op.create_index("ix_comparison_participant_id", "comparison", ["participant_id"])
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("comparison_id", sa.Integer(), sa.ForeignKey("comparison.id"), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.UniqueConstraint("comparison_id", "label", "turn"),
    )
    op.create_index("ix_message_comparison_id", "message", ["comparison_id"])
    op.create_table(
        "ballot",
        sa.Column("comparison_id", sa.Integer(), sa.ForeignKey("comparison.id"), primary_key=True),
        sa.Column("choice", sa.String(), nullable=False),
        sa.Column("strength", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
    )


def downgrade() -> None:
    for table in ("ballot", "message", "comparison", "answer", "visit", "participant", "look", "study"):
        op.drop_table(table)
