"""`users`: our people, who of them may sign in, and who is signed in."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from autocapture.cli.application import open_application
from autocapture.cli.importing import import_users
from autocapture.cli.output import Format, FormatOption, emit

if TYPE_CHECKING:
    from autocapture.workflows.invitations import Invitation

EmailArgument = Annotated[str, typer.Argument(metavar="EMAIL", help="Whose, as `users list` tells it.")]


def register(app: typer.Typer) -> None:
    users = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Import your people, and let them sign in."
    )
    users.command("import")(import_users)
    users.command("list")(list_users)
    users.command()(invite)
    users.command()(disable)
    users.command()(enable)
    users.command("sign-out")(sign_out)
    app.add_typer(users, name="users")


def list_users(fmt: FormatOption = Format.TABLE) -> None:
    """List everybody with their role and how they sign in.

    Also until when an invitation holds, and when somebody last signed in.
    """
    from autocapture.workflows.people_access import list_access

    def moment(at: datetime | None) -> object:
        return f"{at:%Y-%m-%d %H:%M} UTC" if at and fmt is Format.TABLE else at

    rows = (
        {
            "email": one.email,
            "name": one.name,
            "role": one.role,
            "state": "active" if one.active else "disabled",
            "signs_in_by": ", ".join(one.ways),
            "invited_until": moment(one.invited_until),
            "last_sign_in": moment(one.last_sign_in),
            "sessions": one.sessions,
        }
        for one in list_access(open_application())
    )
    emit(rows, fmt)


def invite(
    email: Annotated[str | None, typer.Argument(metavar="EMAIL", help="Whom to invite.")] = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="Invite everybody who cannot sign in yet and holds no link.")
    ] = False,
    admin: Annotated[
        bool,
        typer.Option(
            "--admin", help="Make this person an admin first, and known where nobody has the address."
        ),
    ] = False,
    printed: Annotated[
        bool, typer.Option("--print", help="Print the links instead of mailing them.")
    ] = False,
) -> None:
    """Send one-time links with which people choose how they sign in. A link works once, for seven days.

    Where no mail server is set, links are printed. From when on the first admin can sign in, every page needs sign-in.
    """
    from autocapture.errors import InputError
    from autocapture.workflows.invitations import invite as run
    from autocapture.workflows.invitations import make_admin, users_to_invite

    if (email is None) != everybody:
        raise InputError("users invite: name one address, or say --all")
    if admin and email is None:
        raise InputError("users invite: --admin is for one address")
    app = open_application()
    if admin and email is not None:
        make_admin(app, email)
    invitations = [run(app, user, by_mail=not printed) for user in users_to_invite(app, email)]
    if not invitations:
        typer.echo("everybody can sign in already, or holds an invitation", err=True)
    refused = [_tell(invitation) for invitation in invitations]
    if any(refused):
        raise typer.Exit(1)


def _tell(invitation: Invitation) -> bool:
    """Says what became of an invitation; whether its mail is not known to be sent."""
    outcome, until = invitation.handover, f"{invitation.expires_at:%Y-%m-%d %H:%M} UTC"
    if outcome is None:
        typer.echo(f"{invitation.email}, once, until {until}: {invitation.address}")
        return False
    if outcome.state == "sent":
        typer.echo(f"{invitation.email}: mailed, works until {until}")
        return False
    typer.echo(
        f"autocapture: {invitation.email}: mail {outcome.state}: {outcome.error}; try --print", err=True
    )
    return True


def disable(email: EmailArgument) -> None:
    """Disable somebody who left.

    They are signed out everywhere at once, and have no sign-in and no summaries.
    """
    _set_active(email, False)


def enable(email: EmailArgument) -> None:
    """Enable somebody who was disabled."""
    _set_active(email, True)


def sign_out(
    email: Annotated[str | None, typer.Argument(metavar="EMAIL", help="Whom to sign out.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Sign out everybody.")] = False,
) -> None:
    """Sign somebody out of every browser, from the next request on."""
    from autocapture.errors import InputError
    from autocapture.workflows.people_access import sign_out_everywhere, user_id_of

    if (email is None) != everybody:
        raise InputError("users sign-out: name one address, or say --all")
    app = open_application()
    ended = sign_out_everywhere(app, None if email is None else user_id_of(app, email))
    typer.echo(f"{ended} {'session' if ended == 1 else 'sessions'} ended")


def _set_active(email: str, active: bool) -> None:
    from autocapture.workflows.people_access import set_active, user_id_of

    app = open_application()
    set_active(app, user_id_of(app, email), active)
    typer.echo(f"{email} is {'enabled' if active else 'disabled'}")
