"""Invented names: people, companies and telephone numbers, in five languages. Domains are under reserved endings."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from autocapture.testing.world.model import Language

FREE_MAIL = ("gmail.com", "outlook.com", "gmx.de", "telia.com", "ziggo.nl", "hotmail.com")

FIRST: dict[Language, tuple[str, ...]] = {
    "nl": (
        "Sanne",
        "Daan",
        "Lotte",
        "Bram",
        "Femke",
        "Joris",
        "Anouk",
        "Thijs",
        "Marloes",
        "Ruben",
        "Iris",
        "Koen",
    ),
    "sv": (
        "Åsa",
        "Göran",
        "Linnéa",
        "Björn",
        "Malin",
        "Östen",
        "Ebba",
        "Håkan",
        "Frida",
        "Sören",
        "Tove",
        "Jörgen",
    ),
    "de": (
        "Jürgen",
        "Käthe",
        "Lukas",
        "Annika",
        "Björn",
        "Heike",
        "Sönke",
        "Miriam",
        "Götz",
        "Friederike",
        "Uwe",
    ),
    "en": (
        "Oliver",
        "Harriet",
        "Callum",
        "Zoë",
        "Renée",
        "Nathan",
        "Priya",
        "Fergus",
        "Imogen",
        "Desmond",
        "Chloe",
    ),
    "zh": (
        "怡君/Yijun",
        "志明/Zhiming",
        "淑芬/Shufen",
        "家豪/Jiahao",
        "雅婷/Yating",
        "俊傑/Junjie",
        "佩珊/Peishan",
    ),
}
LAST: dict[Language, tuple[str, ...]] = {
    "nl": (
        "van Zilverduin",
        "Krijnsma",
        "de Meerstee",
        "Hoogwilgen",
        "Blokzand",
        "ter Veenlo",
        "Oudekamp",
        "Rietbos",
    ),
    "sv": (
        "Åkerlindh",
        "Sjöstrandh",
        "Björkängen",
        "Näslundsson",
        "Höglöv",
        "Västervik",
        "Lövdahlin",
        "Öhrnstam",
    ),
    "de": (
        "Müllerbach",
        "Großkopfer",
        "Weißenthaler",
        "Köhnemund",
        "Brückenfeld",
        "Schönharting",
        "Tannhöfer",
        "Lüdersen",
    ),
    "en": (
        "Ashcombe-Hale",
        "Whitlowe",
        "O'Brannigan",
        "Penhallowe",
        "Thornquist",
        "Marchbanke",
        "Eddleston",
        "Fairweald",
    ),
    "zh": ("陳/Chen", "林/Lin", "黃/Huang", "張/Chang", "吳/Wu", "蔡/Tsai", "鄭/Cheng", "許/Hsu"),
}
COMPANY: dict[Language, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "nl": (
        (
            "Zilverduin",
            "Noorderkeet",
            "Waterbries",
            "Lindekrans",
            "Klaverzicht",
            "Meerval",
            "Molenvonk",
            "Wilgenroos",
        ),
        ("Logistiek", "Techniek", "Bouw", "Voeding", "Energie", "Verpakking", "Zuivel"),
    ),
    "sv": (
        ("Åsvinda", "Granrösa", "Silverbäcken", "Norrskära", "Björkvåg", "Tallmossen", "Isfjärd", "Älvrona"),
        ("Industri", "Verkstad", "Energi", "Trävaror", "Mekanik", "Livs"),
    ),
    "de": (
        (
            "Nordwind",
            "Eichenglanz",
            "Süderquell",
            "Brückstein",
            "Talmühlen",
            "Hochröhn",
            "Silberforst",
            "Weißtann",
        ),
        ("Maschinenbau", "Logistik", "Werkzeuge", "Anlagen", "Chemie", "Fördertechnik"),
    ),
    "en": (
        (
            "Larkmoor",
            "Thistledown",
            "Copperwhale",
            "Brindlegate",
            "Hollowbrook",
            "Quillmere",
            "Fennimore",
            "Ravenscoat",
        ),
        ("Foods", "Engineering", "Logistics", "Packaging", "Energy", "Instruments"),
    ),
    "zh": (
        (
            "晨曦嵐/Chenxilan",
            "遠嶺/Yuanling",
            "碧潮/Bichao",
            "青岳峰/Qingyuefeng",
            "瑞浪/Ruilang",
            "宏翎/Hongling",
        ),
        ("精密/Precision", "電子/Electronics", "物流/Logistics", "食品/Foods", "機械/Machinery"),
    ),
}
# Ranges set aside for fiction where the country has them (Ofcom, PTS, BNetzA, NANP 555-01xx), else an unlikely block.
NUMBERS: dict[Language, tuple[tuple[str, int], ...]] = {
    "nl": (("+3120794", 4), ("+3110794", 4)),
    "sv": (("+46317401", 3), ("+468465004", 2), ("+4640628", 4)),
    "de": (("+493023125", 3), ("+496990009", 3), ("+494066969", 3), ("+492214710", 3)),
    "en": (("+442079460", 3), ("+441134960", 3), ("+441214960", 3), ("+441314960", 3), ("+441614960", 3)),
    "zh": (("+88622555", 4), ("+88642355", 4)),
}
_ASCII = str.maketrans(
    {
        "å": "a",
        "ä": "a",
        "ö": "o",
        "ü": "u",
        "é": "e",
        "ë": "e",
        "ß": "ss",
        "'": "",
        " ": "",
        "-": "",
        ".": "",
    }
)


def ascii_word(text: str) -> str:
    """Lower case letters of a-z only, as people make addresses from their names."""
    return text.lower().translate(_ASCII)


@dataclass(frozen=True, slots=True)
class PersonName:
    full: str
    first: str
    local_part: str


def person(rng: Random, language: Language) -> PersonName:
    first, last = rng.choice(FIRST[language]), rng.choice(LAST[language])
    if language == "zh":
        (given, given_latin), (family, family_latin) = first.split("/"), last.split("/")
        return PersonName(family + given, given, f"{given_latin.lower()}.{family_latin.lower()}")
    style = rng.choices(("{first}.{last}", "{initial}.{last}", "{first}"), weights=(6, 2, 1))[0]
    local = style.format(first=ascii_word(first), initial=ascii_word(first)[0], last=ascii_word(last))
    return PersonName(f"{first} {last}", first, local)


def company(number: int, language: Language) -> tuple[str, str]:
    """The `number`-th company name of a language and its domain label. Past all pairs, a numeral keeps them apart."""
    stems, trades = COMPANY[language]
    around, index = divmod(number, len(stems) * len(trades))
    # neighbours differ in both words, and one step more on each round covers every pair once
    stem = stems[index % len(stems)]
    trade = trades[(index % len(stems) + index // len(stems)) % len(trades)]
    suffix = f" {around + 1}" if around else ""
    if language == "zh":
        (stem, stem_latin), (trade, trade_latin) = stem.split("/"), trade.split("/")
        return f"{stem}{trade}{suffix}", f"{stem_latin}-{trade_latin}{suffix.strip()}".lower()
    return f"{stem} {trade}{suffix}", f"{ascii_word(stem)}-{ascii_word(trade)}{suffix.strip()}"


def phone(language: Language, number: int) -> str | None:
    """The `number`-th number of a country in E.164, None when its ranges are used up."""
    for prefix, digits in NUMBERS[language]:
        if number < 10**digits:
            return f"{prefix}{number:0{digits}d}"
        number -= 10**digits
    return None
