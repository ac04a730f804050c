"""Where the text of others begins in a mail: lines before quotations, header blocks and bars, in the languages they come in."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ATTRIBUTION_LINES = 4
_ATTRIBUTION_LIMIT = 400
_HEADER_LINES = 8

QUOTED = re.compile(r"[ \t]{0,8}(?:[>|]|[A-Za-z]{1,3}>(?:\s|$)|>)")
"""A line that repeats what another wrote (RFC 3676, 4.5, and what mailers do besides: bars, initials)."""

_WROTE = re.compile(
    r"\b(?:wrote|writes|schrieb|schreef|geschreven|a [ée]crit|[ée]crit|escribi[óo]|ha scritto|scrisse|escreveu|skrev|kirjoitti|"
    r"napsal|napsala|napísal|napisał|napisała|pisze|napisao|napisala|írta|a scris|написал|написала|написав|пише|писал|"
    r"yazdı|şunu yazdı|έγραψε|kirjutas|rašė|rakstīja|va escriure|menulis|"
    r"đã viết)\b|写道|寫道|のメール|さんは書きました|님이 작성|כתב|كتب",
    re.IGNORECASE,
)
_OPENER = re.compile(
    r"\s{0,4}(?:on|am|le|el|il|op|em|no dia|den|på|dne|dnia|w dniu|la|at|vào|στις|tarihinde|pe|"
    r"mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|в|во|\d|<|[\"'“])[a-z.,]{0,8}(?=\W|\d|$)|\s{0,4}[在于於\d]",
    re.IGNORECASE,
)
"""How an attribution begins that runs over several lines."""
_OF_MYSELF = re.compile(
    r"\b(?:i wrote|i have written|schrieb ich|ich .{0,40}schrieb|schreef ik|j'ai écrit|j'écrivais|escribí|"
    r"skrev jag|jag skrev|skrev jeg|jeg skrev|ho scritto|escrevi)\b",
    re.IGNORECASE,
)
_DATED = re.compile(r"\d{1,4}\W{0,3}\w{0,12}\W{0,4}\d{1,4}|\d{1,2}[:.h]\d{2}|[<(\[][^<>\s]{1,80}@")
_CERTAIN = re.compile(r"[<(\[][^<>\s]{1,100}@|\d{1,2}\s?[:.h]\s?\d{2}(?!\d|\.\d)")
_BEGINS_WITH_DATE = re.compile(r"\d{4}[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}|\d{1,2}[-/. ]\S{1,12}[-/. ]+\d{4}")
_OF_SOMEBODY = re.compile(r"<[^<>\s]{1,100}@[^<>\s]{1,150}>\s*:?\s*$|@\S{1,150}:\s*$")
_NAMES_SENDER = re.compile(r"\d{4}.{0,60}[<(][^<>\s]{1,100}@[^<>\s]{1,150}[>)]\s*[:：]$")

_FROM = (
    "from|von|de|van|från|fra|da|od|от|від|lähettäjä|feladó|kimden|gönderen|expéditeur|remitente|mittente|afzender|avsändare|"
    "发件人|寄件者|寄件人|差出人|送信者|보낸 ?사람|από|expeditor"
)
_FIELDS = (
    f"{_FROM}|to|cc|bcc|sent|date|subject|reply-to|an|gesendet|datum|betreff|kopie|antwort an|à|envoyé|objet|date d'envoi|para|"
    "enviado|enviada(?: em)?|fecha|data|asunto|assunto|a|inviato|oggetto|risposta|aan|verzonden|onderwerp|till|skickat|ämne|"
    "kopia|til|sendt|emne|dato|vastaanottaja|päiväys|lähetetty|aihe|do|wysłano|wysłane|temat|dw|komu|odesláno|předmět|kopie|címzett|"
    "elküldve|tárgy|кому|дата|тема|отправлено|копия|kime|tarih|konu|收件人|收件者|发送时间|寄件日期|日期|主题|主旨|抄送|副本|"
    "宛先|送信日時|日時|件名|받는 ?사람|보낸 ?날짜|날짜|제목|참조|προς|θέμα|ημερομηνία"
)
_SUBJECTS = (
    "subject|betreff|objet|asunto|assunto|oggetto|onderwerp|ämne|emne|aihe|temat|předmět|tárgy|тема|konu|主题|主旨|件名|제목|θέμα|"
    "subiect|predmet"
)
_FROM_FIELD = re.compile(rf"[\s*_]{{0,8}}(?:{_FROM})[\s*_]{{0,4}}[:：]", re.IGNORECASE)
_FIELD = re.compile(rf"[\s*_]{{0,8}}(?:{_FIELDS})[\s*_]{{0,4}}[:：]", re.IGNORECASE)

_SUBJECT_FIELD = re.compile(rf"[\s*_]{{0,8}}(?:{_SUBJECTS})[\s*_]{{0,4}}[:：]", re.IGNORECASE)

_BAR = re.compile(
    r"[\s>]{0,8}[-_=*–—\s]{0,60}(?:original(?: |-)?(?:message|appointment|nachricht|meddelande)|ursprüngliche nachricht|"
    r"message (?:d'origine|original)|mensaje original|messaggio originale|oorspronkelijk bericht|mensagem original|"
    r"ursprungligt meddelande|oprindelig (?:meddelelse|besked)|opprinnelig melding|alkuperäinen viesti|"
    r"(?:wiadomość oryginalna|oryginalna wiadomość)|původní (?:zpráva|e-mail)|pôvodná správa|eredeti üzenet|"
    r"исходное сообщение|оригинал(?:ьное сообщение)?|пересылаемое сообщение|mesaj original|orijinal (?:mesaj|ileti)|"
    r"原始邮件|原始郵件|邮件原件|元のメッセージ|転送されたメッセージ|원본 메시지|"
    r"forwarded message(?: follows)?|weitergeleitete nachricht|message transféré|mensaje reenviado|messaggio inoltrato|"
    r"doorgestuurd bericht|mensagem encaminhada|vidarebefordrat (?:meddelande|brev)|videresendt (?:meddelelse|melding)|"
    r"转发的?(?:邮件|消息)|begin forwarded message|anfang der weitergeleiteten nachricht|"
    r"début du message (?:réexpédié|transféré)|inicio del mensaje reenviado|inizio messaggio inoltrato|"
    r"begin doorgestuurd bericht|startar? vidarebefordrat (?:brev|meddelande)"
    r")[-_=*–—:：\s]{0,60}$",
    re.IGNORECASE,
)


def attribution(lines: Sequence[str], start: int) -> int:
    """How many lines at `start` say who wrote what follows ("On Monday Anna wrote:"); 0 when none."""
    if not lines[start].strip() or QUOTED.match(lines[start]):
        return 0
    told = ""
    for count, line in enumerate(lines[start : start + _ATTRIBUTION_LINES], 1):
        if count > 1 and not (line.strip() and _OPENER.match(lines[start])):
            return 0
        told = f"{told} {line.strip()}".strip()
        if len(told) > _ATTRIBUTION_LIMIT:
            return 0
        if told[-1] in ":：" and _DATED.search(told) and (_is_of_another(told) or _is_dated_sender(told)):
            return count
        if told[-1] in ":：" and _is_of_another(told) and _follows_quoted(lines, start + count):
            return count
        if (_is_dated_sender(told) or _NAMES_SENDER.search(told)) and _follows_quoted(lines, start + count):
            return count
    return 0


def is_certain(lines: Sequence[str]) -> bool:
    """Whether an attribution in these lines tells an address or the time of day, as mail programs do and people hardly ever."""
    return _CERTAIN.search(" ".join(lines)) is not None


def _is_of_another(told: str) -> bool:
    return _WROTE.search(told) is not None and _OF_MYSELF.search(told) is None


def _is_dated_sender(told: str) -> bool:
    return _BEGINS_WITH_DATE.match(told) is not None and _OF_SOMEBODY.search(told) is not None


def _follows_quoted(lines: Sequence[str], start: int) -> bool:
    following = next((line for line in lines[start : start + 3] if line.strip()), "")
    return QUOTED.match(following) is not None


def is_header_block(lines: Sequence[str], start: int) -> bool:
    """Whether the header of another mail stands here, as Outlook repeats it: From and at least two more fields, an address or
    a subject among them (a journey has a From, a To and a date too)."""
    if not _FROM_FIELD.match(lines[start]):
        return False
    fields = [line for line in lines[start : start + _HEADER_LINES] if _FIELD.match(line)]
    return len(fields) >= 3 and any("@" in line or _SUBJECT_FIELD.match(line) for line in fields)


def is_bar(line: str) -> bool:
    """Whether the line says that the original, or a forwarded message, follows."""
    return len(line) <= 120 and _BAR.match(line) is not None
