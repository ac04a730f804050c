"""How people sign, in the languages they sign in. `pytest -rP` on this file shows the measured shares."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autocapture.normalize.signature import signature_start, written
from autocapture.records import Address

_DATA = Path("../shared/data/signatures-forge")

ANNA = Address("anna.weber@nordwind.example", "Anna Weber")

CLOSINGS = {
    "en": "Kind regards,",
    "en, thanks": "Thanks and regards",
    "de": "Mit freundlichen Grüßen",
    "de, from": "Viele Grüße aus Hamburg",
    "de, short": "VG",
    "fr": "Bien cordialement,",
    "fr, day": "Bonne journée,",
    "es": "Un saludo,",
    "es, formal": "Atentamente,",
    "nl": "Met vriendelijke groet,",
    "nl, short": "Groeten,",
    "sv": "Med vänliga hälsningar",
    "sv, short": "Mvh",
    "zh": "此致",
    "zh, thanks": "谢谢！",
    "it": "Cordiali saluti",
    "pt": "Com os melhores cumprimentos",
    "da": "Med venlig hilsen",
    "fi": "Ystävällisin terveisin",
    "pl": "Z poważaniem",
    "cs": "S pozdravem",
    "ru": "С уважением,",
}
BODY = (
    "Hello Ruth,\n\nthe drawing is attached. The price holds until Friday, and we need an answer by then.\n"
)
BLOCK = "Anna Weber\nHead of Purchasing\nNordwind GmbH\nKanalstr. 7, 20095 Hamburg\nTel. +49 40 5550123\nwww.nordwind.example"


@pytest.mark.parametrize("closing", CLOSINGS.values(), ids=CLOSINGS.keys())
@pytest.mark.parametrize("block", [BLOCK, "Anna", "A. Weber"], ids=["block", "first name", "initial"])
def test_a_signature_is_told_from_what_was_written(closing: str, block: str) -> None:
    found = written(f"{BODY}\n{closing}\n\n{block}\n", ANNA)
    assert found.reply == BODY.strip()
    assert found.signature.split("\n")[0] == closing
    assert found.signature.endswith(block)


def test_what_stands_below_a_delimiter_is_the_signature_and_what_is_quoted_is_not() -> None:
    found = written(
        f"{BODY}\n-- \n{BLOCK}\n\nOn 10/03/2026 15:04, Ruth wrote:\n> Hello\n> -- \n> Ruth, Ours Ltd\n", ANNA
    )
    assert found.words == BODY.strip()
    assert found.signature == BLOCK


def test_small_print_is_neither_text_nor_signature() -> None:
    small = "This e-mail is confidential and intended solely for the use of the individual to whom it is addressed."
    found = written(f"{BODY}\nBest regards\nAnna Weber\nTel. +49 40 5550123\n\n{small}\n", ANNA)
    assert found.reply == BODY.strip()
    assert found.signature == "Best regards\nAnna Weber\nTel. +49 40 5550123"


@pytest.mark.parametrize(
    "text",
    [
        "Hello Ruth,\n\nplease send:\n\n- the drawing\n- the price\n- the date",
        "Shall we meet on Thursday?\n\nRoom 4\n10:00",
        "Thanks for the offer.\n\nWe will come back to you next week.",
        "See the list:\n\nPump 10\nValve 12\nHose 3",
        "Anna asked me to send you this, and here it is.",
        "Thank you.",
    ],
)
def test_a_text_that_is_not_signed_stays_whole(text: str) -> None:
    found = written(text, Address("bo@nordwind.example", "Bo Lind"))
    assert (found.reply, found.signature) == (text, "")


def test_a_hostile_text_is_read_in_little_time() -> None:
    for piece in ("Thanks ", "A ", "a@b.", "+49 40 ", "(", "Anna Weber ", "_"):
        written("\n".join([(piece * 40)[:100]] * 600), ANNA)
        written((piece * 65_536)[:65_536], ANNA)


def _writer(told: str) -> Address:
    """Whom a file of the collection names, in whatever form."""
    address = re.search(r"(?:mailto:|<)([^\]>]+)", told)
    name = re.sub(r"\[.*?\]|<.*?>", "", told).strip(' "\n')
    return Address(address[1] if address else "", name)


@pytest.mark.skipif(not _DATA.is_dir(), reason="the collection of signatures is not here (../shared/data)")
def test_signatures_that_others_marked_are_found_line_by_line() -> None:
    found = right = marked = whole = taken = unsigned = 0
    for file in sorted(_DATA.rglob("*_body")):
        raw = file.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").split("\n")
        lines = [line.removeprefix("#sig#") for line in raw]
        expected = {i for i, line in enumerate(raw) if line.startswith("#sig#") and line[5:].strip()}
        told = file.with_name(file.name.replace("_body", "_sender")).read_text(
            encoding="utf-8", errors="replace"
        )
        start = signature_start(lines, _writer(told))
        got = {i for i, line in enumerate(lines) if i >= start and line.strip()}
        found, marked, right = found + len(got), marked + len(expected), right + len(got & expected)
        if file.parent.name == "P":
            whole += got == expected
        else:
            taken, unsigned = taken + bool(got), unsigned + 1
    print(
        f"precision {right / found:.3f}, recall {right / marked:.3f}, {whole} exact; unsigned: {taken} of {unsigned} cut"
    )
    assert right / found >= 0.98
    assert right / marked >= 0.98
    assert taken == 0
