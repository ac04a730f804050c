"""`connect`: one command for each installed connector, its flags made from the connector's options.

Connectors are third parties' too, so no command is written by hand: a field of the options model is a flag. A connector is
imported when its own command is asked for.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from autocapture.cli.application import open_application

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from autocapture.connector import Connector, Credential

User = Annotated[
    str, typer.Option("--user", help="E-mail address of the rep whose account this is.", metavar="EMAIL")
]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since",
        formats=["%Y-%m-%d"],
        help="Leave out what is older. Default: everything, or as it is on a connected account.",
    ),
]
Level = Annotated[
    str,
    typer.Option(
        "--level",
        help="What is stored: metadata, subject, or full (text too). Default: subject, or as it is.",
    ),
]
Username = Annotated[str, typer.Option("--username", help="The login at the server.")]
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
            return None
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name=cmd_name)(_command_for(registry.get(cmd_name)))
        return typer.main.get_command(single)


def register(app: typer.Typer) -> None:
    group = typer.Typer(cls=ConnectGroup, no_args_is_help=True, rich_markup_mode=None)
    group.callback()(connect)
    app.add_typer(group, name="connect")


def connect() -> None:
    """Connect a rep's account: the login is tried at once."""


def _command_for(connector: Connector[Any]) -> Callable[..., None]:
    """The function behind ``connect NAME``, with one keyword for each option of the connector."""
    fields = connector.options.model_fields
    signed_in = connector.auth.method == "password"

    def run(*, user: str, since: datetime | None, level: str | None, **given: Any) -> None:
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
    run.__doc__ = (connector.options.__doc__ or "").strip()
    return run


def _flag(name: str, field: FieldInfo) -> Any:
    option = typer.Option("--" + name.replace("_", "-"), help=field.description or "")
    return Annotated[field.annotation, option]


def _credential(username: str, from_stdin: bool) -> Credential:
    from autocapture.connector import PasswordCredential
    from autocapture.errors import InputError

    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, err=True)
    if not password:
        raise InputError("the password is empty")
    return PasswordCredential(username, password)


def _connect(
    connector: str,
    user: str,
    since: datetime | None,
    level: str | None,
    options: dict[str, Any],
    credential: Credential,
) -> None:
    from typing import cast, get_args

    from autocapture.connector import CaptureLevel
    from autocapture.errors import InputError
    from autocapture.workflows.connect_account import Login, connect_account

    if level is not None and level not in get_args(CaptureLevel):
        raise InputError(f"--level must be one of {', '.join(get_args(CaptureLevel))}, not {level!r}")
    login = Login(
        user_email=user,
        connector=connector,
        options=options,
        credential=credential,
        since=since.date() if since else None,
        capture_level=cast("CaptureLevel | None", level),
    )
    connected = connect_account(open_application(), login)
    typer.echo(f"account {connected.account_id} {'connected' if connected.is_new else 'connected again'}")
    for channel in connected.channels:
        typer.echo(f"  {channel.kind:<6} {channel.name or channel.id}")
