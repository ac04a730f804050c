"""The migrations. They travel in the wheel and need no alembic.ini; see `autocapture.store.schema`."""
