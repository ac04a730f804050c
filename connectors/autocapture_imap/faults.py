"""What a server's refusal means, as the error whose type says who must act. Server text is judged, never passed on."""

from __future__ import annotations

import imaplib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from imapclient.exceptions import IMAPClientError, ProtocolError

from autocapture.connect.failures import in_words
from autocapture.errors import (
    AutocaptureError,
    CredentialRejected,
    RateLimited,
    SetupError,
    Unreachable,
)

_CODE = re.compile(r"\[([A-Z-]+)")
_BACKOFF = re.compile(r"backoff time:?\s*(\d+)\s*milliseconds", re.IGNORECASE)
_THROTTLED = re.compile(r"throttl|bandwidth limit|command limit|rate limit", re.IGNORECASE)
_BUSY = re.compile(
    r"too many|maximum number of connections|connection limit|try again|temporar|unavailable|internal|server error|busy",
    re.IGNORECASE,
)
_LATER_CODES = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "CONTACTADMIN"})  # RFC 5530
_LONGEST_BACKOFF = timedelta(minutes=5)


class Refused(Exception):
    """A command ended in NO or BAD for a reason that only its caller can judge. `code` is the response code, or ""."""

    def __init__(self, text: str) -> None:
        found = _CODE.search(text)
        self.code = found[1] if found else ""
        super().__init__(self.code or "no reason given")


def passing(text: str) -> RateLimited | Unreachable | None:
    """The error for a refusal that time alone will mend; None for any other."""
    if backoff := _BACKOFF.search(text):
        return RateLimited(
            "the IMAP server asks for a pause",
            min(timedelta(milliseconds=int(backoff[1][:9])), _LONGEST_BACKOFF),
        )
    if _THROTTLED.search(text) or "[OVERQUOTA]" in text:
        return RateLimited("the IMAP server asks for less")
    code = _CODE.search(text)
    if code and code[1] in _LATER_CODES:
        return Unreachable(f"the IMAP server is not available now ({code[1]})")
    if (code is None or code[1] == "ALERT") and _BUSY.search(text):
        return Unreachable("the IMAP server is not available now")
    return None


def refused_login(text: str) -> AutocaptureError:
    """Why LOGIN or AUTHENTICATE was refused."""
    if "[PRIVACYREQUIRED]" in text:
        return SetupError("the IMAP server accepts passwords over TLS only")
    if "[AUTHENTICATIONFAILED]" in text:
        return CredentialRejected("the IMAP server refuses this user name and password")
    return passing(text) or CredentialRejected("the IMAP server refuses this user name and password")


@contextmanager
def server_faults() -> Iterator[None]:
    """Turns what sockets, imaplib and imapclient raise into the project's errors, and a mere NO into `Refused`."""
    try:
        yield
    except imaplib.IMAP4.abort as error:  # the connection is over: BYE, end of stream, nonsense
        text = str(error)
        raise passing(text) or Unreachable("the IMAP server closed the connection") from None
    except ProtocolError:
        raise Unreachable("the IMAP server's answer cannot be understood") from None
    except (imaplib.IMAP4.error, IMAPClientError) as error:
        text = str(error)
        raise passing(text) or Refused(text) from None
    except TimeoutError:
        raise Unreachable("the IMAP server does not answer in time") from None
    except OSError as error:
        raise Unreachable(f"the connection to the IMAP server broke: {in_words(error)}") from None
    except (ValueError, IndexError, TypeError, AssertionError, RecursionError):  # from imapclient's parsers
        raise Unreachable("the IMAP server's answer cannot be understood") from None


@contextmanager
def asking(what: str) -> Iterator[None]:
    """`server_faults` for a command that a working server never refuses."""
    try:
        with server_faults():
            yield
    except Refused as refused:
        raise Unreachable(f"the IMAP server refuses to {what} ({refused})") from None


def expect_ok(done: str, data: Sequence[bytes | None]) -> Sequence[bytes | None]:
    """The data of a command that ended in OK; else the fault its text means, or `Refused`."""
    if done != "OK":
        text = b" ".join(part for part in data if part).decode("utf-8", "replace")
        raise passing(text) or Refused(text)
    return data
