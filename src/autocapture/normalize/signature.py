"""Where the writer of a mail signs: the closing, the name and what stands below it, in many languages.

Found from the end upwards, as long as lines are as short as those of signatures are. A signature begins at a closing ("Kind
regards"), at a line that names the writer, at a delimiter, or with a block that holds a way to reach somebody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from autocapture.normalize.quotations import QUOTED
from autocapture.normalize.reply_text import is_delimiter, is_of_device, own_words, reply_and_rest
from autocapture.records import Address

_LINES_LIMIT = 18
_LINE_LIMIT = 110
_NAME_LIMIT = 60
_WORDS_OF_PROSE = 11
_WORDS_OF_OFFICE = 5

_CLOSING = re.compile(
    r"\W{0,4}(?:"
    r"(?:(?:many|with|my|very|warm|warmest|kind|kindest|best|good) ){0,3}(?:thanks?(?: you)?|thx|tks|regards|wishes|cheers)"
    r"(?: (?:again|so much|very much|a lot|in advance|and (?:kind |best )?regards|for your (?:help|time|support|reply))){0,2}|"
    r"best|sincerely(?: yours)?|yours(?: (?:sincerely|truly|faithfully|kindly))?|take care|respectfully|cordially|talk soon|"
    r"have a .{1,24}|"
    r"mit (?:freundliche[nm]|besten|herzlichen|lieben|vielen) gr(?:ü|ue)(?:ß|ss)(?:en)?(?: aus .{1,24})?|mfg|vg|lg|"
    r"(?:(?:viele|beste|liebe|herzliche|freundliche|sonnige|schöne) )?gr(?:ü|ue)(?:ß|ss)e?(?: aus .{1,24})?|"
    r"(?:vielen |besten |herzlichen )?dank(?: (?:im voraus|und .{1,30}))?|danke(?: .{1,24})?|hochachtungsvoll|"
    r"(?:bien |très )?(?:cordialement|amicalement|sincèrement|respectueusement)(?: vôtre)?|salutations.{0,30}|merci.{0,30}|"
    r"(?:bonne|belle) (?:journée|réception|soirée).{0,20}|bien à (?:vous|toi)|à bientôt|meilleures salutations|"
    r"(?:un |muchos )?(?:cordial )?saludos?(?: cordial(?:es)?)?|atentamente|atte\.?|(?:muchas |mil )?gracias(?: .{1,24})?|"
    r"un (?:fuerte )?abrazo|cordialmente|"
    r"met (?:vriendelijke|hartelijke|beste) groet(?:en)?|(?:vriendelijke|hartelijke|beste) groet(?:en)?|groet(?:en|jes)?|mvg|"
    r"(?:alvast )?(?:hartelijk )?(?:be)?dank(?:t| je| u)?(?: wel)?(?: .{1,12})?|hoogachtend|"
    r"med (?:vänlig|vänliga|bästa|varma|venlig|vennlig|beste) (?:hälsning(?:ar)?|hilsen)|"
    r"(?:(?:vänliga|bästa|varma) )?hälsning(?:ar)?|mvh|(?:(?:venlig|vennlig|beste|de bedste) )?hilsen(?:er)?|"
    r"(?:tack|tak|takk)(?: .{1,20})?|ystävällisin terveisin|terveisin|terveiset|kiitos|t\.|"
    r"(?:cordiali|distinti|migliori) saluti|un (?:cordiale )?saluto|saluti|grazie(?: .{1,24})?|"
    r"(?:com os melhores |com |melhores )?cumprimentos|atenciosamente|(?:muito )?obrigad[oa](?: .{1,20})?|abraços?|att\.?|"
    r"z (?:poważaniem|wyrazami szacunku)|(?:serdecznie )?pozdrawiam|(?:z góry )?dziękuję.{0,20}|pozdrowienia|"
    r"s (?:pozdravem|úctou|přáním .{1,24})|(?:předem )?děkuji.{0,20}|"
    r"с уважением|с наилучшими пожеланиями|спасибо|saygılarımla|iyi çalışmalar|teşekkürler|üdvözlettel|"
    r"此致|敬礼|谢谢|多谢|祝好|顺祝商祺|祝商祺|谨启|敬上|以上|よろしくお願い(?:いた)?します|敬具|감사합니다|드림)(?!\w)",
    re.IGNORECASE,
)
_REACH = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}\.|https?://|www\.\w|linkedin\.com/|"
    r"(?:\+|\(0|\b0|\b)\d[\d\s()./-]{5,18}\d|\bx[ -]?\d{3,5}\b|\b\d-\d{4}\b",
    re.IGNORECASE,
)
_REACHED = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}\.|(?:\+|\(0|\b0|\b)\d[\d\s()./-]{5,18}\d|\b\d-\d{4}\b")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_CHINESE_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}")
_ENDS_SENTENCE = re.compile(r"[.!?。！？]\s*$")
_ABBREVIATED = re.compile(
    r"\b(?:inc|ltd|llc|corp|co|gmbh|jr|sr|s\.a|b\.v|n\.v|dr|st|tel|fax|p\.o|no|nr)\.\s*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Written:
    """What a mail's writer wrote, quotations that they answer in place left in it, and how they signed."""

    reply: str
    signature: str

    @property
    def words(self) -> str:
        """The writer's own words: no quotation, no signature."""
        return own_words(self.reply)


def written(text: str, writer: Address | None) -> Written:
    """The reply and the signature of a mail's readable text. `writer` is whom its header names, where known."""
    lines, rest = reply_and_rest(text)
    start = signature_start(lines, writer)
    below = [line for line in rest if line.strip()]
    if len(below) > _LINES_LIMIT or not all(map(_is_short, below)):
        below = []
    return Written("\n".join(lines[:start]).strip("\n"), "\n".join([*lines[start:], *below]).strip("\n"))


def signature_start(lines: Sequence[str], writer: Address | None) -> int:
    """The index of the first line of the signature at the end of `lines`; their number where there is none."""
    names = _names(writer)
    start = len(lines)
    below = gaps = 0
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index]
        if not line.strip():
            gaps += below > 0
            continue
        if below == _LINES_LIMIT or not _is_short(line):
            break
        after_gap = index > 0 and not lines[index - 1].strip()
        signed = start < len(lines)
        if (
            _is_name(line, names)
            or (_is_closing(line, names) and (below or not _is_bare_closing(line)))
            or (signed and (is_delimiter(line) or is_of_device(line)))
            or (not signed and not gaps and after_gap and _is_block(lines[index:]))
        ):
            start = index
        below += 1
    return start if _is_written_above(lines, start) else len(lines)


def _is_written_above(lines: Sequence[str], start: int) -> bool:
    return any(line.strip() and not QUOTED.match(line) for line in lines[:start])


def _is_short(line: str) -> bool:
    """Whether a line may belong to a signature: no sentence, no quotation, no item of a list."""
    stripped = line.strip()
    if len(stripped) > _LINE_LIMIT or QUOTED.match(line) or stripped[0] in "•·":
        return False
    if _REACH.search(stripped) or is_of_device(stripped):
        return len(stripped.split()) <= 2 * _WORDS_OF_PROSE
    words = len(stripped.split())
    if (
        _ENDS_SENTENCE.search(stripped)
        and words > 4
        and not _ABBREVIATED.search(stripped)
        and not _CLOSING.match(stripped)
    ):
        return False
    return words <= _WORDS_OF_PROSE and not stripped.endswith((":", "：", "?", "？"))


def _is_closing(line: str, names: frozenset[str]) -> bool:
    """A closing by itself, or with a name after it ("Thanks, BT")."""
    found = _CLOSING.match(line)
    if found is None:
        return False
    rest = _after_closing(line, found)
    if rest and (second := _CLOSING.match(rest)):
        rest = _after_closing(rest, second)  # in two languages
    return not rest or (len(rest) <= _NAME_LIMIT and (_is_name(rest, names) or _looks_like_name(rest)))


def _is_bare_closing(line: str) -> bool:
    """Without a name after it: as the last line it is a word of thanks."""
    found = _CLOSING.match(line)
    return found is not None and not _after_closing(line, found)


def _after_closing(line: str, found: re.Match[str]) -> str:
    return line[found.end() :].strip(" \t,.!;，。！-–—/*_~")


def _is_name(line: str, names: frozenset[str]) -> bool:
    """Whether the line is the writer's name, or part of it, with a number perhaps and nothing else."""
    if len(line.strip()) > _NAME_LIMIT or not names:
        return False
    words = [word.casefold() for word in _WORD.findall(line.partition("@")[0])]
    if not words or len(words) > 6:
        return False
    known = [word for word in words if word in names]
    if not known or (len(max(known, key=len)) <= 2 and len(words) > 1):
        return False
    return len(words) <= 1 + 2 * len(known)


def _looks_like_name(line: str) -> bool:
    """One to three capitalised words and nothing else."""
    words = line.strip(" \t,.-–—/*_~").split()
    if len(words) == 1 and _CHINESE_NAME.fullmatch(words[0]):
        return True
    return 1 <= len(words) <= 3 and all(
        word[:1].isupper() and _WORD.fullmatch(word.rstrip(".")) for word in words
    )


def _is_block(lines: Sequence[str]) -> bool:
    """Whether these last lines, with a gap before them, sign by themselves: a first name alone, or a name or an office with
    what belongs to it below."""
    block = [line for line in lines if line.strip()]
    if len(block) == 1:
        return _looks_like_name(block[0]) and len(block[0].split()) == 1
    if _REACH.search(block[0]) or len(block[0].split()) > _WORDS_OF_OFFICE:
        return False
    reachable = any(_REACHED.search(line) for line in block[1:])
    return reachable or (
        _looks_like_name(block[0]) and all(len(line.split()) <= _WORDS_OF_OFFICE for line in block)
    )


def _names(writer: Address | None) -> frozenset[str]:
    """The words of the writer's name and address, and the initials."""
    if writer is None:
        return frozenset()
    words = [word.casefold() for word in _WORD.findall(writer.name)]
    local = [word.casefold() for word in _WORD.findall(writer.email.partition("@")[0])]
    initials = "".join(word[0] for word in words)
    known = {word for word in (*words, *local) if len(word) > 1}
    return frozenset(known | ({initials, initials[::-1]} if len(initials) > 1 else set()))
