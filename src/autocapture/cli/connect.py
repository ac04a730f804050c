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

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from autocapture.connector import CaptureLevel, Connector, Credential

User = Annotated[
    str, typer.Option("--user", help="E-mail address of the rep whose account this is.", metavar="EMAIL")
]
Since = Annotated[
    date | None,
    typer.Option(
        "--since",
        metavar="DATE",
        parser=day,
        help="Leave out what is older. Default: everything, or as it is on a connected account.",
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
    fields = connector.options.model_fields
    signed_in = connector.auth.method == "password"

    def run(*, user: str, since: date | None, level: CaptureLevel | None, **given: Any) -> None:
        username, from_stdin = given.pop("username", None), given.pop("password_stdin", False)
        credential = _credential(username, from_stdin) if signed_in else None
        options = {
            name: value.absolute() if isinstance(value, Path) else value
            for name, value in given.items()
            if value is not None
        }
        _connect(connector.name, user, since, level, options, credential)

    login = {"username": Username, "password_stdin": PasswordStdin} if signed_in else {}
    annotations = {"user": User, **{name: _flag(name, field) for name, field in fields.items()}, **login}
    annotations |= {"since": Since, "level": Level}
    defaults = {name: field.get_default() for name, field in fields.items() if not field.is_required()}
    defaults |= {"password_stdin": False, "since": None, "level": None}
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


_BRINGS = {"email": "mail", "event": "calendar", "call": "calls"}


def _help(connector: Connector[Any]) -> str:
    """What the command does, then what its options say about themselves."""
    *most, last = [word for kind, word in _BRINGS.items() if kind in connector.kinds] or ["account"]
    brought = f"{', '.join(most)} and {last}" if most else last
    begun = f"Connect a rep's {brought} through `{connector.name}`. The connection is tried at once."
    return f"{begun}\n\n{inspect.cleandoc(connector.options.__doc__ or '')}".strip()


def _flag(name: str, field: FieldInfo) -> Any:
    option = typer.Option("--" + name.replace("_", "-"), help=field.description or "")
    return Annotated[field.annotation, option]


def _credential(username: str, from_stdin: bool) -> Credential:
    from autocapture.connector import PasswordCredential
    from autocapture.errors import InputError

    if from_stdin:
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
) -> None:
    from autocapture.workflows.connect_account import Login, connect_account

    login = Login(
        user_email=user,
        connector=connector,
        options=options,
        credential=credential,
        since=since,
        capture_level=level,
    )
    connected = connect_account(open_application(), login)
    typer.echo(f"account {connected.account_id} {'connected' if connected.is_new else 'connected again'}")
    if not connected.channels:
        typer.echo("  there is nothing to read yet")
    for channel in connected.channels:
        typer.echo(f"  {channel.kind:<6} {channel.name or channel.id}")
