"""What the writer of a mail wrote, without what mail programs put below it in the languages they speak."""

from __future__ import annotations

from pathlib import Path

import pytest

from autocapture.normalize.reply_text import own_words, reply_text

_DATA = Path("../shared/data/replies-discourse")

ATTRIBUTIONS = {
    "en Gmail": "On Tue, Mar 10, 2026 at 3:04 PM Ruth Miller <ruth@ours.example> wrote:",
    "en Gmail, wrapped": "On Tue, Mar 10, 2026 at 3:04 PM Ruth Miller-Longname of Ours <\nruth@ours.example> wrote:",
    "en Apple Mail": "On 10 Mar 2026, at 15:04, Ruth Miller <ruth@ours.example> wrote:",
    "en Thunderbird": "On 10/03/2026 15:04, Ruth Miller wrote:",
    "en, a name alone": "Ruth Miller wrote:",
    "de Gmail": "Am Di., 10. März 2026 um 15:04 Uhr schrieb Ruth Miller <ruth@ours.example>:",
    "de Thunderbird": "Am 10.03.26 um 15:04 schrieb Ruth Miller:",
    "de Apple Mail": "> Am 10.03.2026 um 15:04 schrieb Ruth Miller <ruth@ours.example>:",
    "fr Gmail": "Le mar. 10 mars 2026 à 15:04, Ruth Miller <ruth@ours.example> a écrit :",
    "fr Thunderbird": "Le 10/03/2026 à 15:04, Ruth Miller a écrit :",
    "es Gmail": "El mar, 10 mar 2026 a las 15:04, Ruth Miller (<ruth@ours.example>) escribió:",
    "es wrapped": "El mar, 10 mar 2026 a las 15:04, Ruth Miller de la Compañía (\n<ruth@ours.example>) escribió:",
    "nl Gmail": "Op di 10 mrt 2026 om 15:04 schreef Ruth Miller <ruth@ours.example>:",
    "nl Apple Mail": "Op 10 mrt 2026, om 15:04 heeft Ruth Miller <ruth@ours.example> het\nvolgende geschreven:",
    "sv Gmail": "Den tis 10 mars 2026 kl 15:04 skrev Ruth Miller <ruth@ours.example>:",
    "sv Apple Mail": "10 mars 2026 kl. 15:04 skrev Ruth Miller <ruth@ours.example>:",
    "zh Gmail": "Ruth Miller <ruth@ours.example> 于2026年3月10日周二 15:04写道：",
    "zh Apple Mail": "在 2026年3月10日，15:04，Ruth Miller <ruth@ours.example> 写道：",
    "it Gmail": "Il giorno mar 10 mar 2026 alle ore 15:04 Ruth Miller <ruth@ours.example> ha scritto:",
    "pt Gmail": "Em ter., 10 de mar. de 2026 às 15:04, Ruth Miller <ruth@ours.example> escreveu:",
    "da Gmail": "Den tirs. 10. mar. 2026 kl. 15.04 skrev Ruth Miller <ruth@ours.example>:",
    "nb Gmail": "tir. 10. mar. 2026 kl. 15:04 skrev Ruth Miller <ruth@ours.example>:",
    "fi Gmail": "ti 10. maalisk. 2026 klo 15.04 Ruth Miller (ruth@ours.example) kirjoitti:",
    "pl Gmail": "wt., 10 mar 2026 o 15:04 Ruth Miller <ruth@ours.example> napisał(a):",
    "cs Gmail": "út 10. 3. 2026 v 15:04 odesílatel Ruth Miller <ruth@ours.example> napsal:",
    "ru Gmail": "вт, 10 мар. 2026 г. в 15:04, Ruth Miller <ruth@ours.example>:",
    "tr Gmail": "Ruth Miller <ruth@ours.example>, 10 Mar 2026 Sal, 15:04 tarihinde şunu yazdı:",
    "ja Gmail": "2026年3月10日(火) 15:04 Ruth Miller <ruth@ours.example>:",
    "ko Gmail": "2026년 3월 10일 (화) 오후 3:04, Ruth Miller <ruth@ours.example>님이 작성:",
}

HEADERS = {
    "en": "From: Ruth Miller <ruth@ours.example>\nSent: Tuesday, March 10, 2026 3:04 PM\nTo: Anna\nSubject: The offer",
    "en, bold": "*From:* Ruth <ruth@ours.example>\n*Date:* Tuesday, 10 March 2026 at 15:04\n*To:* Anna\n*Subject:* The offer",
    "de": "Von: Ruth Miller <ruth@ours.example>\nGesendet: Dienstag, 10. März 2026 15:04\nAn: Anna\nBetreff: Angebot",
    "fr": "De : Ruth Miller <ruth@ours.example>\nEnvoyé : mardi 10 mars 2026 15:04\nÀ : Anna\nObjet : L'offre",
    "es": "De: Ruth Miller <ruth@ours.example>\nEnviado: martes, 10 de marzo de 2026 15:04\nPara: Anna\nAsunto: La oferta",
    "nl": "Van: Ruth Miller <ruth@ours.example>\nVerzonden: dinsdag 10 maart 2026 15:04\nAan: Anna\nOnderwerp: Offerte",
    "sv": "Från: Ruth Miller <ruth@ours.example>\nSkickat: den 10 mars 2026 15:04\nTill: Anna\nÄmne: Offert",
    "zh": "发件人: Ruth Miller <ruth@ours.example>\n发送时间: 2026年3月10日 15:04\n收件人: Anna\n主题: 报价",
    "it": "Da: Ruth Miller <ruth@ours.example>\nInviato: martedì 10 marzo 2026 15:04\nA: Anna\nOggetto: Offerta",
    "pt": "De: Ruth <ruth@ours.example>\nEnviada em: terça-feira, 10 de março de 2026 15:04\nPara: Anna\nAssunto: Proposta",
    "da": "Fra: Ruth Miller <ruth@ours.example>\nSendt: 10. marts 2026 15:04\nTil: Anna\nEmne: Tilbud",
    "pl": "Od: Ruth Miller <ruth@ours.example>\nWysłano: wtorek, 10 marca 2026 15:04\nDo: Anna\nTemat: Oferta",
    "ru": "От: Ruth Miller <ruth@ours.example>\nОтправлено: 10 марта 2026 г. 15:04\nКому: Anna\nТема: Предложение",
    "ja": "差出人: Ruth Miller <ruth@ours.example>\n送信日時: 2026年3月10日 15:04\n宛先: Anna\n件名: お見積り",
}

ANSWER = "Hello Ruth,\n\nthat works for us. Shall we say Thursday?\n\nAnna"


BY_MARKS_ALONE = {"ru Gmail", "de Apple Mail", "en, a name alone"}
"""Where nothing but the marks tells that others' text follows."""

QUOTING = [(name, "> ") for name in ATTRIBUTIONS] + [
    (name, "") for name in ATTRIBUTIONS.keys() - BY_MARKS_ALONE
]


@pytest.mark.parametrize(("name", "mark"), sorted(QUOTING))
def test_the_answered_mail_is_left_out(name: str, mark: str) -> None:
    line = ATTRIBUTIONS[name]
    quoted = "".join(f"{mark}{each}\n" for each in ("Hello Anna,", "", "how about next week?", "", "Ruth"))
    assert reply_text(f"{ANSWER}\n\n{line}\n\n{quoted}") == ANSWER


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
@pytest.mark.parametrize("bar", ["", "________________________________\n", "-----Original Message-----\n"])
def test_a_repeated_header_begins_the_answered_mail(header: str, bar: str) -> None:
    assert reply_text(f"{ANSWER}\n\n{bar}{header}\n\nHello Anna,\nhow about next week?\n") == ANSWER


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone", "Get Outlook for iOS<https://aka.ms/o0ukef>", "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone", "Enviado desde mi iPhone", "Verzonden vanaf mijn iPhone", "Skickat från min iPhone",
        "Gesendet mit der WEB.DE Mail App", "Inviato da iPhone", "Sendt fra min iPhone", "发自我的 iPhone", "从我的 iPhone 发送",
        "iPhoneから送信",
    ],
)  # fmt: skip
def test_what_a_device_appends_is_left_out(line: str) -> None:
    assert reply_text(f"{ANSWER}\n\n{line}\n") == ANSWER


def test_quotations_that_are_answered_in_place_stay_and_are_not_the_writers_own_words() -> None:
    asked = "On 10/03/2026 15:04, Ruth wrote:\n> Is Thursday fine?\n\nYes.\n\n> And the price?"
    text = f"Hello,\n\n{asked}\n\nIt is fine too.\n\n> Ruth\n"
    reply = reply_text(text)
    assert reply == "Hello,\n\n> Is Thursday fine?\n\nYes.\n\n> And the price?\n\nIt is fine too."
    assert own_words(reply).split() == ["Hello,", "Yes.", "It", "is", "fine", "too."]


@pytest.mark.parametrize(
    "text",
    [
        "From: your side we need two things.\n\nThe drawing, and the price.",
        "On Monday we spoke about the price.\nAs I wrote: it is fixed.\n\nAnna",
        "Von: Hamburg\nNach: Bremen\n\nbitte zwei Fahrkarten",
        "Prices:\n- pump 10\n- valve 12\n-- see below --\n\nAnna",
        "Subject to approval: yes.",
        "Bitte buchen:\n\nVon: Hamburg\nNach: Bremen\nAn: 3. Mai\nDatum: 3. Mai\n\nDanke",
        "Hello,\n\non 10 March 2026 I wrote:\n\nthe price is fixed until June.\n\nIs it?",
        "Hallo,\n\nam 10.03.2026 um 15:04 schrieb ich Ihnen:\n\nder Preis gilt bis Juni.",
        "Hello,\n\non 10 March 2026 your colleague wrote:\n\nthe price is fixed until June.\n\nIs it?",
    ],
)
def test_a_text_without_quotations_stays_whole(text: str) -> None:
    assert reply_text(text) == text


@pytest.mark.parametrize(
    "text", ["", "\n\n", "> only\n> a quotation\n", "On 10/03/2026 15:04, Ruth wrote:\n> Hi\n"]
)
def test_nothing_is_left_where_the_writer_wrote_nothing(text: str) -> None:
    assert own_words(reply_text(text)) == ""


def test_a_hostile_text_is_read_in_little_time() -> None:
    for piece in ("On ", "> ", "From: ", "-" * 200, "<a@b ", "2026-01-01 ", "wrote: ", "_ " * 100):
        reply_text((piece * (65_536 // len(piece)))[:65_536])
        reply_text("\n".join([piece * 4] * 8_000)[:65_536])


@pytest.mark.skipif(not _DATA.is_dir(), reason="the collection of replies is not here (../shared/data)")
def test_replies_that_others_collected_are_trimmed_as_they_were_by_hand() -> None:
    files = sorted((_DATA / "emails").iterdir())
    wrong = []
    for file in files:
        expected = (_DATA / "trimmed" / file.name).read_text(encoding="utf-8")
        if reply_text(file.read_text(encoding="utf-8")).split() != expected.split():
            wrong.append(file.name)
    print(f"{len(files) - len(wrong)} of {len(files)} exactly as expected")
    assert wrong == []
