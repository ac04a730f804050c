"""What every workflow is given: the parts of a running autocapture, chosen once by `bootstrap.build`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from subprocess import Popen

import requests
from sqlalchemy import Engine

from autocapture.clock import Clock
from autocapture.connect.access_tokens import AccessTokens
from autocapture.connect.clients import Clients
from autocapture.connect.dial import dial_allowed
from autocapture.connect.http import open_session
from autocapture.connect.listings import Listings
from autocapture.connect.registry import Registry
from autocapture.connect.vault import Vault
from autocapture.measure.fiscal_calendar import WEEKDAYS, FiscalCalendar
from autocapture.settings import Settings


@dataclass(frozen=True, slots=True)
class Application:
    settings: Settings
    clock: Clock
    engine: Engine
    vault: Vault
    registry: Registry
    start_reader: Callable[[], Popen[bytes]] | None = None
    """Starts a process that reads for a large capture (`service.reader`); None where captures read for themselves."""
    clients: Clients = field(init=False, repr=False)
    """The operator's clients at the providers where people grant."""
    tokens: AccessTokens = field(init=False, repr=False)
    """Access tokens of this process."""
    listed: Listings = field(init=False, repr=False)
    """When this process last listed the channels of each account."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "clients", Clients(self.settings, self.open_http, self.clock))
        object.__setattr__(self, "tokens", AccessTokens(self.clock))
        object.__setattr__(self, "listed", Listings(self.clock))

    @property
    def dial_allowed(self) -> Callable[[str], bool]:
        """Whether an address may be dialled."""
        return partial(dial_allowed, allow_networks=self.settings.network.allow_networks)

    @property
    def fiscal_calendar(self) -> FiscalCalendar:
        """The organisation's years, and what its periods are called."""
        year = self.settings.fiscal_year
        return FiscalCalendar(
            months=year.months,
            begins_in=year.begins_in,
            named_by=year.named_by,
            week_begins_on=WEEKDAYS.index(year.week_begins_on),
            ends_on=year.ends_on,
        )

    @property
    def open_http(self) -> partial[requests.Session]:
        """Opens an HTTP session to the outside."""
        return partial(open_session, self.dial_allowed, ca_file=self.settings.network.ca_file)
