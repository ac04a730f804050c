"""Out-of-office mails as the mail systems of customers write them: the header shapes of these systems, texts in many languages.

Written for these tests after what the systems' documentation and their mails in public archives show; every person, company
and address is invented. Some bear no sign but their subject, as old Exchange, Notes and some web mailers send them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.header import Header

ASKED = {
    "en": "Your offer 4711",
    "de": "Angebot 4711 für Halle 3",
    "fr": "Votre devis n° 4711",
    "es": "Oferta 4711, segunda versión",
    "it": "Offerta 4711",
    "nl": "Offerte 4711",
    "pt": "Proposta 4711",
    "sv": "Offert 4711",
    "da": "Tilbud 4711",
    "nb": "Tilbud 4711 på vedlikehold",
    "fi": "Tarjous 4711",
    "pl": "Oferta 4711",
    "cs": "Nabídka 4711",
    "ru": "Предложение 4711",
    "tr": "Teklif 4711",
    "zh": "报价 4711",
    "ja": "お見積り 4711 の件",
    "ko": "견적서 4711",
}
"""What our people had written about."""

PEOPLE = {
    "en": ("Claire Dunmore", "claire.dunmore@harrowgate.example"),
    "de": ("Jürgen Achterberg", "j.achterberg@nordmetall.example"),
    "fr": ("Hélène Vautrin", "helene.vautrin@ateliers-vautrin.example"),
    "es": ("Íñigo Larrañaga", "inigo@larranaga.example"),
    "it": ("Niccolò Bressan", "n.bressan@bressan-impianti.example"),
    "nl": ("Maaike van der Velde", "maaike@veldetechniek.example"),
    "pt": ("João Cerqueira", "joao.cerqueira@cerqueira.example"),
    "sv": ("Åsa Lindqvist", "asa.lindqvist@norrverk.example"),
    "da": ("Søren Kjærgaard", "sk@kjaergaard.example"),
    "nb": ("Ingrid Østby", "ingrid.ostby@fjordkraft.example"),
    "fi": ("Päivi Mäkelä", "paivi.makela@konepaja.example"),
    "pl": ("Łukasz Wróbel", "l.wrobel@wrobel.example"),
    "cs": ("Jiří Dvořák", "dvorak@strojirny.example"),
    "ru": ("Ольга Синицына", "sinitsyna@zavod.example"),
    "tr": ("Gülşen Yıldız", "gulsen@yildizmakina.example"),
    "zh": ("王晓梅", "wangxm@huadong.example"),
    "ja": ("佐藤 健一", "k.sato@satoseiki.example"),
    "ko": ("김민준", "mj.kim@hangang.example"),
}

TEXTS = {
    "en": "Thank you for your message. I am out of the office until Monday 23 March with limited access to e-mail.\n"
    "For anything urgent please call my colleague Tom Ashby on +44 20 7946 0991.\n\nBest regards\nClaire Dunmore",
    "de": "Guten Tag,\n\nich bin bis einschließlich 20. März nicht im Büro. Ihre Nachricht wird nicht weitergeleitet.\n"
    "In dringenden Fällen erreichen Sie Frau Petersen unter +49 40 5550199.\n\nMit freundlichen Grüßen\nJürgen Achterberg",
    "fr": "Bonjour,\n\nJe suis absente du bureau jusqu'au 22 mars inclus. En cas d'urgence, merci de contacter\n"
    "mon collègue Luc Perrin (luc.perrin@ateliers-vautrin.example).\n\nCordialement,\nHélène Vautrin",
    "es": "Hola:\n\nEstaré fuera de la oficina hasta el 24 de marzo, sin acceso al correo. Para temas urgentes,\n"
    "escriba a compras@larranaga.example.\n\nUn saludo,\nÍñigo",
    "it": "Buongiorno,\n\nsono fuori ufficio fino al 20 marzo compreso e leggerò la posta al rientro.\n\n"
    "Cordiali saluti\nNiccolò Bressan",
    "nl": "Beste relatie,\n\nIk ben afwezig tot en met 19 maart. Voor spoed kunt u bellen met +31 30 555 0177.\n\n"
    "Met vriendelijke groet,\nMaaike van der Velde",
    "pt": "Olá,\n\nEstou ausente do escritório até 23 de março. Assuntos urgentes: geral@cerqueira.example.\n\n"
    "Com os melhores cumprimentos,\nJoão Cerqueira",
    "sv": "Hej!\n\nJag är på semester till och med den 22 mars och läser inte min e-post. Vid brådskande ärenden,\n"
    "ring växeln 08-555 01 40.\n\nVänliga hälsningar\nÅsa Lindqvist",
    "da": "Hej\n\nJeg er på ferie til og med den 20. marts. Kontakt venligst Mette på 55 50 12 34.\n\nMed venlig hilsen\nSøren",
    "nb": "Hei,\n\nJeg er ikke til stede før 23. mars. Haster det, ring sentralbordet.\n\nMed vennlig hilsen\nIngrid Østby",
    "fi": "Hei,\n\nolen poissa toimistolta 20.3. saakka. Kiireellisissä asioissa ottakaa yhteyttä myyntiin.\n\n"
    "Terveisin\nPäivi Mäkelä",
    "pl": "Dzień dobry,\n\njestem poza biurem do 20 marca. W pilnych sprawach proszę pisać na biuro@wrobel.example.\n\n"
    "Z poważaniem\nŁukasz Wróbel",
    "cs": "Dobrý den,\n\nnejsem v kanceláři do 20. března. V naléhavých případech volejte kolegu Nováka.\n\n"
    "S pozdravem\nJiří Dvořák",
    "ru": "Здравствуйте!\n\nЯ в отпуске до 23 марта. По срочным вопросам пишите на office@zavod.example.\n\n"
    "С уважением,\nОльга Синицына",
    "tr": "Merhaba,\n\n20 Mart tarihine kadar ofis dışındayım. Acil konular için satış ekibimize yazabilirsiniz.\n\n"
    "Saygılarımla\nGülşen Yıldız",
    "zh": "您好：\n\n我于3月16日至3月20日休假，期间无法及时回复邮件。如有急事请联系同事李娜。\n\n此致\n敬礼\n王晓梅",
    "ja": "お世話になっております。\n\n3月20日まで休暇をいただいております。お急ぎの場合は代表電話へご連絡ください。\n\n佐藤健一",
    "ko": "안녕하세요.\n\n3월 20일까지 휴가로 자리를 비웁니다. 급한 용무는 대표번호로 연락 부탁드립니다.\n\n김민준 드림",
}

OUTLOOK = {
    "en": "Automatic reply: ",
    "de": "Automatische Antwort: ",
    "fr": "Réponse automatique : ",
    "es": "Respuesta automática: ",
    "it": "Risposta automatica: ",
    "nl": "Automatisch antwoord: ",
    "pt": "Resposta automática: ",
    "sv": "Automatiskt svar: ",
    "da": "Automatisk svar: ",
    "nb": "Automatisk svar: ",
    "fi": "Automaattinen vastaus: ",
    "pl": "Odpowiedź automatyczna: ",
    "cs": "Automatická odpověď: ",
    "ru": "Автоматический ответ: ",
    "tr": "Otomatik yanıt: ",
    "zh": "自动答复: ",
    "ja": "自動応答: ",
    "ko": "자동 회신: ",
}
"""How Exchange begins the subject, in the language of the mailbox."""

OWN_WORDS = {
    "en": "I'm on annual leave",
    "de": "Im Urlaub",
    "fr": "Absence du bureau",
    "es": "Estoy de vacaciones",
    "it": "Fuori sede",
    "nl": "Met vakantie",
    "pt": "Ausente",
    "sv": "På semester",
    "da": "På ferie",
    "nb": "Fravær",
    "fi": "Lomalla",
    "pl": "Urlop",
    "cs": "Nepřítomnost",
    "ru": "В отпуске",
    "tr": "İzindeyim",
    "zh": "休假通知",
    "ja": "不在のお知らせ",
    "ko": "부재중 안내",
}
"""What people themselves put into the subject of their note."""

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Absence:
    """One mail: which system wrote it, in which language, and its bytes."""

    system: str
    language: str
    raw: bytes


@dataclass(frozen=True)
class _System:
    """How one system writes a note: the envelope's return path, the subject, what else is in the header."""

    name: str
    languages: str
    subject: Callable[[str], str]
    headers: Headers
    null_path: bool = True
    answers: bool = True
    """Whether it names the mail that it answers."""


def _outlook(language: str) -> str:
    return OUTLOOK[language] + ASKED[language]


def _own_words(language: str) -> str:
    return OWN_WORDS[language]


def _own_words_re(language: str) -> str:
    return f"{OWN_WORDS[language]} Re: {ASKED[language]}"


def _re(language: str) -> str:
    return f"Re: {ASKED[language]}"


def _old_exchange(language: str) -> str:
    prefix = {
        "en": "Out of Office AutoReply: ",
        "de": "Abwesenheitsnotiz: ",
        "fr": "Réponse automatique d'absence du bureau : ",
        "es": "Respuesta automática de fuera de oficina: ",
    }
    return prefix[language] + ASKED[language]


def _notes(language: str) -> str:
    name = PEOPLE[language][0]
    return {
        "en": f"AUTO: {name} is out of the office (returning 23/03/2026)",
        "de": f"AUTO: {name} ist außer Haus (Rückkehr am 21.03.2026)",
        "fr": f"AUTO: {name} est absente (retour 23/03/2026)",
        "nl": f"AUTO: {name} is afwezig (terug op 20-03-2026)",
    }[language]


def _old_notes(language: str) -> str:
    return PEOPLE[language][0] + {"en": " is out of the office.", "de": " ist außer Haus."}[language]


_EXCHANGE_ONLINE: Headers = [
    ("Thread-Index", "AQHcsQ2m8QYc4m0kYUyb9VwJ2p1nUA=="),
    ("X-MS-Has-Attach", ""),
    ("X-Auto-Response-Suppress", "All"),
    ("X-MS-Exchange-Inbox-Rules-Loop", "ruth@ours.example"),
    ("X-MS-TNEF-Correlator", ""),
    ("auto-submitted", "auto-generated"),
    ("x-ms-exchange-generated-message-source", "Mailbox Rules Agent"),
    ("x-ms-publictraffictype", "Email"),
]
_CPANEL: Headers = [
    ("X-Autorespond", "Your offer"),
    ("X-Precedence", "auto_reply"),
    ("Precedence", "auto_reply"),
    ("X-Mailer", "cPanel autoresponder"),
    ("Auto-Submitted", "auto-replied"),
]
_SIEVE: Headers = [
    ("X-Sieve", "Pigeonhole Sieve 0.5.21"),
    ("Auto-Submitted", "auto-replied (vacation)"),
    ("X-Auto-Response-Suppress", "All"),
    ("Precedence", "bulk"),
]
SYSTEMS = (
    _System(
        "Exchange Online", "en de fr es it nl pt sv da nb fi pl cs ru tr zh ja ko", _outlook, _EXCHANGE_ONLINE
    ),
    _System(
        "Exchange 2010",
        "de fr nl sv zh",
        _outlook,
        [("X-Auto-Response-Suppress", "All"), ("auto-submitted", "auto-generated")],
    ),
    _System(
        "Outlook rule on a server",
        "en de es",
        _own_words,
        [("X-Autoreply", "yes"), ("auto-submitted", "auto-generated")],
    ),
    _System(
        "Exchange 2003",
        "en de fr es",
        _old_exchange,
        [
            ("Content-class", "urn:content-classes:message"),
            ("X-MimeOLE", "Produced By Microsoft Exchange V6.5"),
        ],
        answers=False,
    ),
    _System(
        "Exchange 2003 through a relay",
        "en de fr",
        _old_exchange,
        [("X-MimeOLE", "Produced By Microsoft Exchange V6.5")],
        null_path=False,
        answers=False,
    ),
    _System(
        "Gmail",
        "en de fr es it nl pt sv pl tr ja ko",
        _own_words_re,
        [("Auto-Submitted", "auto-replied"), ("Precedence", "bulk"), ("X-Autoreply", "yes")],
        null_path=False,
    ),
    _System(
        "Zimbra",
        "en fr es it pt cs",
        _re,
        [("Auto-Submitted", "auto-replied (zimbra; vacation)"), ("Precedence", "bulk")],
    ),
    _System(
        "Domino",
        "en de fr nl",
        _notes,
        [("Auto-Submitted", "auto-generated"), ("X-Mailer", "HCL Domino Release 12.0.2")],
    ),
    _System(
        "Notes 5",
        "en de",
        _old_notes,
        [("X-Mailer", "Lotus Notes Release 5.0.8")],
        null_path=False,
        answers=False,
    ),
    _System(
        "qmail autorespond",
        "en de pl ru",
        _own_words_re,
        [("Delivered-To", "Autoresponder"), ("Precedence", "junk")],
    ),
    _System("Exim filter", "en de cs", _re, [("Auto-Submitted", "auto-replied"), ("Precedence", "bulk")]),
    _System("cPanel", "en es pt tr", _own_words_re, _CPANEL, null_path=False),
    _System("Dovecot Sieve", "de nl sv fi fr ru", _own_words, _SIEVE),
    _System(
        "Cyrus Sieve",
        "de nb da",
        _own_words,
        [("X-Sieve", "CMU Sieve 3.0"), ("Auto-Submitted", "auto-replied (vacation)")],
    ),
    _System(
        "vacation(1)",
        "en fi",
        _own_words,
        [("Precedence", "bulk"), ("Auto-Submitted", "auto-replied")],
        answers=False,
    ),
    _System("old vacation(1)", "en it", _own_words, [("Precedence", "bulk")], null_path=False, answers=False),
    _System("CommuniGate Pro", "en ru", _re, [("X-Autogenerated", "Reply")], null_path=False),
    _System(
        "DTC",
        "fr en",
        _own_words,
        [("X-Mail-Autoreply", "dtc-autoreply"), ("X-AutoReply-From", "dtc")],
        null_path=False,
    ),
    _System("FirstClass", "sv en", _re, [("X-FC-MachineGenerated", "true")], null_path=False),
    _System("Mailtraq", "en", _re, [("X-POST-MessageClass", "9; Autoresponder")], null_path=False),
    _System(
        "GroupWise",
        "en de",
        _own_words,
        [("X-Mailer", "Novell GroupWise Internet Agent 14.2"), ("Auto-Submitted", "auto-replied")],
    ),
    _System(
        "iCloud",
        "en fr ja",
        _re,
        [("Auto-Submitted", "auto-replied"), ("Precedence", "bulk")],
        null_path=False,
    ),
    _System("GMX", "de", _re, [("Auto-Submitted", "auto-replied"), ("X-UI-Message-Type", "mail")]),
    _System("Yandex", "ru", _own_words_re, [("X-Autoreply", "YES"), ("Precedence", "bulk")], null_path=False),
    _System(
        "QQ",
        "zh",
        lambda language: f"自动回复:{ASKED[language]}",
        [("X-Mailer", "QQMail 2.x")],
        null_path=False,
    ),
    _System(
        "NetEase",
        "zh",
        lambda language: f"自动回复：{ASKED[language]}",
        [("X-CM-SenderInfo", "5zdqwh0")],
        null_path=False,
    ),
    _System(
        "SmarterMail",
        "en tr",
        _own_words_re,
        [("X-Auto-Response-Suppress", "All"), ("X-SmarterMail-Autoreply", "1")],
    ),
    _System(
        "MDaemon",
        "it de",
        _own_words_re,
        [("Precedence", "bulk"), ("X-MDaemon-Deliver-To", "ruth@ours.example")],
        null_path=False,
    ),
)


def absences() -> Iterator[Absence]:
    """All of them, always the same."""
    number = 0
    for system in SYSTEMS:
        for language in system.languages.split():
            number += 1
            yield Absence(system.name, language, _raw(system, language, number))


def _raw(system: _System, language: str, number: int) -> bytes:
    name, address = PEOPLE[language]
    host = address.partition("@")[2]
    path = "<>" if system.null_path else f"<{address}>"
    lines = [
        f"Return-Path: {path}",
        f"Received: from mail.{host} (mail.{host} [192.0.2.{number % 250 + 1}])",
        f"\tby mx.ours.example (Postfix) with ESMTPS id 4yK{number:05d}zhb for <ruth@ours.example>;",
        "\tMon, 16 Mar 2026 09:14:07 +0100 (CET)",
        f"From: {Header(name, 'utf-8').encode()} <{address}>",
        "To: Ruth <ruth@ours.example>",
        f"Subject: {Header(system.subject(language), 'utf-8').encode()}",
        "Date: Mon, 16 Mar 2026 09:14:05 +0100",
        f"Message-ID: <absence.{number}@{host}>",
    ]
    if system.answers:
        lines += ["In-Reply-To: <offer.4711@ours.example>", "References: <offer.4711@ours.example>"]
    lines += [f"{key}: {value}" for key, value in system.headers]
    lines += [
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    return "\r\n".join([*lines, "", *TEXTS[language].splitlines(), ""]).encode()
