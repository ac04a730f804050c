"""The tables. They are the domain: what crosses a stage is a record, a table row or a small frozen value.

Importing this package registers every table with `SQLModel.metadata`.
"""

from autocapture.model import (
    accounts,
    activities,
    budgets,
    connecting,
    corrections,
    created,
    crm,
    kept_keys,
    ledger,
    measures,
    organization,
    rules,
    sign_in,
    watching,
    working_time,
)

__all__ = [
    "accounts",
    "activities",
    "budgets",
    "connecting",
    "corrections",
    "created",
    "crm",
    "kept_keys",
    "ledger",
    "measures",
    "organization",
    "rules",
    "sign_in",
    "watching",
    "working_time",
]
