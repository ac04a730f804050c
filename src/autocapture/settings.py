"""Settings: the documented defaults, one file, the environment and secret files; read once, validated as a whole.

Order, later wins: the defaults of this module (``config/autocapture.toml`` explains each), the operator's file
(``AUTOCAPTURE_CONFIG``, else ``<home>/autocapture.toml`` where it exists), the environment
(``AUTOCAPTURE_<SECTION>_<KEY>``; ``AUTOCAPTURE_HOME`` and ``AUTOCAPTURE_DATABASE_URL`` have no section). A key that does not
exist is refused wherever it is written, so a typing error never passes for a setting.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from autocapture.errors import SetupError, wrong_value
from autocapture.sections import (
    GoogleSettings,
    Mailbox,
    MicrosoftSettings,
    OidcSettings,
    PushSettings,
    RateLimits,
    Section,
    VaultSettings,
    read_secret,
)

PREFIX = "AUTOCAPTURE_"
DEFAULT_HOME = Path("var")
SETTINGS_FILE = "autocapture.toml"
_LISTS = ("allow_networks", "proxies", "mailboxes", "old_key_files")  # separated by commas in the environment


def _network(text: object) -> object:
    try:
        return ip_network(text) if isinstance(text, str) else text
    except ValueError:
        raise ValueError(f"a network such as 10.0.0.0/8 is wanted, not {text!r}") from None


Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]


def _region(text: str) -> str:
    if not re.fullmatch("[A-Z]{2}", text):
        raise ValueError(f"a country of two capital letters such as DE is wanted, not {text!r}")
    return text


Region = Annotated[str, AfterValidator(_region)]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone of the IANA database") from None
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]
Port = Annotated[int, Field(ge=1, le=65_535)]


def _base_address(text: str) -> str:
    parts = urlsplit(text)
    if text and (
        parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment
    ):
        raise ValueError(f"{text!r} is not an address such as https://summaries.example.com")
    return text.rstrip("/")


BaseAddress = Annotated[str, AfterValidator(_base_address)]


class WebSettings(Section):
    """Where the pages are served. Beyond loopback only once an admin can sign in, and only behind https; `serve` checks it.

    `public_url` is where people reach them, where that is another address; `proxies` are the networks of the proxies in front,
    whose word on how a request came to them is believed.
    """

    host: str = "127.0.0.1"
    port: Port = 8000
    public_url: BaseAddress = ""
    proxies: tuple[Network, ...] = ()

    @property
    def address(self) -> str:
        """What links begin with, without a slash at the end."""
        return self.public_url or self.own_address

    @property
    def own_address(self) -> str:
        """Where the service itself listens, with no proxy in front."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


class SmtpSettings(Section):
    """The mail server: for weekly summaries, invitations and other mails. Without `host` none is sent."""

    host: str = ""
    port: Port = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    username: str = ""
    password_file: Path | None = None
    sender: Mailbox = ""

    def password(self) -> str:
        """The password of `username`, read from its file; empty where none is set. Raises SetupError."""
        return "" if self.password_file is None else read_secret(self.password_file)


class CaptureSettings(Section):
    """How often accounts are asked for news, what is never captured, by what deals are matched, and the cases that this must
    satisfy."""

    interval_seconds: Annotated[int, Field(ge=5, le=86_400)] = 60
    exclusions_file: Path | None = None
    matching_file: Path | None = None
    cases_file: Path | None = None


class MeetingSettings(Section):
    """Whether a meeting of which nobody knows whether it took place counts as held."""

    unknown_count: bool = False


Threshold = Annotated[int, Field(ge=0, le=1_000)]


class ContactsSettings(Section):
    """Of whom the CRM does not know contacts are created: who was written to so often, was in such an exchange of mails, or was
    met so often. 0 never creates anybody by that alone; without `create` nobody is created."""

    create: bool = True
    sent_to: Threshold = 1
    two_way: Threshold = 2
    met: Threshold = 1


class OrganizationSettings(Section):
    """Whose activity it is: the zone of company-wide periods, the region by which local phone numbers are read."""

    name: str = "Our organisation"
    time_zone: TimeZone = "UTC"
    region: Region = "US"


class FiscalYearSettings(Section):
    """How the organisation's years are cut (`measure.fiscal_calendar`): by months of the calendar, or by weeks, in quarters of 13
    of them or in thirteen months."""

    months: Literal["calendar", "4-4-5", "4-5-4", "5-4-4", "13"] = "calendar"
    begins_in: Annotated[int, Field(ge=1, le=12)] = 1
    named_by: Literal["start", "end"] = "start"
    week_begins_on: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = (
        "monday"
    )
    ends_on: Literal["nearest", "last"] = "nearest"


class NetworkSettings(Section):
    """Addresses that may be dialled besides public ones: this machine, unless the operator says otherwise. `ca_file` holds
    certificate authorities that are trusted besides the system's."""

    allow_networks: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
    ca_file: Path | None = None


class WorkerSettings(Section):
    threads: Annotated[int, Field(ge=1, le=64)] = 4


class Settings(Section):
    home: Path
    database_url: str
    key_file: Path
    web: WebSettings = WebSettings()
    smtp: SmtpSettings = SmtpSettings()
    capture: CaptureSettings = CaptureSettings()
    meetings: MeetingSettings = MeetingSettings()
    contacts: ContactsSettings = ContactsSettings()
    organization: OrganizationSettings = OrganizationSettings()
    fiscal_year: FiscalYearSettings = FiscalYearSettings()
    network: NetworkSettings = NetworkSettings()
    worker: WorkerSettings = WorkerSettings()
    vault: VaultSettings = VaultSettings()
    google: GoogleSettings = GoogleSettings()
    microsoft: MicrosoftSettings = MicrosoftSettings()
    push: PushSettings = PushSettings()
    oidc: dict[str, OidcSettings] = Field(default_factory=dict)
    rate_limits: RateLimits = RateLimits()


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force. `environ` defaults to the process's own. Raises SetupError with one line naming the key."""
    environ = os.environ if environ is None else environ
    home = Path(environ.get(PREFIX + "HOME") or DEFAULT_HOME).absolute()
    values = _from_file(environ.get(PREFIX + "CONFIG"), home)
    _overlay_environment(values, environ)
    values["home"] = home
    values.setdefault("database_url", f"sqlite:///{home / 'autocapture.db'}")
    values.setdefault("key_file", _key_file(environ, home))
    try:
        return Settings.model_validate(values)
    except ValidationError as problem:
        raise SetupError(_one_line(problem)) from None


def _key_file(environ: Mapping[str, str], home: Path) -> Path:
    """The credential that systemd passed on, where there is one (``LoadCredential=autocapture.key:...``)."""
    passed_on = Path(environ.get("CREDENTIALS_DIRECTORY", "")) / "autocapture.key"
    return passed_on if passed_on.is_absolute() and passed_on.exists() else home / "keys" / "master.key"


def _from_file(named: str | None, home: Path) -> dict[str, Any]:
    path = Path(named) if named else home / SETTINGS_FILE
    if not named and not path.exists():
        return {}
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SetupError(f"the settings file {path} cannot be read: {_reason(problem)}") from problem
    if "home" in values:
        raise SetupError(f"{path}: home cannot be set in a file; set {PREFIX}HOME")
    return values


def environment_names() -> dict[str, tuple[str, ...]]:
    """Every environment variable that is read, with the path of the key it sets."""
    names: dict[str, tuple[str, ...]] = {}
    for key, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            for inner in kind.model_fields:
                names[f"{PREFIX}{key}_{inner}".upper()] = (key, inner)
        elif key != "oidc":  # tables with names of the operator's own are written in the file alone
            names[f"{PREFIX}{key}".upper()] = (key,)
    return names


def _overlay_environment(values: dict[str, Any], environ: Mapping[str, str]) -> None:
    known = environment_names()
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name == PREFIX + "CONFIG":
            continue
        if name not in known:
            raise SetupError(f"unknown setting {name} in the environment")
        *section, key = known[name]
        target = values.setdefault(section[0], {}) if section else values
        if not isinstance(target, dict):
            raise SetupError(f"{section[0]} must be a section ([{section[0]}]) in the settings file")
        target[key] = _in_environment(name, key, text)


def _in_environment(name: str, key: str, text: str) -> object:
    """A list is separated by commas, a table is written as in the file: ``{ account = 15000 }``."""
    if key in _LISTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    if text.startswith("{"):
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError as problem:
            raise SetupError(f"{name} cannot be read: {problem}") from None
    return text


def _one_line(problem: ValidationError) -> str:
    first = problem.errors(include_url=False)[0]
    where = ".".join(part for part in first["loc"] if isinstance(part, str))
    if first["type"] == "extra_forbidden":
        return f"unknown setting {where}"
    return f"setting {where}: {wrong_value(first)}"


def _reason(problem: Exception) -> str:
    return (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
