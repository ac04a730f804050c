"""What a signature tells of the one who signs: title, numbers, company, links, each with the line that says it.

Only the writer's own: nothing is taken from a signature that names somebody else, from a line with another's address, or from
one about an assistant or a fax. The functions are pure; whoever stores what they give dates it by the mail that it came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher, format_number

from autocapture.formats.domains import organization_domains
from autocapture.formats.handles import canonical_email
from autocapture.records import Address

Kind = Literal["title", "phone", "mobile", "company", "link"]

_LINES_LIMIT = 24
_LINE_LIMIT = 160
_TITLE_LIMIT = 80
_MOST_OF_A_KIND = 4
_WORDS_OF_COMPANY = 8

_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_LINK = re.compile(r"(?:https?://|www\.|(?:[a-z]{2,3}\.)?linkedin\.com/)[^\s<>\"'|,;*]{2,200}", re.IGNORECASE)
_NOT_THEIRS = re.compile(
    r"unsubscribe|abmelde|aka\.ms|maps\.|goo\.gl|calendly|safelinks|urldefense|facebook|twitter|instagram|youtube|//x\.com|"
    r"privacy|datenschutz|impressum|disclaimer",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\b(?:assistant|assistenz|assistentin?|sekretariat|secretary|secrétariat|asistente|on behalf of|i\. ?a\.|i\. ?v\.|"
    r"support|hotline|helpdesk|emergency|notruf|in my absence|reception|zentrale Buchhaltung)\b\W*[:\w]",
    re.IGNORECASE,
)
_FAX = re.compile(r"\b(?:tele)?fax\b|\btélécopie|\bf\s?[:.]|传真|ファックス|факс|faks", re.IGNORECASE)
_MOBILE = re.compile(
    r"\b(?:mobil(?:e|telefon|nummer)?|mob|cell(?:ulare|phone)?|handy|gsm|móvil|movil|portable|telemóvel|celular|kännykkä|kom|m)"
    r"\b\s?[:.+(\d]|手机|携帯|모바일|мобильный|моб\.",
    re.IGNORECASE,
)
_FAX_AFTER = re.compile(r"\W{0,3}fax\b(?!\s?[:.])", re.IGNORECASE)
_MOBILE_AFTER = re.compile(r"\W{0,3}(?:cell|mobile|mob)\b(?!\s?[:.])", re.IGNORECASE)
_SEPARATORS = re.compile(r"\s*(?:[|•·*–—]|\s-\s|\s/\s|\t+|\s{3,}|,\s)\s*")
_PARTS_OF_LINE = re.compile(r"\s*(?:[|•·*]|\t+|\s{3,})\s*")
_WORD = re.compile(r"[^\W\d_]+")

_TITLE = re.compile(
    r"\b(?:manager|managerin|director|head|lead|leader|leiter(?:in)?|\w*leiter(?:in)?|vice president|president|s?vp|evp|"
    r"chief|officer|c[efotmpir]o|founder|co-founder|owner|inhaber(?:in)?|partner(?:in)?|consultant|berater(?:in)?|engineer|ingenieur(?:in)?|"
    r"buyer|purchas(?:ing|er)|procurement|einkauf|\w*einkäufer(?:in)?|geschäftsführer(?:in)?|prokurist(?:in)?|vorstand|"
    r"vertrieb\w*|sales|account|executive|specialist|analyst|architect|architekt(?:in)?|developer|administrator|coordinator|"
    r"supervisor|controller|accountant|assistant|secretary|technician|techniker(?:in)?|representative|referent(?:in)?|"
    r"sachbearbeiter(?:in)?|directeur|directrice|responsable|chef(?:fe)?|ingénieure?|gérante?|acheteu(?:r|se)|commercial(?:e)?|"
    r"chargée? d\w*|président(?:e)?|directora?|gerente|jef[ea]|ingenier[oa]|comprador(?:a)?|encargad[oa]|socio|presidente|"
    r"direttore|direttrice|responsabile|amministratore|titolare|acquisti|hoofd|inkoper|verkoper|bedrijfsleider|eigenaar|"
    r"adviseur|medewerker|directeur|teamleider|vd|inköpare|inköpschef|säljare|\w*chef|ansvarig|projektledare|ekonom|handläggare|"
    r"indkøber|innkjøper|sælger|selger|leder|daglig leder|toimitusjohtaja|johtaja|päällikkö|ostaja|kierownik|dyrektor|prezes|"
    r"specjalista|vedoucí|ředitel(?:ka)?|jednatel|director general|директор|менеджер|начальник|инженер)\b|"
    r"经理|总监|主任|工程师|总裁|董事长|采购|主管|部長|課長|係長|社長|取締役|부장|과장|차장|대표이사|팀장",
    re.IGNORECASE,
)
_COMPANY = re.compile(
    r"(?:\b(?:gmbh(?: & co\.? kg)?|ag|kg|ohg|e\.? ?k\.?|se|ltd|limited|plc|llc|llp|inc|corp|corporation|company|co|group|holding|"
    r"s\.?a\.?s?|sarl|s\.a\.r\.l|s\.?l\.?u?|s\.?p\.?a|s\.?r\.?l|b\.?v|n\.?v|v\.?o\.?f|ab|a/s|aps|as|asa|oyj?|"
    r"sp\. ?z ?o\. ?o|s\.?r\.?o|a\.?s|kft|ooo|ltda|s\.a de c\.v|pty ltd|k\.k)\b\.?\s*$)|有限公司|集团|公司|株式会社|주식회사|"
    r"\b(?:ооо|зао|оао|ао)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that a signature tells. Numbers are in E.164, links as written. `line` is the line that says it."""

    kind: Kind
    value: str
    line: str


def contact_details(signature: str, writer: Address, region: str | None) -> tuple[Detail, ...]:
    """What the signature tells of `writer`; nothing unless it names them, by a word of their name or by their address.

    `region` (ISO 3166) is that by which national numbers are read; without it only international ones are. Order: title,
    company, numbers, links; at most four of each, each value once.
    """
    lines = [line.strip() for line in signature.split("\n")[:_LINES_LIMIT] if line.strip()]
    lines = [line for line in lines if len(line) <= _LINE_LIMIT]
    own = canonical_email(writer.email)
    named = next((index for index, line in enumerate(lines) if _names(line, writer)), None)
    if named is None and not any(own in map(canonical_email, _ADDRESS.findall(line)) for line in lines):
        return ()
    about = [line for line in lines if not _is_of_others(line, own)]
    found: dict[tuple[Kind, str], Detail] = {}
    for detail in (
        *_titles(lines, named, writer),
        *_companies(about, writer),
        *_numbers(about, region),
        *_links(about),
    ):
        if sum(kind == detail.kind for kind, _ in found) < _MOST_OF_A_KIND:
            found.setdefault((detail.kind, detail.value), detail)
    return tuple(found.values())


def _names(line: str, writer: Address) -> bool:
    """Whether the line begins with the writer's name: a surname, or two words of it in either order."""
    words = [word.casefold() for word in _WORD.findall(line)[:5]]
    known = {word.casefold() for word in _WORD.findall(writer.name) if len(word) > 1}
    known |= {word.casefold() for word in _WORD.findall(writer.email.partition("@")[0]) if len(word) > 2}
    return any(word in known for word in words[:3])


def _is_of_others(line: str, own: str) -> bool:
    if _OTHERS.search(line):
        return True
    addresses = [canonical_email(each) for each in _ADDRESS.findall(line)]
    return bool(addresses) and own not in addresses


def _titles(lines: Sequence[str], named: int | None, writer: Address) -> Iterator[Detail]:
    """A title stands beside the name, or on one of the two lines below it."""
    if named is None:
        return
    beside = [part for part in _SEPARATORS.split(lines[named]) if part and not _names(part, writer)]
    for part in beside:
        if _is_title(part):
            yield Detail("title", part, lines[named])
            return
    for line in lines[named + 1 : named + 3]:
        parts = [part for part in re.split(r"\s*[|•·]\s*", line) if part]
        if parts and _is_title(parts[0]):
            yield Detail("title", parts[0], line)
            return


def _is_title(text: str) -> bool:
    if len(text) > _TITLE_LIMIT or any(sign in text for sign in "@:") or any(map(str.isdigit, text)):
        return False
    return _TITLE.search(text) is not None and _COMPANY.search(text) is None and len(text.split()) <= 9


def _companies(lines: Sequence[str], writer: Address) -> Iterator[Detail]:
    """A name with a legal form, or one that reads like the writer's domain."""
    domains = organization_domains(canonical_email(writer.email).rpartition("@")[2])
    labels = {domain.partition(".")[0].replace("-", "") for domain in domains}
    for line in lines:
        if _ADDRESS.search(line) or _LINK.search(line):
            continue
        parts = _PARTS_OF_LINE.split(line)
        for part in (*parts, *", ".join(parts).split(", ")):
            if _is_company(part, labels, writer):
                yield Detail("company", part.strip(" ,"), line)
                return


def _is_company(text: str, labels: set[str], writer: Address) -> bool:
    if len(text.split()) > _WORDS_OF_COMPANY or any(map(str.isdigit, text)):
        return False
    if _COMPANY.search(text):
        return True
    joined = "".join(_WORD.findall(text)).casefold()
    return any(len(label) >= 4 and joined.startswith(label) for label in labels) and not _names(text, writer)


def _numbers(lines: Sequence[str], region: str | None) -> Iterator[Detail]:
    """Valid public numbers. What follows a label of its own on one line belongs to that label."""
    for line in lines:
        start = 0
        for match in PhoneNumberMatcher(line, region or "ZZ", leniency=Leniency.VALID):
            before, after = line[start : match.start + 1], line[match.end : match.end + 12]
            start = match.end
            if _FAX.search(before) or _FAX_AFTER.match(after):
                continue
            mobile = _MOBILE.search(before) or _MOBILE_AFTER.match(after)
            number = format_number(match.number, PhoneNumberFormat.E164)
            yield Detail("mobile" if mobile else "phone", number, line)


def _links(lines: Sequence[str]) -> Iterator[Detail]:
    for line in lines:
        for found in _LINK.findall(line):
            link = found.rstrip(").]>")
            if not _NOT_THEIRS.search(link):
                yield Detail("link", link, line)
