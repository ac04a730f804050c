"""What the writer of a mail wrote: its text without what it quotes, repeats and appends. Line by line, in linear time."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autocapture.normalize.quotations import QUOTED, attribution, is_bar, is_certain, is_header_block

_LINES_LIMIT = 4_000
_UNSEEN = str.maketrans("", "", "\u200b\u200c\u200d\ufeff\u1427\u2060")
_DELIMITER = re.compile(r"[\s>]{0,4}(?:--|—|––|[-_=~*#+–—]{3,})\s*$")
_SHORT_REST = 14
"""A line of dashes begins a signature where no more than these lines follow."""
_DEVICE = re.compile(
    r"\s*[-_*(\[]{0,3}\s*(?:sent (?:from|via|with|using) (?:my |the |outlook|yahoo|gmail|mail |proton|samsung|iphone|"
    r"ipad|blackberry|mobile|windows|a )|get outlook for|get (?:bluemail|spark)|"
    r"von (?:meinem|unterwegs|mobil)\b.{0,40}gesendet|gesendet (?:von|mit|über|aus)\b|diese nachricht wurde von meinem|"
    r"envoyé (?:de|depuis|à partir)|télécharger outlook|enviado (?:desde|do|de|a partir)|obtener outlook|obter o outlook|"
    r"inviato (?:da|con|dal)|scarica outlook|verzonden (?:vanaf|met|van|via|vanuit)|"
    r"outlook voor|skickat från|skickades från|hämta outlook|"
    r"sendt fra|hent outlook|lähetetty|wysłan[eo] z|odesláno z|отправлено (?:с|из)|"
    r"iphone(?:から|から送信)|iphoneから送信|从我的|發自我的|发自我的|获取outlook|나의 .{1,20}에서 보냄)",
    re.IGNORECASE,
)
_DEVICE_LIMIT = 100
_DISCLAIMER = re.compile(
    r"[\s*_!>-]{0,8}(?:(?:confidentiality|legal|privacy|important) (?:notice|disclaimer|statement)|disclaimer\b\W*$|disclaimer:|"
    r"(?:please )?(?:consider the environment|think (?:of the environment|before (?:you|printing)))|"
    r"(?:bitte )?(?:denken sie an|schonen sie|prüfen sie).{0,40}(?:umwelt|drucken)|bevor sie diese e-?mail|"
    r"(?:pensez à l'environnement|avant d'imprimer|merci de penser à l'environnement)|antes de imprimir|"
    r"denk aan het milieu|tänk på miljön|prima di stampare|rispetta l'ambiente|"
    r"(?:this|the information (?:contained )?in this) (?:e-?mail|message|communication|transmission)(?: message)?"
    r"(?:,? (?:and any|including)|.{0,40}(?:is|are|may be|contains?) .{0,30}(?:confidential|intended|privileged))|"
    r"(?:wichtiger hinweis|vertraulichkeitshinweis)|diese (?:e-?mail|nachricht).{0,60}(?:vertraulich|bestimmt)|"
    r"(?:ce|cet) (?:message|e-?mail|courriel).{0,80}(?:confidentiel|destin)|aviso (?:legal|de confidencialidad)|"
    r"(?:este|esta) (?:mensaje|correo|mensagem|e-?mail).{0,80}(?:confidencia|dirigid|destin)|"
    r"dit (?:e-?mail)?bericht.{0,80}(?:vertrouwelijk|bestemd)|de informatie in d(?:it|eze) .{0,60}vertrouwelijk|"
    r"(?:detta|denna|denne) (?:e-?post|e-?mail|mejl|meddelande|melding|mail).{0,80}"
    r"(?:konfidentiell|avsed|fortrolig|konfidensiell)|"
    r"(?:il presente|questo) (?:messaggio|e-?mail).{0,80}(?:riservat|destinat)|"
    r"(?:本|此)(?:电子)?(?:邮件|郵件).{0,40}(?:保密|机密|機密))",
    re.IGNORECASE,
)
"""How the small print begins that organisations append."""


def reply_text(text: str) -> str:
    """The text up to the mail that it answers or forwards, without signature delimiters and what follows them.

    Quotations between which the writer answers stay where they are, without the line that says whose they are;
    `own_words` leaves them out. Of 4,000 lines.
    """
    return "\n".join(reply_and_rest(text)[0]).strip("\n")


def reply_and_rest(text: str) -> tuple[list[str], list[str]]:
    """The lines of the reply, and those that stand below a signature delimiter and above whatever is quoted last."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").translate(_UNSEEN).split("\n")[:_LINES_LIMIT]
    lines = _without_small_print(_without_originals(lines))
    delimiter = _delimiter(lines)
    if delimiter is None:
        return _trimmed(lines), []
    return _trimmed(lines[:delimiter]), _trimmed(lines[delimiter + 1 :])


def own_words(reply: str) -> str:
    """The reply without the quotations that it answers."""
    return "\n".join(line for line in reply.split("\n") if not QUOTED.match(line)).strip("\n")


def _without_originals(lines: Sequence[str]) -> list[str]:
    """The lines before the first mail that is repeated whole, attributions of quotations left out."""
    kept: list[str] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        if is_bar(line) or is_header_block(lines, position):
            break
        count = attribution(lines, position)
        if count == 0:
            kept.append(line)
            position += 1
            continue
        unmarked = _is_written(kept) and not _is_quoted_next(lines, position + count)
        if unmarked and is_certain(lines[position : position + count]):
            break  # the other mail follows
        if unmarked:
            kept.extend(lines[position : position + count])
        position += count
    return kept


def _is_written(lines: Sequence[str]) -> bool:
    return any(line.strip() for line in lines)


def _is_quoted_next(lines: Sequence[str], start: int) -> bool:
    following = next((line for line in lines[start:] if line.strip()), "")
    return QUOTED.match(following) is not None


def _without_small_print(lines: list[str]) -> list[str]:
    found = next((index for index, line in enumerate(lines) if _DISCLAIMER.match(line)), 0)
    return lines[:found] if found else lines


def _trimmed(lines: list[str]) -> list[str]:
    """Without lines of devices and quotations after the last own line."""
    end = len(lines)
    while end and (_is_empty(lines[end - 1]) or QUOTED.match(lines[end - 1]) or is_of_device(lines[end - 1])):
        end -= 1
    return lines[:end]


def _delimiter(lines: Sequence[str]) -> int | None:
    """The first line that begins a signature: two dashes anywhere (RFC 3676, 4.3), a longer bar near the end."""
    rest = sum(not _is_empty(line) for line in lines)
    for index, line in enumerate(lines):
        if _is_empty(line):
            continue
        rest -= 1
        if is_delimiter(line) and (line.strip() in ("--", "—") or rest <= _SHORT_REST):
            return index
    return None


def is_delimiter(line: str) -> bool:
    """Whether the line is nothing but dashes, or another bar."""
    return _DELIMITER.match(line) is not None


def _is_empty(line: str) -> bool:
    return not line.strip()


def is_of_device(line: str) -> bool:
    """Whether a program or device added the line ("Sent from my iPhone")."""
    return len(line) <= _DEVICE_LIMIT and _DEVICE.match(line) is not None
