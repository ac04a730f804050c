"""Whether what an organisation granted reaches no further than the operator meant, tried rather than believed.

Application permissions at Microsoft open every mailbox unless Exchange limits them (RBAC for Applications), and a grant in Entra
that is not limited stands beside the limited one. Domain-wide delegation at Google cannot be limited to people at all.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from autocapture.application import Application
from autocapture.connector import Grant, Tools
from autocapture.errors import CredentialRejected, ReconnectNeeded, ScopeMissing, SetupError
from autocapture.workflows.grants import ask, granted_by_organisation
from autocapture.workflows.open_account import addressed, validated_options

_TRIED = {"mail": "Mail.ReadBasic", "calendars": "Calendars.ReadBasic"}

_TOO_WIDE = {
    "write and delete mail": "https://mail.google.com/",
    "write calendars": "https://www.googleapis.com/auth/calendar",
}
"""What nobody needs to capture, and Google gives a token for only where it was delegated."""

Look = Callable[[], str]


def delegation_checks(app: Application) -> Iterator[tuple[str, Look]]:
    """Name and check of each kind of delegation that the settings allow. A check gives what it found, or raises SetupError with
    the remedy, and what the provider raises."""
    if app.settings.microsoft.mailboxes:
        yield "microsoft mailboxes", lambda: _microsoft(app)
    if app.settings.google.service_account_file is not None:
        yield "google delegation", lambda: _google(app)


def require_bounded(app: Application, provider: str) -> None:
    """Before a mailbox is connected without its owner's sign-in: raises SetupError, and what the provider raises, where what was
    granted reaches further than was meant, or nobody can tell."""
    (_google if provider == "google" else _microsoft)(app)


def _microsoft(app: Application) -> str:
    settings = app.settings.microsoft
    outside = settings.mailbox_outside.strip().lower()
    if not outside:
        raise SetupError(
            "set microsoft.mailbox_outside to a mailbox that the application must not be able to read: only trying it shows "
            "that Exchange limits the application"
        )
    if outside in {mailbox.lower() for mailbox in settings.mailboxes}:
        raise SetupError(
            f"microsoft.mailbox_outside ({outside}) is one of microsoft.mailboxes; name one that is not"
        )
    opened = [what for what, scope in _TRIED.items() if _opens(app, outside, scope)]
    if opened:
        raise SetupError(
            f"the application reads {' and '.join(opened)} of {outside}, which lies outside its scope: limit it with RBAC for "
            "Applications in Exchange Online, and take the same permission back in Entra, since both add up"
        )
    return f"{len(settings.mailboxes)} may be read, and {outside} does not open"


def _opens(app: Application, mailbox: str, scope: str) -> bool:
    """Whether the mailbox is listed to us. It is asked as an account of it would ask, past our own list."""
    connector = app.registry.get("microsoft")
    scope_of_all = app.settings.microsoft.whatever_was_consented
    token = app.clients.get("microsoft").for_organisation(scope_of_all).access_token
    given = {"mailbox": mailbox, "allowed_mailboxes": [mailbox]}
    options = validated_options(connector, addressed(app, connector, given))
    grant = Grant("application", mailbox, frozenset({scope}), lambda _fresh: token)
    tools = replace(Tools(app.clock), dial_allowed=app.dial_allowed, http=app.open_http)
    try:
        with connector.open(options, grant, tools) as connection:
            connection.channels()
            return True
    except (ScopeMissing, CredentialRejected):
        return False
    except ReconnectNeeded:
        raise SetupError(
            f"microsoft.mailbox_outside ({mailbox}) is no mailbox in Exchange Online, so trying it proves nothing; name another"
        ) from None


def _google(app: Application) -> str:
    settings = app.settings.google
    key_file = settings.service_account_file
    if key_file is None:
        raise TypeError("asked only where there is a key")
    _require_private(key_file)
    if not settings.mailboxes:
        raise SetupError("google.mailboxes lists nobody who may be stood in for; name them")
    _require_no_more(app, settings.mailboxes[0], key_file)
    return (
        f"{len(settings.mailboxes)} mailboxes may be stood in for, to read alone; Google bounds a delegation by permission, not "
        f"by person, so google.mailboxes is the only bound: guard {key_file}"
    )


def _require_no_more(app: Application, mailbox: str, key_file: Path) -> None:
    """Raises SetupError where no token to read this mailbox is to be had, or one to do more is."""
    wanted = app.registry.get("google").auth.scopes["subject"]
    try:
        ask(app, granted_by_organisation(app, "google", mailbox, wanted).stored)
    except ReconnectNeeded as problem:
        raise SetupError(f"{mailbox}: {problem}; take it out of google.mailboxes, or correct it") from None
    for what, scope in _TOO_WIDE.items():
        try:
            app.clients.get("google").in_place_of(mailbox, [scope], key_file)
        except SetupError:
            continue
        raise SetupError(
            f"the service account may {what} of {mailbox} and everybody else: take {scope} out of its domain-wide delegation, "
            "which needs what docs/providers/google.md lists and no more"
        )


def _require_private(file: Path) -> None:
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError as problem:
        raise SetupError(f"{file} cannot be read: {problem.strerror}") from None
    if mode & 0o077:
        raise SetupError(
            f"{file} opens every mailbox and is open to others (mode {mode:04o}); run `chmod 600 {file}`"
        )
