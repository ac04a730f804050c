"""Microsoft Graph as autocapture uses it, on loopback: mail, calendars, call records, batches, subscriptions, with state.

    with FakeGraph() as graph:
        mailbox = graph.add_mailbox("rep@ours.example")
        token = graph.sign_in("rep@ours.example", {"Mail.ReadBasic"})
        mailbox.add(message(1), "inbox")
        requests.get(f"{graph.url}/me/mailFolders", headers={"Authorization": f"Bearer {token}"})

It refuses what Graph refuses: a token without the scope, `$select` on a calendar view, a link that has expired, a subscription
whose address does not answer. Without the preference for immutable ids it gives ids that change with every move.
"""

from __future__ import annotations

from autocapture.testing.fakes.microsoft.calendar import FakeCalendar
from autocapture.testing.fakes.microsoft.graph import FakeGraph
from autocapture.testing.fakes.microsoft.mailbox import FakeMailbox
from autocapture.testing.fakes.microsoft.samples import event, message

__all__ = ["FakeCalendar", "FakeGraph", "FakeMailbox", "event", "message"]
