"""Each cloud of Microsoft has a Graph of its own, whose address is part of its permissions' names."""

from __future__ import annotations

from autocapture.connect.providers import microsoft
from autocapture.sections import MicrosoftSettings

GOVERNMENT = MicrosoftSettings(
    login_url="https://login.microsoftonline.us", graph_url="https://graph.microsoft.us/v1.0"
)


def test_what_an_administrator_consented_to_is_asked_of_the_clouds_own_graph() -> None:
    assert MicrosoftSettings().whatever_was_consented == "https://graph.microsoft.com/.default"
    assert GOVERNMENT.whatever_was_consented == "https://graph.microsoft.us/.default"


def test_a_permission_is_known_by_its_name_without_the_clouds_address() -> None:
    provider = microsoft(GOVERNMENT)
    assert provider.same_scope("https://graph.microsoft.us/Mail.ReadBasic") == provider.same_scope(
        "Mail.ReadBasic"
    )
