"""The figures: what is recognised, and what is taken for what it is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from time import process_time
from typing import Any

from autocapture.formats.body import body_text
from autocapture.formats.bounce import failures
from autocapture.formats.envelope import author_of
from autocapture.formats.handles import canonical_email
from autocapture.formats.machine_mail import machine_sign
from autocapture.formats.mime import parse_message
from autocapture.normalize.reply_text import reply_text
from autocapture.normalize.signature import signature_start
from autocapture.testing.bench.goals import Verdict, goal_lines
from autocapture.testing.bench.text import others
from autocapture.testing.bench.text.collections import Bounce, Collections, Reply, Signed

OURS = "autocapture"
_HUMAN = "From: Anna <anna@nordwind.example>\r\nTo: ruth@ours.example\r\nReturn-Path: <anna@nordwind.example>\r\nSubject: "


@dataclass(slots=True)
class Lines:
    """Signature lines: found, of these right, marked by hand; mails exactly right; unsigned mails that were cut."""

    found: int = 0
    right: int = 0
    marked: int = 0
    exact: int = 0
    unsigned_cut: int = 0

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.marked


@dataclass(slots=True)
class HardBounces:
    """Of hard failures how many were found; of soft ones how many were taken for hard, and such that filters refused."""

    found: int = 0
    hard: int = 0
    wrong: int = 0
    filtered: int = 0
    soft: int = 0


@dataclass(slots=True)
class Measured:
    machines: int = 0
    recognised: int = 0
    people: int = 0
    mistaken: int = 0
    replies: int = 0
    exact: dict[str, int] = field(default_factory=dict)
    """Replies exactly as expected, by program; white space aside."""
    rates: dict[str, float] = field(default_factory=dict)
    """Thousands of characters a second of processor time."""
    signed: int = 0
    signatures: dict[str, Lines] = field(default_factory=dict)
    bounces: dict[str, HardBounces] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def measure(data: Collections) -> Measured:
    """Everything that can be measured of ours, and of the libraries that are installed."""
    found = Measured(machines=len(data.bounces), replies=len(data.replies))
    found.recognised = sum(_is_machines(each.raw) for each in data.bounces)
    people = [*(each.text for each in data.replies), *("\n".join(each.lines) for each in data.signed)]
    found.people, found.mistaken = len(people), sum(_is_machines(_as_mail(text)) for text in people)
    found.bounces[OURS] = _hard(data.bounces, lambda raw: sum(each.hard for each in failures(body_text(raw))))
    _read_replies(found, OURS, reply_text, data)
    found.signed = sum(bool(each.signature) for each in data.signed)
    found.signatures[OURS] = _lines(data.signed, _ours)
    for name in others.REPLIES:
        if (release := others.installed(name)) is None:
            found.skipped[name] = "not installed"
            continue
        _read_replies(found, f"{name} {release}", others.reply_reader(name), data)
    if (release := others.installed(others.BOUNCES)) is None:
        found.skipped[others.BOUNCES] = "not installed"
    else:
        found.bounces[f"{others.BOUNCES} {release}"] = _hard(data.bounces, others.permanent_failures)
    return found


def _as_mail(text: str) -> bytes:
    """A person's text as a mail, under its first line as a subject."""
    subject = next((line.strip() for line in text.splitlines() if line.strip()), "")[:200]
    return f"{_HUMAN}{subject}\r\n\r\n{text}".encode("utf-8", "replace")


def _is_machines(raw: bytes) -> bool:
    record = parse_message(raw)
    author = author_of(record)
    return machine_sign(record, canonical_email(author.email) if author else "", frozenset()) is not None


def _hard(bounces: Sequence[Bounce], hard_in: Callable[[bytes], int]) -> HardBounces:
    result = HardBounces()
    for each in bounces:
        if not each.failed:
            continue
        got = hard_in(each.raw)
        result.found += min(got, each.hard)
        result.hard += each.hard
        result.soft += each.failed - each.hard
        if each.filtered:
            result.filtered += max(0, got - each.hard)
        else:
            result.wrong += max(0, got - each.hard)
    return result


def _read_replies(found: Measured, program: str, read: Callable[[str], str], data: Collections) -> None:
    began = process_time()
    answers = [read(each.text) for each in data.replies]
    seconds = process_time() - began
    found.exact[program] = sum(map(_is_exact, data.replies, answers))
    found.rates[program] = sum(len(each.text) for each in data.replies) / 1_000 / max(seconds, 1e-6)
    if program != OURS:
        found.signatures[program] = _lines(data.signed, lambda each: _left_out(each, read))


def _is_exact(reply: Reply, answer: str) -> bool:
    return re.sub(r"\s+", " ", answer).strip() == re.sub(r"\s+", " ", reply.expected).strip()


def _left_out(mail: Signed, read: Callable[[str], str]) -> set[int]:
    """The lines that the library left out of its reply: in these mails, which quote nothing, what it took for signature."""
    kept = iter([line.strip() for line in read("\n".join(mail.lines)).split("\n") if line.strip()])
    awaited = next(kept, None)
    missing: set[int] = set()
    for index, line in _told(mail):
        if line == awaited:
            awaited = next(kept, None)
        else:
            missing.add(index)
    return missing


def _ours(mail: Signed) -> set[int]:
    start = signature_start(mail.lines, mail.writer)
    return {index for index, _ in _told(mail) if index >= start}


def _told(mail: Signed) -> list[tuple[int, str]]:
    return [(index, line.strip()) for index, line in enumerate(mail.lines) if line.strip()]


def _lines(signed: Sequence[Signed], read: Callable[[Signed], set[int]]) -> Lines:
    result = Lines()
    for mail in signed:
        got = read(mail)
        result.found += len(got)
        result.right += len(got & mail.signature)
        result.marked += len(mail.signature)
        if mail.signature:
            result.exact += got == mail.signature
        else:
            result.unsigned_cut += bool(got)
    return result


def verdicts(found: Measured) -> list[Verdict]:
    lines, bounces = found.signatures[OURS], found.bounces[OURS]
    return [
        Verdict("machine mail recognised, %", 100 * found.recognised / found.machines, 98.0, True),
        Verdict("people taken for machines, %", 100 * found.mistaken / found.people, 0.5, False),
        Verdict("hard bounces found, %", 100 * bounces.found / bounces.hard, 95.0, True),
        Verdict("soft bounces taken for hard, %", 100 * bounces.wrong / bounces.soft, 1.0, False),
        Verdict("replies exactly as expected, %", 100 * found.exact[OURS] / found.replies, 95.0, True),
        Verdict("signature lines: precision, %", 100 * lines.precision, 98.0, True),
        Verdict("signature lines: recall, %", 100 * lines.recall, 95.0, True),
    ]


def as_json(found: Measured) -> dict[str, Any]:
    return {**asdict(found), "goals": [{**asdict(each), "passed": each.passed} for each in verdicts(found)]}


def as_table(found: Measured) -> str:
    """Each comparison, then the goals, as aligned text."""
    lines = [f"{'replies':<28}{'exact of ' + str(found.replies):>16}{'k characters/s':>16}"]
    lines += [f"{name:<28}{exact:>16}{found.rates[name]:>16,.0f}" for name, exact in found.exact.items()]
    lines += [
        "",
        f"{'signatures':<28}{'precision':>10}{'recall':>8}{'exact of ' + str(found.signed):>14}{'unsigned cut':>14}",
    ]
    for name, each in found.signatures.items():
        lines.append(
            f"{name:<28}{each.precision:>10.3f}{each.recall:>8.3f}{each.exact:>14}{each.unsigned_cut:>14}"
        )
    lines += ["", f"{'hard bounces':<28}{'found':>12}{'soft as hard':>14}{'filtered as hard':>18}"]
    for name, told in found.bounces.items():
        of_all = f"{told.found} of {told.hard}"
        lines.append(f"{name:<28}{of_all:>12}{told.wrong:>14}{told.filtered:>18}")
    lines += [f"{name:<28} not measured: {why}" for name, why in found.skipped.items()]
    return "\n".join([*lines, "", *goal_lines(verdicts(found))])
