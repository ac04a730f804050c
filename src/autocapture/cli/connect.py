"""`connect`: one command for each installed connector, its flags made from the connector's options.

Connectors are third parties' too, so no command is written by hand: a field of the options model is a flag. A connector is
imported when its own command is asked for.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from autocapture.cli.application import open_application
from autocapture.cli.usage import day
from autocapture.connect.redirects import PORT

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from autocapture.connector import CaptureLevel, Connector, Credential
    from autocapture.workflows.connect_account import Connected

User = Annotated[
    str, typer.Option("--user", help="E-mail address of the rep whose account this is.", metavar="EMAIL")
]
Keeper = Annotated[
    str, typer.Option("--user", help="E-mail address of the admin who keeps this account.", metavar="EMAIL")
]
Since = Annotated[
    date | None,
    typer.Option(
        "--since",
        metavar="DATE",
        parser=day,
        help="Leave out what is older. Default: 90 days back for what is signed in to at a provider and for calendars on a "
        "server, else everything; or as it is on a connected account.",
    ),
]
Level = Annotated[
    Literal["metadata", "subject", "full"] | None,
    typer.Option(
        "--level",
        help="What is stored; full is the text too. Default: subject, or as it is on a connected account.",
    ),
]
Username = Annotated[str, typer.Option("--username", metavar="NAME", help="The login at the server.")]
PasswordStdin = Annotated[
    bool,
    typer.Option(
        "--password-stdin", help="Read the password from standard input; otherwise it is asked for."
    ),
]
Device = Annotated[
    bool,
    typer.Option(
        "--device", help="Sign in by a code typed in on another screen, where the provider allows it."
    ),
]
RedirectPort = Annotated[
    int,
    typer.Option(
        "--redirect-port",
        metavar="PORT",
        min=1024,
        max=65535,
        help="Where the browser comes back to, on 127.0.0.1. At Google http://127.0.0.1:PORT must be registered.",
    ),
]
Delegated = Annotated[
    bool,
    typer.Option(
        "--delegated",
        help="Without sign-in, by what the organisation granted; the mailbox must be listed in the settings.",
    ),
]
Mailbox = Annotated[
    str | None,
    typer.Option(
        "--mailbox", metavar="ADDRESS", help="With --delegated: whose mailbox. Default: the user's."
    ),
]
AccountId = Annotated[
    int | None,
    typer.Option("--account", metavar="ID", help="Connect this account again, and no other mailbox."),
]
AllowAddress = Annotated[
    bool,
    typer.Option("--allow-address", help="Take a mailbox that is not known to be the user's."),
]
Preview = Annotated[
    bool,
    typer.Option(
        "--preview",
        help="Capture nothing yet: see `accounts preview`, then choose with `accounts scope`, which begins.",
    ),
]
Purge = Annotated[
    bool | None,
    typer.Option(
        "--purge/--keep",
        help="What becomes of what was captured and is left out by a later --since or a lower --level. Must be said where "
        "anything was.",
    ),
]
_SET_ELSEWHERE = frozenset({"gmail_url", "calendar_url", "graph_url", "mailbox", "allowed_mailboxes"})
"""Options of connectors that ask at a provider which the settings name, or another flag says."""


class ConnectGroup(TyperGroup):
    """The installed connectors as commands."""

    def list_commands(self, ctx: Any) -> list[str]:
        from autocapture.connect.registry import Registry

        return list(Registry().names())

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Connectors"):  # names alone: one that does not load must not spoil the list
            formatter.write_dl([(name, f"see `connect {name} --help`") for name in self.list_commands(ctx)])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        from autocapture.connect.registry import Registry

        registry = Registry()
        if cmd_name not in registry.names():
            if not ctx.resilient_parsing:
                ctx.fail(f"there is no connector {cmd_name!r}; installed: {', '.join(registry.names())}")
            return None
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name=cmd_name)(_command_for(registry.get(cmd_name)))
        return typer.main.get_command(single)


def register(app: typer.Typer) -> None:
    group = typer.Typer(cls=ConnectGroup, no_args_is_help=True, rich_markup_mode=None)
    group.callback()(connect)
    app.add_typer(group, name="connect")


def connect() -> None:
    """Connect a rep's mailbox, calendar or call log."""


def _command_for(connector: Connector[Any]) -> Callable[..., None]:
    """The function behind ``connect NAME``, with one keyword for each option of the connector."""
    method = connector.auth.method
    bounded = method == "password" and connector.kinds == {"event"}  # of a calendar, many years are past
    flags = {} if connector.auth.by_organisation else _LOGIN[method]
    fields = {
        name: field
        for name, field in connector.options.model_fields.items()
        if method != "oauth" or name not in _SET_ELSEWHERE
    }

    def run(*, user: str, since: date | None, level: CaptureLevel | None, **given: Any) -> None:
        login = {name: given.pop(name, None) for name in flags}
        how = {"start": not given.pop("preview"), "purge": given.pop("purge")}
        options = {
            name: value.absolute() if isinstance(value, Path) else value
            for name, value in given.items()
            if value is not None
        }
        if connector.auth.by_organisation:
            login = {"delegated": True}
        if method == "oauth":
            _connect_by_consent(connector.name, user, since, level, options, **how, **login)
        else:
            if method == "password":
                _require_options(connector, options)
            credential = _credential(**login) if method == "password" else None
            _connect(connector.name, user, since, level, options, credential, bounded=bounded, **how)

    annotations = {
        "user": Keeper if connector.auth.by_organisation else User,
        **{name: _flag(name, field) for name, field in fields.items()},
    }
    annotations |= {**flags, "since": Since, "level": Level, "purge": Purge, "preview": Preview}
    defaults = {name: field.get_default() for name, field in fields.items() if not field.is_required()}
    defaults |= dict.fromkeys(("password_stdin", "device", "delegated", "allow_address", "preview"), False)
    defaults |= {"redirect_port": PORT}
    defaults |= dict.fromkeys(("mailbox", "account", "since", "level", "purge"))
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=defaults.get(name, inspect.Parameter.empty),
                annotation=annotation,
            )
            for name, annotation in annotations.items()
        ]
    )
    run.__annotations__ = dict(annotations)
    run.__doc__ = _help(connector)
    return run


_LOGIN: dict[str, dict[str, Any]] = {
    "none": {},
    "password": {"username": Username, "password_stdin": PasswordStdin},
    "oauth": {
        "device": Device,
        "redirect_port": RedirectPort,
        "delegated": Delegated,
        "mailbox": Mailbox,
        "account": AccountId,
        "allow_address": AllowAddress,
    },
}
"""The flags that say how an account is signed in to."""

_CONSENT = "Its owner signs in and consents in a browser; the address of the page is printed."
_OF_THE_ORGANISATION = (
    "Nobody signs in: an administrator grants the application {scopes} for the whole organisation first."
)
_BRINGS = {"email": "mail", "event": "calendar", "call": "calls"}


def _help(connector: Connector[Any]) -> str:
    """What the command does, then what its options say about themselves."""
    *most, last = [word for kind, word in _BRINGS.items() if kind in connector.kinds] or ["account"]
    brought = f"{', '.join(most)} and {last}" if most else last
    begun = f"Connect a rep's {brought} through `{connector.name}`. The connection is tried at once."
    said = _CONSENT if connector.auth.method == "oauth" else inspect.cleandoc(connector.options.__doc__ or "")
    if connector.auth.by_organisation:
        said = _OF_THE_ORGANISATION.format(scopes=", ".join(connector.auth.scopes["subject"]))
    return f"{begun}\n\n{said}".strip()


def _flag(name: str, field: FieldInfo) -> Any:
    option = typer.Option("--" + name.replace("_", "-"), help=field.description or "")
    kind = list[str] if field.annotation == tuple[str, ...] else field.annotation
    return Annotated[kind, option]


def _require_options(connector: Connector[Any], options: dict[str, Any]) -> None:
    """Raises InputError before somebody types a password for an address that is none."""
    from autocapture.workflows.open_account import validated_options

    validated_options(connector, options)


def _credential(username: str, password_stdin: bool) -> Credential:
    from autocapture.connector import PasswordCredential
    from autocapture.errors import InputError

    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = _asked()
    if not password:
        raise InputError("the password is empty")
    return PasswordCredential(username, password)


def _asked() -> str:
    from getpass import GetPassWarning, getpass

    from autocapture.errors import InputError

    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)  # it would be read aloud from whatever input there is
        try:
            return getpass("Password: ")
        except GetPassWarning:
            raise InputError("there is no terminal to ask for the password; use --password-stdin") from None


def _connect(
    connector: str,
    user: str,
    since: date | None,
    level: CaptureLevel | None,
    options: dict[str, Any],
    credential: Credential,
    *,
    bounded: bool,
    start: bool,
    purge: bool | None,
) -> None:
    from autocapture.workflows.connect_account import Login, connect_account

    login = Login(
        user_email=user,
        connector=connector,
        options=options,
        credential=credential,
        since=since,
        capture_level=level,
        start=start,
        bounded=bounded,
        purge=purge,
    )
    _say(connect_account(open_application(), login), start)


def _connect_by_consent(
    connector: str,
    user: str,
    since: date | None,
    level: CaptureLevel | None,
    options: dict[str, Any],
    *,
    start: bool,
    purge: bool | None,
    device: bool = False,
    redirect_port: int = PORT,
    delegated: bool = False,
    mailbox: str | None = None,
    account: int | None = None,
    allow_address: bool = False,
) -> None:
    from autocapture.cli.consenting import by_browser, by_device
    from autocapture.errors import InputError
    from autocapture.workflows.granting import Wanted, connect_delegated

    if mailbox is not None and not delegated:
        raise InputError("--mailbox goes with --delegated; otherwise the mailbox is that of who signs in")
    app = open_application()
    wanted = Wanted(
        user_email=user.strip().lower(),
        connector=connector,
        level=level,
        since=since,
        account_id=account,
        any_address=allow_address,
        start=start,
        options=options,
        purge=purge,
    )
    if delegated:
        of_all = app.registry.get(connector).auth.by_organisation
        outcome = connect_delegated(app, wanted, "" if of_all else mailbox or wanted.user_email)
    else:
        outcome = by_device(app, wanted) if device else by_browser(app, wanted, redirect_port)
    _say(outcome.connected, start)
    if outcome.not_granted:
        typer.echo(
            f"not granted, so not captured: {', '.join(outcome.not_granted)}; connect again and tick it to change that"
        )


def _say(connected: Connected, start: bool) -> None:
    typer.echo(f"account {connected.account_id} {'connected' if connected.is_new else 'connected again'}")
    if not connected.channels:
        typer.echo("  there is nothing to read yet")
    for channel in connected.channels:
        typer.echo(f"  {channel.kind:<6} {channel.name or channel.id}")
    if connected.removed:
        typer.echo(f"  {connected.removed} items were taken out of the database")
    if connected.is_paused:
        typer.echo(f"it is paused, and stays so until `autocapture accounts resume {connected.account_id}`")
    if connected.is_new and not start:
        number = connected.account_id
        typer.echo(
            f"nothing is captured yet; next: `autocapture accounts preview {number}`, `autocapture accounts scope {number}`"
        )
