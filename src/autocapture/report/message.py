"""The mail that brings a summary: HTML and plain text of the same numbers, charts attached with their numbers as text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import blake2b

from autocapture.report import charts, render
from autocapture.report.charts import Chart
from autocapture.report.numbers import Number
from autocapture.report.reader import Reader
from autocapture.report.sentences import finding
from autocapture.report.summary import Summary
from autocapture.report.tallies import ACCOUNTS, plain
from autocapture.report.team import slug


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses within the web pages. `base` has no slash at its end."""

    base: str
    publication_id: int

    def number(self, number: Number) -> str:
        """The rows behind a number; of what is told of capture the accounts."""
        if number.metric == ACCOUNTS:
            return f"{self.base}/accounts"
        return f"{self.base}/n/{self.publication_id}/{number.metric}/{number.cell}"

    def page(self, summary: Summary) -> str:
        return f"{self.base}/summary/{slug(summary.team)}/{summary.week}"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who writes to whom and when. `sender` and `recipient` are bare addresses; `name` is the recipient's."""

    sender: str
    recipient: str
    name: str
    at: datetime


def message(summary: Summary, reader: Reader, links: Links, envelope: Envelope) -> EmailMessage:
    """The mail for one reader. The same delivery always makes the same Message-ID, so a receiver can tell a repetition.

    Raises ValueError where an address is none; names and subjects cannot carry a line end into the header.
    """
    mail = EmailMessage()
    domain = envelope.sender.rpartition("@")[2]
    mail["From"] = Address("autocapture", addr_spec=envelope.sender)
    mail["To"] = Address(render.shown(envelope.name), addr_spec=envelope.recipient)
    mail["Subject"] = render.shown(f"{plain(finding(summary, reader))} ({summary.week})")
    mail["Date"] = format_datetime(envelope.at)
    mail["Message-ID"] = message_id(summary, links.publication_id, envelope.recipient, domain)
    mail["List-Id"] = f"Weekly summary <weekly-summary.{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    pictures = _Pictures(domain)
    page = links.page(summary)
    html = render.mail_html(summary, reader, links.number, page, pictures.place)
    mail.set_content(render.mail_text(summary, reader, links.number, page))
    mail.add_alternative(html, subtype="html")
    pictures.attach(mail)
    return mail


def message_id(summary: Summary, publication_id: int, recipient: str, domain: str) -> str:
    """Derived from what is told to whom, not from when it is sent."""
    told = f"{publication_id}\n{summary.team_id}\n{summary.week}\n{summary.as_of.isoformat()}\n{recipient}"
    return f"<summary.{summary.week.lower()}.{blake2b(told.encode(), digest_size=12).hexdigest()}@{domain}>"


class _Pictures:
    """The charts of one mail, each under the Content-ID by which its HTML names it."""

    def __init__(self, domain: str) -> None:
        self._domain = domain
        self._charts: list[Chart] = []

    def place(self, chart: Chart) -> str:
        self._charts.append(chart)
        return f"cid:chart{len(self._charts)}@{self._domain}"

    def attach(self, mail: EmailMessage) -> None:
        html = mail.get_payload()[1]  # type: ignore[index]
        assert isinstance(html, EmailMessage)  # noqa: S101  the alternative added above
        for place, chart in enumerate(self._charts, 1):
            html.add_related(
                charts.png(chart),
                maintype="image",
                subtype="png",
                cid=f"<chart{place}@{self._domain}>",
                disposition="inline",
                filename=f"chart{place}.png",
            )
