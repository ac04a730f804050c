"""What is learned of companies from all that the CRM has of them: kept as rows that are brought in line with it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlmodel import Session

from autocapture.model.crm import LearnedDomain, NumberBlock
from autocapture.store.bulk import delete_where_in, insert, rows_of, table_of


def keep_learned(
    session: Session, model: type[LearnedDomain | NumberBlock], column: str, learned: Mapping[str, int]
) -> None:
    """The company (an id) of each value of `column`, and of no other; where nothing differs, nothing is written."""
    row = table_of(model).c
    before = dict(tuple(each) for each in rows_of(session, select(row[column], row.company_id)))
    delete_where_in(session, model, column, sorted(key for key in before if before[key] != learned.get(key)))
    fresh = [
        {column: key, "company_id": company_id}
        for key, company_id in sorted(learned.items())
        if before.get(key) != company_id
    ]
    insert(session, model, fresh)
