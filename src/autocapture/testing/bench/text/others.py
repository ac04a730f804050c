"""Libraries that read replies or bounces, measured beside ours where they are installed."""

from __future__ import annotations

import email
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

REPLIES = ("quotequail", "email-reply-parser", "mail-parser-reply", "unquotemail")
BOUNCES = "flufl.bounce"
_LANGUAGES = ["en", "de", "cs", "da", "es", "fr", "it", "ja", "ko", "nl", "pl", "sv", "zh", "david"]


def installed(name: str) -> str | None:
    """Its version; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def reply_reader(name: str) -> Callable[[str], str]:
    """The library's function from a text to its reply; whatever it raises counts as an empty reply."""
    read = {
        "quotequail": _quotequail,
        "email-reply-parser": _email_reply_parser,
        "mail-parser-reply": _mail_parser_reply,
        "unquotemail": _unquotemail,
    }[name]

    def guarded(text: str) -> str:
        try:
            return read(text)
        except Exception:  # a library's defect is its result
            return ""

    return guarded


def permanent_failures(raw: bytes) -> int:
    """How many addresses flufl.bounce finds to have failed for good."""
    _, permanent = import_module("flufl.bounce").all_failures(email.message_from_bytes(raw))
    return len(permanent)


def _quotequail(text: str) -> str:
    found = import_module("quotequail").unwrap(text)
    return str(found.get("text_top", "")) if found else text


def _email_reply_parser(text: str) -> str:
    return str(import_module("email_reply_parser").EmailReplyParser.parse_reply(text))


def _mail_parser_reply(text: str) -> str:
    parser = import_module("mailparser_reply").EmailReplyParser(languages=_LANGUAGES)
    return str(parser.parse_reply(text=text) or "")


def _unquotemail(text: str) -> str:
    found = import_module("unquotemail").Unquote(None, text)
    found.parse()
    return str(found.get_text() or "")
