"""A seeded mailbox as the files of a Maildir: conversations of one rep with people from outside, and what machines send."""

from __future__ import annotations

import os
import random
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

REP = "rep@ours.example"
COLLEAGUES = tuple(f"colleague{number}@ours.example" for number in range(12))
CONTACTS = 100_000
CONTACTS_OF_COMPANY = 5

_SPAN = timedelta(days=400)
_LAST = datetime(2026, 11, 15, 12, tzinfo=UTC)
_SMALL_MEDIAN, _SMALL_SPREAD = 4_700, 0.8  # with the large ones, half of all messages are below 8 kB
_LARGE_SHARE, _LARGE = 0.1, (200_000, 260_000)
_WORDS = (
    "offer", "delivery", "contract", "invoice", "schedule", "meeting", "question", "feedback", "pilot", "renewal", "budget",
    "approval", "sample", "shipment", "figures", "support", "training", "workshop", "agreement", "timeline",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Mail:
    """One message before it is written. `parents` are the Message-IDs of its thread so far."""

    at: datetime
    message_id: str
    author: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    parents: tuple[str, ...] = ()
    machine: str = ""


def contact_address(number: int) -> str:
    """The address of a contact that the CRM knows, for numbers below `CONTACTS`; of a stranger above."""
    return f"person{number}@company{number // CONTACTS_OF_COMPANY}.example"


def write_maildir(folder: Path, count: int, *, seed: int = 1) -> None:
    """Writes `count` messages, oldest first by name, into the Maildir `folder`; each file's time is its delivery."""
    chance = random.Random(seed)
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    mails = sorted(_mails(chance, count), key=lambda mail: mail.at)
    text = _text(chance)
    for number, mail in enumerate(mails):
        message = _header(mail, chance) + b"\n" + text[: _size(chance)]
        received = int(mail.at.timestamp()) + 2
        on_the_wire = len(message) + message.count(b"\n")
        name = f"{received}.M{number:06}P1.bench,S={len(message)},W={on_the_wire}:2,S"
        path = folder / "cur" / name
        path.write_bytes(message)
        os.utime(path, (received, received))


def _mails(chance: random.Random, count: int) -> Iterator[_Mail]:
    made = 0
    while made < count:
        at = _LAST - _SPAN * chance.random()
        if chance.random() < 0.42:  # a fifth of all messages, as a conversation has several
            batch = [_machine_or_internal(chance, at, made)]
        else:
            batch = list(_conversation(chance, at, made))[: count - made]
        made += len(batch)
        yield from batch


def _conversation(chance: random.Random, at: datetime, number: int) -> Iterator[_Mail]:
    """One to eight messages between the rep and a person of whom, four times in five, the CRM knows."""
    stranger = CONTACTS if chance.random() < 0.2 else 0
    person = contact_address(stranger + chance.randrange(CONTACTS))
    subject = " ".join(chance.sample(_WORDS, 3)).capitalize()
    copied = (chance.choice(COLLEAGUES),) if chance.random() < 0.25 else ()
    parents: tuple[str, ...] = ()
    outbound = chance.random() < 0.5
    for turn in range(min(8, 1 + int(chance.expovariate(0.45)))):
        author, reader = (REP, person) if outbound else (person, REP)
        message_id = f"<{chance.getrandbits(64):016x}.{number}.{turn}@{author.partition('@')[2]}>"
        yield _Mail(at, message_id, author, (reader,), copied, "Re: " * bool(turn) + subject, parents)
        parents += (message_id,)
        outbound = not outbound
        at += timedelta(hours=1 + chance.expovariate(1 / 20))


def _machine_or_internal(chance: random.Random, at: datetime, number: int) -> _Mail:
    subject = " ".join(chance.sample(_WORDS, 4)).capitalize()
    message_id = f"<{chance.getrandbits(64):016x}.{number}@mailer.example>"
    if chance.random() < 0.35:
        return _Mail(at, message_id, chance.choice(COLLEAGUES), (REP,), (), subject)
    sender = f"{chance.choice(('news', 'no-reply', 'updates'))}@shop{chance.randrange(300)}.example"
    return _Mail(at, message_id, sender, (REP,), (), subject, machine=sender)


def _header(mail: _Mail, chance: random.Random) -> bytes:
    ours = mail.author.endswith(f"@{REP.partition('@')[2]}")
    domain = mail.author.partition("@")[2]
    encoded = chance.random() < 0.1
    lines = [
        *([] if ours else _trace(mail, chance)),
        f"Date: {format_datetime(mail.at)}",
        f"From: {_named(mail.author, encoded=encoded)}",
        f"To: {', '.join(map(_named, mail.to))}",
        *([f"Cc: {', '.join(map(_named, mail.cc))}"] if mail.cc else []),
        f"Message-ID: {mail.message_id}",
        *([f"In-Reply-To: {mail.parents[-1]}"] if mail.parents else []),
        *(["References: " + "\n ".join(mail.parents)] if mail.parents else []),
        f"Subject: {'=?utf-8?q?Gr=C3=BC=C3=9Fe=3A_?= ' * encoded}{mail.subject}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "User-Agent: Mozilla Thunderbird",
        *([f"List-Unsubscribe: <https://{domain}/u/{chance.getrandbits(32)}>"] if mail.machine else []),
    ]
    return "\n".join(lines).encode() + b"\n"


def _trace(mail: _Mail, chance: random.Random) -> list[str]:
    """What mail from outside carries when it arrives at a hosted mailbox: some twenty fields of three to four kilobytes, as
    received mail has them that hosting companies relay (RFC 8617 seals, RFC 6376 signatures, RFC 8601 results, hops)."""
    date, domain = format_datetime(mail.at), mail.author.partition("@")[2]
    signed = "h=to:subject:message-id:date:from:mime-version:references:in-reply-to"
    results = (
        f"mx.ours.example;\n\tdkim=pass header.i=@{domain} header.s=mail header.b={_base64(chance, 6)};\n"
        f"\tspf=pass (mx.ours.example: domain of {mail.author} designates 192.0.2.25 as permitted sender)\n"
        f"\tsmtp.mailfrom={mail.author};\n\tdmarc=pass (p=QUARANTINE sp=QUARANTINE dis=NONE) header.from={domain}"
    )
    signature = (
        f"a=rsa-sha256; c=relaxed/relaxed;\n\td={domain}; s=mail;\n\t{signed};\n\tbh={_base64(chance, 32)};\n"
    )
    return [
        f"Delivered-To: {REP}",
        f"Received: by 2001:db8:a05:: with SMTP id {_base64(chance, 12)};\n\t{date}",
        f"X-Received: by 2001:db8:b06:: with SMTP id {_base64(chance, 24)};\n\t{date}",
        f"ARC-Seal: i=1; a=rsa-sha256; t={int(mail.at.timestamp())}; cv=none;\n\td=hosting.example; s=arc;\n"
        f"\tb={_base64(chance, 256)}",
        f"ARC-Message-Signature: i=1; {signature}\tb={_base64(chance, 256)}",
        f"ARC-Authentication-Results: i=1; {results}",
        f"Return-Path: <{mail.author}>",
        *(
            f"Received: from relay{hop}.{domain} (relay{hop}.{domain} [192.0.2.{hop}])\n"
            f"\tby mx.ours.example (Postfix) with ESMTPS id {chance.getrandbits(40):010X}\n\tfor <{REP}>\n"
            f"\t(version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);\n\t{date}"
            for hop in range(1, 4)
        ),
        f"Received-SPF: pass (mx.ours.example: domain of {mail.author} designates 192.0.2.25 as permitted sender)\n"
        "\tclient-ip=192.0.2.25;",
        f"Authentication-Results: {results}",
        f"DKIM-Signature: v=1; {signature}\tb={_base64(chance, 256)}",
        f"X-Message-State: {_base64(chance, 192)}",
        f"X-Source: {_base64(chance, 48)}",
    ]


def _base64(chance: random.Random, size: int) -> str:
    """`size` random bytes, folded as signers fold them."""
    text = b64encode(chance.randbytes(size)).decode()
    return "\n\t ".join(text[start : start + 72] for start in range(0, len(text), 72))


def _named(address: str, *, encoded: bool = False) -> str:
    name = address.partition("@")[0].capitalize()
    return f"=?utf-8?q?{name}_M=C3=BCller?= <{address}>" if encoded else f'"{name} Example" <{address}>'


def _size(chance: random.Random) -> int:
    if chance.random() < _LARGE_SHARE:
        return chance.randrange(*_LARGE)
    return max(200, min(int(chance.lognormvariate(0, _SMALL_SPREAD) * _SMALL_MEDIAN), _LARGE[0]))


def _text(chance: random.Random) -> bytes:
    """The text of which every body is the beginning: lines of some 70 characters."""
    lines: list[str] = []
    size = 0
    while size < _LARGE[1]:
        lines.append(" ".join(chance.choices(_WORDS, k=8)))
        size += len(lines[-1]) + 1
    return "\n".join(lines).encode()
