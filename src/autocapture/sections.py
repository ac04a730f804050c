"""What every section of the settings is, and the sections that speak of providers: clients, addresses, rate limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from autocapture.errors import SetupError


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _endpoint(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname or "")):
        raise ValueError(f"an address that begins with https:// is wanted, not {text!r}")
    if not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"an address without query and fragment is wanted, not {text!r}")
    return text.rstrip("/")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


Endpoint = Annotated[str, AfterValidator(_endpoint)]
"""An address of a provider; http is for this machine alone."""


_ATOMS = r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*"
_MAILBOX = re.compile(f"{_ATOMS}@{_ATOMS}", re.ASCII)


def is_mailbox(address: str) -> bool:
    """Whether a mail's header holds the address as it stands (RFC 5322 section 3.4.1, without quotes)."""
    return _MAILBOX.fullmatch(address) is not None


def _mailbox(text: str) -> str:
    if text and not is_mailbox(text):
        raise ValueError(f"an address such as reports@example.com is wanted, not {text!r}")
    return text


Mailbox = Annotated[str, AfterValidator(_mailbox)]


class VaultSettings(Section):
    """Where the key of the vault comes from, if not from `key_file`: the text `key`, best set in the environment, or the key
    management service whose plug is called `kms`. `old_key_files` still open what was sealed before a rotation."""

    key: SecretStr = SecretStr("")
    kms: str = ""
    old_key_files: tuple[Path, ...] = ()


class GoogleSettings(Section):
    """The client that the operator registered at Google, and where Google is reached.

    `service_account_file` is the key of a service account with domain-wide delegation; it may stand in for the people in
    `mailboxes` alone, whatever Google would let it read.
    """

    client_id: str = ""
    client_secret_file: Path | None = None
    service_account_file: Path | None = None
    mailboxes: tuple[str, ...] = ()
    issuer: Endpoint = "https://accounts.google.com"
    authorize_url: Endpoint = "https://accounts.google.com/o/oauth2/v2/auth"
    token_url: Endpoint = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    device_url: Endpoint = "https://oauth2.googleapis.com/device/code"
    revoke_url: Endpoint = "https://oauth2.googleapis.com/revoke"
    keys_url: Endpoint = "https://www.googleapis.com/oauth2/v3/certs"
    gmail_url: Endpoint = "https://gmail.googleapis.com"
    calendar_url: Endpoint = "https://www.googleapis.com/calendar/v3"


def _of_pubsub(kind: str) -> AfterValidator:
    def named(text: str) -> str:
        if text and not re.fullmatch(rf"projects/[^/\s]+/{kind}/[^/\s]+", text):
            raise ValueError(f"a name such as projects/our-project/{kind}/gmail is wanted, not {text!r}")
        return text

    return AfterValidator(named)


Topic = Annotated[str, _of_pubsub("topics")]
Subscription = Annotated[str, _of_pubsub("subscriptions")]


class PushSettings(Section):
    """Notices of providers. They are asked for by themselves where `web.public_url` is an https address; Gmail publishes them to
    a topic of Pub/Sub instead, from which they are pushed to us by `gmail_sender`, or pulled by us where `gmail_subscription`
    names the subscription. A channel that is watched is polled every `interval_seconds` all the same.
    """

    interval_seconds: Annotated[int, Field(ge=5, le=240)] = 180
    gmail_topic: Topic = ""
    gmail_sender: str = ""
    gmail_audience: str = ""
    gmail_subscription: Subscription = ""
    pubsub_account_file: Path | None = None
    pubsub_url: Endpoint = "https://pubsub.googleapis.com"

    @model_validator(mode="after")
    def _is_whole(self) -> PushSettings:
        if not self.gmail_topic and (self.gmail_sender or self.gmail_subscription):
            raise ValueError("gmail_sender and gmail_subscription need gmail_topic, to which Gmail publishes")
        if self.gmail_subscription and self.pubsub_account_file is None:
            raise ValueError("gmail_subscription needs pubsub_account_file, a key that may read it")
        return self


class MicrosoftSettings(Section):
    """The application that the operator registered in Entra, and where Microsoft is reached; other clouds have other addresses.

    `certificate_file` holds certificate and private key (PEM) and is better than a secret. `mailboxes` are those that may be
    read by the application's own permission, without a grant of their owners; `mailbox_outside` is one that it must not be able
    to read, which `doctor` tries.
    """

    tenant: str = "organizations"
    client_id: str = ""
    client_secret_file: Path | None = None
    certificate_file: Path | None = None
    mailboxes: tuple[str, ...] = ()
    mailbox_outside: str = ""
    login_url: Endpoint = "https://login.microsoftonline.com"
    graph_url: Endpoint = "https://graph.microsoft.com/v1.0"

    @property
    def graph(self) -> str:
        """Graph's name in front of its permissions: where it is reached, which each cloud has a place of its own for."""
        parts = urlsplit(self.graph_url)
        return f"{parts.scheme}://{parts.netloc}/"

    @property
    def whatever_was_consented(self) -> str:
        """The scope that asks Graph for all that an administrator granted the application."""
        return f"{self.graph}.default"


class OidcSettings(Section):
    """An OpenID Connect issuer that people may sign in with; its addresses are found at the issuer itself."""

    issuer: Endpoint
    client_id: str
    client_secret_file: Path | None = None
    label: str = ""


Calls = Annotated[int, Field(ge=1)]


class RateLimit(Section):
    """What a provider gives within `seconds`: units for each account and for the operator's whole project, where it limits
    that too. A call costs one unit unless `costs` says otherwise, by the method's name without that of the service."""

    provider_costs: ClassVar[Mapping[str, int]] = {}

    account: Calls | None = None
    project: Calls | None = None
    seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    costs: dict[str, Annotated[int, Field(ge=0)]] = {}

    @model_validator(mode="after")
    def _fill_in_costs(self) -> RateLimit:
        """What is written stands beside the provider's own table, not in its place."""
        object.__setattr__(self, "costs", {**self.provider_costs, **self.costs})
        return self

    def cost(self, method: str) -> int:
        return self.costs.get(method, 1)


class GmailRateLimit(RateLimit):
    """Google's figures for projects made since May 2026: 300 messages a minute and mailbox."""

    provider_costs = {
        "getProfile": 1, "history.list": 2, "labels.list": 1, "labels.get": 1, "messages.list": 5, "messages.get": 20,
        "threads.get": 40, "watch": 100, "stop": 50,
    }  # fmt: skip

    account: Calls | None = 6_000
    project: Calls | None = 1_200_000


class CalendarRateLimit(RateLimit):
    account: Calls | None = 600
    project: Calls | None = 10_000


class GraphRateLimit(RateLimit):
    """10,000 requests in ten minutes for each application and mailbox."""

    account: Calls | None = 10_000
    seconds: Annotated[int, Field(ge=1, le=86_400)] = 600


class CallRecordsRateLimit(RateLimit):
    """1,500 requests in twenty seconds for each application and tenant."""

    project: Calls | None = 1_500
    seconds: Annotated[int, Field(ge=1, le=86_400)] = 20


class RateLimits(Section):
    """The budgets by service: what stands before the first dot of a method's name. A service without one is not limited.

    `reserve` is the share of a project's budget that accounts in their first import leave to all others.
    """

    reserve: Annotated[float, Field(ge=0, le=0.9)] = 0.2
    gmail: RateLimit = Field(default_factory=GmailRateLimit)
    calendar: RateLimit = Field(default_factory=CalendarRateLimit)
    graph: RateLimit = Field(default_factory=GraphRateLimit)
    callrecords: RateLimit = Field(default_factory=CallRecordsRateLimit)
    others: dict[str, RateLimit] = {}

    @model_validator(mode="before")
    @classmethod
    def _keep_provider_figures(cls, values: Any) -> Any:
        """A table that names a few keys changes those alone."""
        if not isinstance(values, dict):
            return values
        return {
            key: _KINDS[key].model_validate(value) if key in _KINDS and isinstance(value, dict) else value
            for key, value in values.items()
        }

    def of(self, service: str) -> RateLimit | None:
        known = getattr(self, service, None) if service in _KINDS else self.others.get(service)
        return known if isinstance(known, RateLimit) else None


_KINDS: Mapping[str, type[RateLimit]] = {
    "gmail": GmailRateLimit,
    "calendar": CalendarRateLimit,
    "graph": GraphRateLimit,
    "callrecords": CallRecordsRateLimit,
}


def read_secret(path: Path) -> str:
    """A secret kept in a file of its own, without the line end that editors add. Raises SetupError."""
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as problem:
        reason = (problem.strerror if isinstance(problem, OSError) else None) or "it is no text"
        raise SetupError(f"the secret file {path} cannot be read: {reason}") from problem
