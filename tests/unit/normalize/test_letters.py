"""Whole mails, from the readable text to what their writers wrote and how they signed."""

from __future__ import annotations

import pytest
from tests.corpus.letters import LETTERS, Letter

from autocapture.normalize.contact_details import contact_details
from autocapture.normalize.signature import written


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter.name)
def test_what_was_written_and_how_it_was_signed(letter: Letter) -> None:
    found = written(letter.text, letter.writer)
    assert found.words == letter.words
    assert found.signature.split("\n")[0].strip("* ") == letter.signature
    assert "Ruth Miller <" not in found.signature


DETAILS = {
    "en, Outlook, double-spaced from HTML": (
        "GB",
        "title Head of Procurement, company Harrowgate Ltd, phone +442079460991, mobile +447911123456",
    ),
    "en, iPhone, top posting": ("GB", ""),
    "de, company's small print": (
        "DE",
        "title Leiter Einkauf, company Nordmetall GmbH & Co. KG, phone +49403690120, link www.nordmetall.example",
    ),
    "fr, Gmail": ("FR", "title Responsable achats, company Ateliers Vautrin SAS, phone +33472001122"),
    "nl, Outlook": (
        "NL",
        "title Hoofd inkoop, company Velde Techniek B.V., phone +31302345678, mobile +31612345678",
    ),
    "sv, Outlook": ("SE", "title Inköpschef, company Norrverk AB, mobile +46701740635"),
    "zh, Foxmail": ("CN", "title 采购经理, company 华东机械有限公司, phone +862161201234"),
    "en, answers in place": ("SE", "company Lind AB, phone +46855512340"),
    "pl, Outlook": ("PL", "title Kierownik Działu Zakupów, company Wróbel Sp. z o.o., phone +48225550123"),
    "en, not signed": ("GB", ""),
}


@pytest.mark.parametrize(
    "letter", [each for each in LETTERS if each.name in DETAILS], ids=lambda each: each.name
)
def test_what_the_signature_of_a_letter_tells(letter: Letter) -> None:
    region, expected = DETAILS[letter.name]
    found = contact_details(written(letter.text, letter.writer).signature, letter.writer, region)
    assert ", ".join(f"{each.kind} {each.value}" for each in found) == expected
