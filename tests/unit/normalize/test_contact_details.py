"""What signatures tell of those who sign, in the languages they sign in; and names as headers give them."""

from __future__ import annotations

import pytest

from autocapture.normalize.contact_details import contact_details
from autocapture.normalize.person_name import person_name
from autocapture.records import Address

SIGNATURES: dict[str, tuple[Address, str, str, dict[str, list[str]]]] = {
    "en": (
        Address("claire@harrowgate.example", "Claire Dunmore"),
        "GB",
        "Kind regards,\nClaire Dunmore\nHead of Procurement\nHarrowgate Ltd\nT: 020 7946 0991 | M: 07911 123456\n"
        "www.harrowgate.example",
        {"title": ["Head of Procurement"], "company": ["Harrowgate Ltd"], "phone": ["+442079460991"], "mobile": ["+447911123456"],
         "link": ["www.harrowgate.example"]},
    ),
    "en, US, one line": (
        Address("jgriffin@mtpower.example", "Griffin, James P"),
        "US",
        "Thanks.\n\nJim Griffin\nManager, Gas Transmission Marketing\nMontana Power Company\n40 East Broadway\nButte, MT  59701\n"
        "Phone:  406-497-2806\nFax:      406-497-2054\nEmail: jgriffin@mtpower.example",
        {"title": ["Manager, Gas Transmission Marketing"], "company": ["Montana Power Company"], "phone": ["+14064972806"]},
    ),
    "de": (
        Address("j.achterberg@nordmetall.example", "Jürgen Achterberg"),
        "DE",
        "Mit freundlichen Grüßen\n\ni. V. Petra Kern\n\nJürgen Achterberg\nLeiter Einkauf\nNordmetall GmbH & Co. KG\n"
        "Hafenstr. 12\n20457 Hamburg\nTel. 040 3690-0\nFax 040 3690-99\nMobil +49 151 23456789\nhttps://www.nordmetall.example",
        {"title": ["Leiter Einkauf"], "company": ["Nordmetall GmbH & Co. KG"], "phone": ["+494036900"],
         "mobile": ["+4915123456789"], "link": ["https://www.nordmetall.example"]},
    ),
    "fr": (
        Address("helene.vautrin@ateliers-vautrin.example", "VAUTRIN Hélène"),
        "FR",
        "Cordialement,\nHélène VAUTRIN\nResponsable achats\nAteliers Vautrin SAS\n"
        "Tél. : 01 42 68 53 00\nPortable : 06 12 34 56 78",
        {"title": ["Responsable achats"], "company": ["Ateliers Vautrin SAS"], "phone": ["+33142685300"],
         "mobile": ["+33612345678"]},
    ),
    "es": (
        Address("inigo@larranaga.example", "Íñigo Larrañaga"),
        "ES",
        "Un saludo,\n\nÍñigo Larrañaga | Director de Compras\nTalleres Larrañaga, S.L.\nTel: 943 00 12 34 · Móvil: 612 34 56 78\n"
        "linkedin.com/in/inigolarranaga",
        {"title": ["Director de Compras"], "company": ["Talleres Larrañaga, S.L."],
         "phone": ["+34943001234"], "mobile": ["+34612345678"],
         "link": ["linkedin.com/in/inigolarranaga"]},
    ),
    "nl": (
        Address("maaike@veldetechniek.example", "Maaike van der Velde"),
        "NL",
        "Met vriendelijke groet,\n\nMaaike van der Velde\nHoofd inkoop\nVelde Techniek B.V.\nT 030 234 5678\nM 06 12345678",
        {"title": ["Hoofd inkoop"], "company": ["Velde Techniek B.V."], "phone": ["+31302345678"], "mobile": ["+31612345678"]},
    ),
    "sv": (
        Address("asa.lindqvist@norrverk.example", "Åsa Lindqvist"),
        "SE",
        "Med vänliga hälsningar\n\nÅsa Lindqvist\nInköpschef\nNorrverk AB\nVäxel: 08-555 123 40\nMobil: 070-174 06 35",
        {"title": ["Inköpschef"], "company": ["Norrverk AB"], "phone": ["+46855512340"], "mobile": ["+46701740635"]},
    ),
    "zh": (
        Address("wangxm@huadong.example", "王晓梅"),
        "CN",
        "此致\n敬礼\n\n王晓梅\n采购经理\n华东机械有限公司\n电话：021-6120 1234\n手机：138 0013 8000",
        {"title": ["采购经理"], "company": ["华东机械有限公司"], "phone": ["+862161201234"], "mobile": ["+8613800138000"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", SIGNATURES)
def test_a_signature_tells_title_company_numbers_and_links(language: str) -> None:
    writer, region, signature, expected = SIGNATURES[language]
    found: dict[str, list[str]] = {}
    for detail in contact_details(signature, writer, region):
        assert detail.line in signature
        found.setdefault(detail.kind, []).append(detail.value)
    assert found == expected


ANNA = Address("anna.weber@nordwind.example", "Anna Weber")


def test_nothing_is_taken_from_a_signature_that_names_somebody_else() -> None:
    assert contact_details("Best regards\nBo Lind\nDirector\nLind AB\n+46 8 555 123 40", ANNA, "SE") == ()


def test_the_numbers_of_others_are_not_the_writers() -> None:
    signature = (
        "Anna Weber\nCEO\nAssistant: Bo Lind, +49 40 3690111\nbo.lind@nordwind.example +49 40 3690222\nHotline: +49 40 3690333\n"
        "Direct +49 40 3690444"
    )
    numbers = [
        each.value for each in contact_details(signature, ANNA, "DE") if each.kind in ("phone", "mobile")
    ]
    assert numbers == ["+49403690444"]


def test_a_label_stands_before_its_number_or_in_brackets_after_it() -> None:
    line = "Anna Weber\ntel: 202-715-7098 * fax: 202-715-4953\n202.715.7099 (cell)  202.715.7100 (fax)"
    found = [(each.kind, each.value) for each in contact_details(line, ANNA, "US")]
    assert found == [("phone", "+12027157098"), ("mobile", "+12027157099")]


def test_without_a_region_only_international_numbers_are_read() -> None:
    found = contact_details("Anna Weber\nTel. 040 3690123 oder +49 40 3690124", ANNA, None)
    assert [each.value for each in found] == ["+49403690124"]


def test_a_signature_without_details_and_a_hostile_one_tell_nothing() -> None:
    assert contact_details("Thanks,\nAnna", ANNA, "DE") == ()
    assert contact_details("\n".join(["Anna " + "0" * 150] * 2_000), ANNA, "DE") == ()


@pytest.mark.parametrize(
    ("shown", "address", "expected"),
    [
        ("Anna Weber", "x@y.example", "Anna Weber"),
        ("Weber, Anna", "x@y.example", "Anna Weber"),
        ("Weber, Anna (Purchasing)", "x@y.example", "Anna Weber"),
        ("'Anna Weber'", "x@y.example", "Anna Weber"),
        ("ANNA WEBER-KERN", "x@y.example", "Anna Weber-Kern"),
        ("Dr. Anna Weber, MBA", "x@y.example", "Anna Weber"),
        ("Frau Prof. Dr. Weber, Dr. Anna", "x@y.example", "Anna Weber"),
        ("Anna Weber | Nordwind GmbH", "x@y.example", "Anna Weber"),
        ("Anna Weber via Sales", "x@y.example", "Anna Weber"),
        ("van der Velde, Maaike", "x@y.example", "Maaike van der Velde"),
        ("王晓梅", "x@y.example", "王晓梅"),
        ("", "anna.weber@y.example", "Anna Weber"),
        ("anna.weber@y.example", "anna.weber@y.example", "Anna Weber"),
        ("", "aweber@y.example", ""),
        ("", "sales.team@y.example", ""),
        ("", "no.reply@y.example", ""),
    ],
)
def test_a_name_is_written_as_it_is_spoken(shown: str, address: str, expected: str) -> None:
    assert person_name(Address(address, shown)) == expected
