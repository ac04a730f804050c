"""What the database knows of its own tables, from which it plans queries.

A fresh table is taken for a small one: without statistics PostgreSQL reads a just imported table whole for every row of another,
and SQLite walks through the wrong table first. PostgreSQL's autovacuum comes a minute later at best, SQLite never looks by
itself.
"""

from __future__ import annotations

from sqlmodel import Session, text

_SAMPLE = 400  # entries read of each index: milliseconds, whatever the size of the tables


def look_again(session: Session) -> None:
    """Takes statistics of every table, in the caller's transaction: after work that may have changed the order of magnitude."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text(f"PRAGMA analysis_limit = {_SAMPLE}"))
    session.execute(text("ANALYZE"))
