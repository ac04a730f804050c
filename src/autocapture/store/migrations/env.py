"""Where migrations run: on the connection that `store.schema` hands over, or on the database of the settings."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import autocapture.model  # noqa: F401  registers every table
from autocapture.model.columns import DecimalText, UtcDateTime


def render(kind: str, item: Any, _autogen: AutogenContext) -> str | Literal[False]:
    """Types as a migration writes them: plain SQLAlchemy, so that old migrations do not follow later code."""
    if kind == "type":
        match item:
            case UtcDateTime():
                return "sa.DateTime(timezone=True)"
            case DecimalText():
                return "sa.String(length=40)"
            case AutoString():
                return "sa.String()"
    return False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_item=render,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    migrate(handed_over)
else:
    from autocapture.settings import load_settings
    from autocapture.store.engine import open_engine, writing

    with writing(open_engine(load_settings().database_url)) as session:
        migrate(session.connection())
