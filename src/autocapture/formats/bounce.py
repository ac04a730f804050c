"""Which addresses a bounce says could not be reached, and for how long: delivery reports (RFC 3464), the prose of mail systems.

A report has fields for every recipient; the prose before it, which many systems send alone, names an address at the beginning
of a line and what the other server said below it. *Hard* means that the address, or its domain, does not exist, has moved or
takes no mail: nothing sent there will ever arrive. A full mailbox, a block, a filter, a policy or a delay is soft, whatever its
code: systems write 5.1.1 over full mailboxes and 5.7.1 over unknown users, so their words weigh more than their numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LIMIT = 65_536
_LINES_LIMIT = 1_500
_RECIPIENTS_LIMIT = 100

_ADDRESS = r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
_ANY_ADDRESS = re.compile(_ADDRESS)
_NAMED = re.compile(
    r"(?:\W{0,12}[45]\d\d[ -])?\W{0,12}"
    r"(?:(?:original|final)?[ -]?recipients?(?: address)?s?|unknown user|invalid final delivery userid|user mailbox exceeds|"
    r"to|rcpt to|delivery to|[\w.-]{1,64}:0+)?"
    rf"\s{{0,8}}:?\W{{0,8}}({_ADDRESS})",
    re.IGNORECASE,
)
_MENTIONED = re.compile(rf"\b(?:to|for|address|recipient|user|mailbox)\W{{1,4}}({_ADDRESS})", re.IGNORECASE)
_FIELD = re.compile(
    r"(original-recipient|final-recipient|action|status|diagnostic-code|x-actual-recipient)\s*:\s*(.*)", re.I
)
_RETURNED = re.compile(
    r"\W{0,60}(?:received: (?:from|by|\()|return-path: ?<|(?:original|returned) message(?: \W|\W{0,60}$| follows| headers| -)|"
    r"message headers follow|below (?:this line|is) (?:is )?a copy|this is a copy of|included (?:below )?is a copy|"
    r"unsent message below|copy of (?:the )?(?:your )?(?:original )?message|message header|start of returned|"
    r"message text follows|x-mailer: )",
    re.IGNORECASE,
)
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")

_GONE = re.compile(
    r"(?:user|recipient|mailbox|address|account|alias|local.?part|addressee)[^.\n]{0,60}?"
    r"(?:unknown|not (?:been )?(?:found|known|exist|recogni[sz]ed|listed)|couldn.?t be found|wasn.?t found|n.t exist|unlisted|"
    r"no longer (?:valid|exists|active|available)|invalid|introuvable)|"
    r"(?:unknown|no such|invalid|illegal|not a (?:valid|known)|nonexistent|non-existent)[^.\n]{0,24}?"
    r"(?:user|recipient|mailbox|address|account|alias|addressee|person|local.?part|host|domain)|"
    r"no mailbox here|does(?: not|n.t) have an? [^\n]{0,40}account|bad destination|recipnotfound|recipientnotfound|"
    r"recipient address rejected: access denied|user (?:\S+ )?(?:is )?(?:unknown|not known)|does not exist|"
    r"not listed in (?:public name|domino directory)|not our customer|is not a customer|"
    r"(?:host|domain)(?: or domain)?(?: name)? (?:\S+ )?(?:not found|unknown|not exist|lookup failure|does not)|"
    r"(?:name server|dns|name resolution)[^\n]{0,60}(?:not found|no data known|nxdomain|nonexistent|host not found)|"
    r"unrouteable (?:mail )?(?:address|domain)|couldn.t find (?:any )?(?:host|a mail exchanger|an mx)|"
    r"mail receiving disabled|null ?mx|does not accept (?:mail|e-?mail|messages)|not accept(?:ing)? (?:network )?messages|"
    r"(?:user|recipient|address)[^\n]{0,30}(?:has )?moved|see (?:rfc|other)|"
    r"見つかりません|存在しません|不明|没有此用户|用户不存在|不存在|introuvable|nicht gefunden|"
    r"unbekannt(?:er)? (?:benutzer|empf)|no existe|inexistant|не существует|не найден|bestaat niet|onbekend",
    re.IGNORECASE,
)
_LASTS_NOT = re.compile(
    r"(?:mailbox|mail ?box|folder|inbox|user|account|recipient)[^\n]{0,40}(?:full|quota|exceed|over\b|storage|size)|"
    r"quota|out of storage|not enough (?:storage|disk)|insufficient (?:system )?storage|disk full|"
    r"too (?:large|big|many|long)|size limit|exceeds|"
    r"\bspam|blacklist|blocklist|block list|blocked|\brbl\b|reputation|spamhaus|policy|relay|"
    r"not (?:permitted|allowed|authori[sz]ed)|(?<!rejected: )access denied|permission|authentication|"
    r"\bspf\b|\bdkim\b|dmarc|reverse dns|\bptr\b|virus|malware|content (?:rejected|filter)|whitelist|\bfilter|"
    r"greylist|grey-list|try again|temporar|timed? ?out|timeout|defer|delayed|connection (?:refused|lost)|no route|"
    r"rate limit|throttl|suspend|on hold|disabled|inactive|not active|deactivated|"
    r"only accepts|does not accept (?:mail|e-?mail|messages) from|sender (?:address )?(?:rejected|denied|unknown|not)|"
    r"mail from:|loop|hop count|protocol|syntax error|system error|local error|malformed or unexpected",
    re.IGNORECASE,
)
_AFTER_DATA = re.compile(r"end of data|>>> (?:DATA|\.)\s", re.IGNORECASE)
_AS_FILTERS_SAY = re.compile(r"unknown user|user unknown|no such user", re.IGNORECASE)
_HARD_CODES = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "1.351", "3.2", "4.4"})
_SOFT_CODES = frozenset({"1.7", "1.8", "2.2", "2.3", "3.4"})


@dataclass(frozen=True, slots=True)
class Failure:
    """A recipient that a bounce names, as written. `status` is the enhanced code (RFC 3463), empty where none is told."""

    recipient: str
    hard: bool
    status: str = ""


@dataclass(slots=True)
class _Told:
    """What was said about one recipient: its fields of the report, and the words around its name."""

    action: str = ""
    status: str = ""
    diagnosis: str = ""
    words: str = ""


def failures(text: str) -> tuple[Failure, ...]:
    """The recipients that a bounce of this readable text, its report included where there is one, says were not reached.

    In the order in which they are named, at most a hundred; of 64 KiB. Nothing of what is only delayed, relayed or
    delivered. Time is linear in the text.
    """
    lines = text[:_LIMIT].replace("\r\n", "\n").split("\n")[:_LINES_LIMIT]
    reported = _reported(lines)
    prose = _prose(lines)
    found: dict[str, _Told] = {}
    for address, told in [*reported.items(), *prose.items()]:
        if len(found) < _RECIPIENTS_LIMIT or address in found:
            known = found.setdefault(address, _Told())
            known.action = known.action or told.action
            known.status = known.status or told.status
            known.diagnosis = known.diagnosis or told.diagnosis
            known.words = f"{known.words}\n{told.words}"
    if reported:  # the report says who; the prose around it may name helpdesks
        found = {address: told for address, told in found.items() if address in reported}
    return tuple(
        Failure(address, _is_hard(told), told.status or _status(told.diagnosis) or _status(told.words))
        for address, told in found.items()
        if told.action in ("", "failed", "failure", "failed (permanent)")
    )


def _reported(lines: Iterable[str]) -> dict[str, _Told]:
    """The per-recipient fields of a delivery report (RFC 3464, 2.3), which some systems write into the prose."""
    found: dict[str, _Told] = {}
    fields: dict[str, str] = {}
    name = ""
    for line in [*lines, ""]:
        match = _FIELD.match(line.lstrip("> "))
        if match:
            name = match[1].lower()
            fields.setdefault(name, match[2].strip())
        elif name and line[:1] in (" ", "\t") and line.strip():
            fields[name] += " " + line.strip()
        else:
            name = ""
            if not line.strip("> ") and fields:
                _add_reported(found, fields)
                fields = {}
    return found


def _add_reported(found: dict[str, _Told], fields: dict[str, str]) -> None:
    told = fields.get("final-recipient") or fields.get("original-recipient") or ""
    address = _ANY_ADDRESS.search(fields.get("original-recipient", "")) or _ANY_ADDRESS.search(told)
    if address is None:
        return
    status = _STATUS.search(fields.get("status", ""))
    found[address[0]] = _Told(
        fields.get("action", "").lower().partition(";")[0].strip(),
        status[0] if status else "",
        fields.get("diagnostic-code", "").partition(";")[2].strip(),
    )


def _prose(lines: Iterable[str]) -> dict[str, _Told]:
    """The addresses at the beginning of lines before the returned message, with the words from there to the next one."""
    found: dict[str, _Told] = {}
    before: list[str] = []
    current: _Told | None = None
    for line in lines:
        if _RETURNED.match(line):
            break
        named = _NAMED.match(line) if "@" in line else None
        if named and named[1] not in found:
            current = found.setdefault(named[1], _Told())
        if current is None:
            before.append(line)
        else:
            current.words += line + "\n"
    if len(found) == 1 and current is not None:
        current.words = "\n".join([*before, current.words])
    elif not found and (mentioned := _MENTIONED.search("\n".join(before))):
        found[mentioned[1]] = _Told(words="\n".join(before))
    return found


def _status(words: str) -> str:
    match = _STATUS.search(words)
    return match[0] if match else ""


def _is_hard(told: _Told) -> bool:
    """The other server's own words decide, where it said something; then its numbers.

    "User unknown" in answer to the text instead of the recipient is how filters refuse, unless the number says so too.
    """
    if told.status.startswith("4"):
        return False
    words = _ANY_ADDRESS.sub("", told.diagnosis)
    gone, lasts_not = _GONE.search(words), _LASTS_NOT.search(words)
    if not gone and not lasts_not:
        words = _ANY_ADDRESS.sub("", told.words)
        gone, lasts_not = _GONE.search(words), _LASTS_NOT.search(words)
    codes = {
        f"{found[2]}.{found[3]}" for found in _STATUS.finditer(f"{told.status}\n{words}") if found[1] == "5"
    }
    if not _SOFT_CODES.isdisjoint(codes):
        return False
    if gone and not lasts_not:
        filtered = _AFTER_DATA.search(told.words) and _AS_FILTERS_SAY.search(words)
        return not filtered or not _HARD_CODES.isdisjoint(codes)
    if lasts_not and not gone:
        return False
    return not _HARD_CODES.isdisjoint(codes)
