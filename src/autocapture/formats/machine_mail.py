"""Signs in a mail's headers that a machine wrote it (RFC 3834, 3464, 2369, 2919 and what programs do besides).

A subject line alone is never a sign: people forward bounces and write about being out of office.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Literal

from autocapture.records import EmailRecord

Sign = Literal["bounce", "auto_reply", "newsletter", "notification", "calendar_mail"]

_REPORT_TYPE = re.compile(r"report-type\s*=\s*\"?([\w-]+)", re.IGNORECASE)
_NULL_PATH = re.compile(r"<\s*(?:mailer-daemon)?\s*>", re.IGNORECASE)
_NULL_PATH_LIMIT = 20
_LIST_DOMAIN = re.compile(r"([\w.-]+)>?\s*$")

_BOUNCE_ROLE = re.compile(
    r"(?:mailer?[-_.]?daemon|post[-_.]?master|mail[-_.]?delivery[-_.]?(?:sub)?system|mdaemon)\w*"
)
_NOTIFICATION_ROLE = re.compile(
    r"(?:^|.*[._+-])(?:"
    r"no[._-]?reply|no[._-]?response|do[._-]?not[._-]?reply|dont[._-]?reply|never[._-]?reply|"
    r"nicht[._-]?antworten|keine[._-]?antwort|niet[._-]?beantwoorden|geen[._-]?antwoord|"
    r"ne[._-]?pas[._-]?repondre|no[._-]?responder|no[._-]?contestar|non[._-]?rispondere|"
    r"nao[._-]?responda|n[aã]o[._-]?responder|svara[._-]?inte|svar[._-]?ej|ikke[._-]?svar|"
    r"notifications?|notify|notifier|alerts?|bounces?|newsletters?|mailings?|mailer|autoreply|auto[._-]?responder"
    r")(?:$|[\d._+-].*)"
)
_TELLING = frozenset(
    {
        "auto-submitted", "content-class", "list-id", "list-unsubscribe", "precedence", "x-autoreply", "x-autorespond",
        "x-auto-response-suppress", "x-loop",
    }
)  # fmt: skip
_MACHINE_MEDIA = ("text/calendar", "multipart/report")

_AWAY_SUBJECT = re.compile(
    r"\s*(?:\S{1,4}\s*:\s*)?(?:"
    r"auto(?:matic)?[ -]?(?:reply|response|responder)|auto\s*:|out of (?:the )?office|on (?:vacation|annual leave)|ooo\b|"
    r"automatische (?:antwort|r[üu]ckantwort)|abwesen|"
    r"automatisch antwoord|afwezig|"
    r"r[ée]ponse automatique|absence du bureau|absent du bureau|message d'absence|"
    r"respuesta autom[áa]tica|fuera de (?:la )?oficina|"
    r"risposta automatica|fuori (?:sede|ufficio)|"
    r"resposta autom[áa]tica|fora do escrit[óo]rio|ausência|"
    r"automatiskt svar|autosvar|frånvaro|automatisk svar|fravær|ikke til stede|automaattinen vastaus|poissa|"
    r"odpowied[źz] automatyczna|autoodpowied|automatick[áa] odpov|automatikus v[áa]lasz|otomatik yan[ıi]t|"
    r"автоответ|автоматический ответ|自动回复|自動回覆|自動返信|不在通知|자동 ?회신|부재중"
    r")",
    re.IGNORECASE,
)
_BOUNCE_SUBJECT = re.compile(
    r"\s*(?:\W{0,3}(?:undeliver|non[- ]?delivery|returned mail|return(?:ed)? to sender|failure notice|bounced mail|"
    r"(?:mail|message|email)?\s*delivery (?:status|failed|failure|has failed|notification|problem|report|error)|"
    r"mail (?:could not|system error|failure)|message (?:undeliverable|not delivered)|"
    r"delivery incomplete|warning: (?:could not send|message)|unzustellbar|nicht zustellbar|onbestelbaar|"
    r"non remis|échec de la remise|no se puede entregar|non recapitabile|não é possível entregar|"
    r"niedostarcz|не доставлено|недоставлен|退信|配信不能|送信不能))",
    re.IGNORECASE,
)
_FEEDBACK_SUBJECT = re.compile(r"\s*complaint about message from \d{1,3}\.", re.IGNORECASE)


def machine_sign(record: EmailRecord, author: str, own_domains: Set[str]) -> Sign | None:
    """What kind of machine wrote this mail; None for a person's.

    `author` is the canonical address of whom `formats.envelope.author_of` names, empty when there is nobody. Lists whose
    List-Id lies on one of `own_domains` only distribute what people wrote to us, so being a list is no sign there.
    """
    local = author.rpartition("@")[0]
    return _bounce_sign(record, local) or header_sign(record, own_domains) or role_sign(local)


def header_sign(record: EmailRecord, own_domains: Set[str]) -> Sign | None:
    """The same without a look at who wrote it: what remains of a bulk or automatic sending by one of our own people."""
    headers = record.headers
    null_path = _has_null_path(record)
    if not null_path and _TELLING.isdisjoint(headers) and not _media(headers).startswith(_MACHINE_MEDIA):
        return None  # nearly all mail
    media = _media(headers)
    if media.startswith("text/calendar") or "calendarmessage" in headers.get("content-class", ""):
        return "calendar_mail"
    if media.startswith("multipart/report"):
        return "auto_reply" if _report_type(record) == "disposition-notification" else "bounce"
    if _is_set(headers.get("x-autoreply")) or _is_set(headers.get("x-autorespond")):
        return "auto_reply"
    submitted = _automatic(record)
    precedence = headers.get("precedence", "").strip().lower()
    if submitted == "auto-replied" or precedence == "auto_reply":
        return "auto_reply"
    bulk = precedence in ("bulk", "junk")
    hinted = submitted or null_path or bulk or "x-auto-response-suppress" in headers or "x-loop" in headers
    if hinted and _AWAY_SUBJECT.match(record.subject):
        return "auto_reply"
    if null_path:
        return "auto_reply" if record.in_reply_to else "notification"
    if submitted:
        return "notification"
    listed = precedence == "list" or "list-id" in headers or "list-unsubscribe" in headers
    if bulk or listed:
        return None if _is_own_list(record, own_domains) else "newsletter"
    return None


@lru_cache(maxsize=16_384)
def role_sign(local: str) -> Sign | None:
    """Whether this local part names an address from which only machines write."""
    return "notification" if _NOTIFICATION_ROLE.match(local) else None


@lru_cache(maxsize=16_384)
def _is_bounce_role(local: str) -> bool:
    return _BOUNCE_ROLE.fullmatch(local) is not None


def _bounce_sign(record: EmailRecord, local: str) -> Sign | None:
    if _is_bounce_role(local) or "x-failed-recipients" in record.headers:
        return "auto_reply" if _report_type(record) == "disposition-notification" else "bounce"
    if (not local or _has_null_path(record) or _automatic(record)) and _BOUNCE_SUBJECT.match(record.subject):
        return "bounce"
    return "bounce" if _FEEDBACK_SUBJECT.match(record.subject) else None


def _media(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "")[:20].lower()


def _report_type(record: EmailRecord) -> str:
    found = _REPORT_TYPE.search(record.headers.get("content-type", ""))
    return found[1].lower() if found else ""


def _automatic(record: EmailRecord) -> str:
    """The Auto-Submitted keyword (RFC 3834, 5) unless it is `no`; empty for a person's mail."""
    value = record.headers.get("auto-submitted")
    if not value:
        return ""
    keyword = value.partition(";")[0].partition("(")[0].strip().lower()
    return "" if keyword == "no" else keyword


def _has_null_path(record: EmailRecord) -> bool:
    path = record.headers.get("return-path")
    return path is not None and len(path) <= _NULL_PATH_LIMIT and _NULL_PATH.fullmatch(path) is not None


def _is_set(value: str | None) -> bool:
    return value is not None and value.strip().lower() not in ("no", "false")


def _is_own_list(record: EmailRecord, own_domains: Set[str]) -> bool:
    found = _LIST_DOMAIN.search(record.headers.get("list-id", ""))
    if found is None:
        return False
    domain = found[1].lower()
    return any(domain == own or domain.endswith(f".{own}") for own in own_domains)
