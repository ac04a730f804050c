"""Whether a mail says plainly that somebody did not come to a meeting, in seven languages (en, nl, sv, zh, de, fr, es).

Only what leaves no doubt is taken: an apology or a regret, the meeting, and that it was missed, in one sentence. A call that
nobody answered, or a meeting that is still to come, is none.
"""

from __future__ import annotations

import re

from autocapture.formats.subjects import base_subject
from autocapture.normalize.reply_text import own_words, reply_text
from autocapture.normalize.slot import MISSED_IT, MISSED_YOU

_READ = 1_500
"""Characters of a text: what is to be said of a missed meeting is said first."""

_GAP = r"[^.!?。！？\n]{0,50}?"
_EN = (
    r"(?:(?:our|the|today's|yesterday's|this (?:morning|afternoon)'s|your|a) (?:\w+ )?(?:meeting|appointment|demo|session)"
    r"|our (?:\w+ )?call|today's call)\b"
)
_DE = r"(?:termin|meeting|besprechung|treffen|gespräch|videokonferenz|demo|verabredung)\b"
_NL = r"(?:afspraak|vergadering|meeting|gesprek|overleg|bespreking|demo)\b"
_SV = r"(?:mötet?|samtalet?|demon?|avstämning\w*|träff\w*)\b"
_FR = r"(?:réunion|rendez-vous|rdv|entretien|visio\w*|démo\w*)\b"
_ES = r"(?:reunión|cita|videollamada|demo\w*)\b"
_ZH = r"(?:会议|會議|会面|會面|约会|約會|视频会|演示|見面|见面)"

_MISSED_IT = (
    rf"\b(?:sorry|apologi[sz]e|apologies)\b(?! if){_GAP}\b(?:missed|missing|forgot(?: about)?|not (?:joining|attending|making)"
    rf"|(?:couldn'?t|could not|didn'?t|did not|wasn'?t able to|was not able to) (?:join|attend|make(?: it to)?)) {_EN}",
    rf"\b(?:entschuldig\w*|verzeih\w*|sorry|tut (?:mir|uns) leid){_GAP}\b{_DE}{_GAP}\b(?:verpasst|versäumt|verschwitzt|vergessen"
    r"|nicht (?:wahrnehmen|teilnehmen|dabei sein|erscheinen) konnte\w*)\b",
    rf"\b(?:sorry|excuus|excuses|spijt (?:me|mij|ons)){_GAP}\b{_NL}{_GAP}\b(?:gemist|vergeten|verzuimd|niet gehaald"
    r"|niet (?:bij|aanwezig) (?:kon|konden) zijn)\b",
    rf"\b(?:ursäkta|förlåt|ledsen|beklagar){_GAP}\b(?:missade|glömde|missat|glömt|inte kunde (?:komma till|delta i|vara med på))"
    rf"{_GAP}\b{_SV}",
    rf"\b(?:désolée?s?|excuse\w*|pardon|navrée?s?){_GAP}\b(?:manqué|raté|oublié"
    rf"|pas pu (?:assister|participer|être présente?|venir)){_GAP}\b{_FR}",
    rf"\b(?:siento|lamento|disculp\w*|perd[oó]n\w*|sentimos){_GAP}\b(?:perd(?:ido|erme|í|imos)|faltado|falté|olvid(?:é|ado)"
    rf"|no (?:haber podido|pude|pudimos|haber) (?:asisti[rd]o?|acudi[rd]o?|participa[rd]o?)){_GAP}\b{_ES}",
    rf"(?:抱歉|对不起|對不起|不好意思)[^。！？\n]{{0,15}}(?:错过|錯過|没能参加|沒能參加|未能参加|未能參加|没有参加|忘了|忘记|忘記)"
    rf"[^。！？\n]{{0,12}}{_ZH}",
)
_MISSED_YOU = (
    rf"\bmissed you (?:at|in|on|during) {_EN}",
    rf"\byou (?:didn'?t|did not|weren'?t able to|were not able to) (?:join|attend|show up (?:for|to|at)|make(?: it to)?) {_EN}",
    rf"\b(?:sie|euch|dich){_GAP}\b{_DE}{_GAP}\bvermisst\b",
    rf"\b(?:sie|ihr|du)\b{_GAP}\bnicht (?:zu|bei|in|an)\w* {_GAP}\b{_DE}{_GAP}\b(?:erschienen|gekommen|dabei|teilgenommen)\b",
    rf"\b(?:je|u|jullie)\b{_GAP}\bgemist (?:bij|tijdens|in|op) {_GAP}\b{_NL}",
    rf"\b(?:je|u|jullie) (?:was|waren|bent) (?:er )?niet (?:bij|aanwezig (?:bij|op)|verschenen (?:bij|op)) {_GAP}\b{_NL}",
    rf"\b(?:saknade (?:dig|er)|(?:du|ni) (?:kom inte till|dök inte upp på|var inte med på)) {_GAP}\b{_SV}",
    rf"\b(?:vous|tu) (?:n'étiez|n'étais|n'avez|n'as|n'êtes|n'es) pas {_GAP}\b(?:présente?s?|venue?s?|participé|connectée?s?)"
    rf"{_GAP}\b{_FR}",
    rf"\b(?:no (?:viniste|asististe|vino|asistió|acudió|se conectó|te conectaste)|echamos de menos){_GAP}\b{_ES}",
    rf"[您你]们?(?:今天|昨天|刚才)?(?:没有?|沒有?|未)能?(?:参加|參加|出席|来|來)[^。！？\n]{{0,12}}{_ZH}",
)
_SAYS = (
    (MISSED_YOU, re.compile("|".join(_MISSED_YOU), re.IGNORECASE)),
    (MISSED_IT, re.compile("|".join(_MISSED_IT), re.IGNORECASE)),
)
_HINT = re.compile(
    r"sorry|apolog|missed|didn|did not|weren|were not|entschuldig|verzeih|leid|vermisst|nicht|excu|spijt|gemist|niet|ursäkta|"
    r"förlåt|ledsen|beklagar|saknade|inte|désol|pardon|navré|pas|siento|sentimos|lamento|disculp|perd|menos|no |抱歉|对不起|"
    r"對不起|不好意思|没|沒|未"
)
"""One of these is in each of them, case-folded: most subjects have none."""


def said_in_subject(subject: str) -> str | None:
    """What the subject says of a meeting: `MISSED_IT`, `MISSED_YOU` or nothing. An answer carries another one's words."""
    if (
        _HINT.search(subject.casefold()) is None
        or base_subject(subject) != " ".join(subject.split()).casefold()
    ):
        return None
    return _said(subject)


def said_in_text(text: str) -> str | None:
    """The same of the writer's own words."""
    return _said(own_words(reply_text(text))[:_READ])


def _said(words: str) -> str | None:
    plain = " ".join(words.replace("\u2019", "'").split())
    return next((remark for remark, pattern in _SAYS if pattern.search(plain)), None)
