"""How does alembic reach the database of a study? By the connection that `database.migrate` hands over."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from repro.study import tables  # noqa: F401  (fills the metadata)

context.configure(
    connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
