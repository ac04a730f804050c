"""Rules are compared, applied and taken back alike on both databases."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.integration.capture.deployment import deploy, message
from tests.integration.corrections.matter import captured, deals_of, furnish
from tests.integration.rules.conftest import SETTINGS, write_list, write_rules
from tests.peers.postgres import postgres_server, postgres_url  # noqa: F401

from autocapture.model.measures import Quota
from autocapture.store.engine import writing
from autocapture.workflows.rules_apply import apply_rules, undo_rules
from autocapture.workflows.rules_diff import rules_diff
from autocapture.workflows.rules_in_force import rules_of_files


def _quiet(_done: int, _of: int) -> None:
    pass


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
@pytest.mark.soak
def test_a_batch_goes_and_comes(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    home = tmp_path / "home"
    home.mkdir()
    (home / "autocapture.toml").write_text(SETTINGS.format(home=home), encoding="utf-8")
    write_rules(home)
    write_list(home)
    app = deploy(home, url=url)
    furnish(app)
    mine = message(2, subject="Lease", author="Ruth <ruth@ours.example>", to="olga@other.example")
    captured(app, tmp_path / "mail", message(1, subject="Pumps"), mine)
    quota = Quota(
        metric="emails_sent",
        scope_type="company",
        period_start=date(2026, 11, 1),
        period_end=date(2026, 11, 30),
        value=Decimal(5),
    )
    with writing(app.engine) as session:
        session.add(quota)
    before = deals_of(app)
    write_rules(home, 2, common="pumps")
    write_list(home, "other.example", version=2)
    diff = rules_diff(app, rules_of_files(app), _quiet)
    assert {group.change: group.count for group in diff.groups} == {"excluded": 1, "off_deal": 1}
    assert [(change.before, change.after) for change in diff.quotas] == [(1, 0)]
    assert deals_of(app) == before
    assert apply_rules(app, None, _quiet).changed == 2
    assert deals_of(app) == {"1": [], "2": []}
    assert undo_rules(app, None, _quiet).changed == 2
    assert deals_of(app) == before
    app.engine.dispose()
