"""How mail is worded: bodies by topic and side, signatures, quotations, HTML, and the identifiers of messages."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

from autocapture.testing.world.language import fill, phrases
from autocapture.testing.world.model import Attachment, Contact, Language, Message, Party, User
from autocapture.testing.world.people import ORGANISATION

_QUOTED_LINES = 40


@dataclass(frozen=True, slots=True)
class Subject:
    """What a thread is about: slots of the phrases that stay the same in all its messages."""

    language: Language
    topic: str
    company: str
    product: str
    amount: str = ""

    def slots(self) -> Mapping[str, str]:
        return {"company": self.company, "product": self.product, "amount": self.amount, "us": ORGANISATION}


def title(rng: Random, about: Subject) -> str:
    topic = phrases(about.language).topics[about.topic]
    return fill(rng, about.language, rng.choice(topic.subjects), **about.slots())


def letter(rng: Random, about: Subject, *, by_rep: bool, to: Party, again: bool = False) -> str:
    """Greeting, one to three sentences of that side, a closing sentence. `again`: a reminder after silence."""
    words = phrases(about.language)
    topic = words.topics[about.topic]
    slots = {**about.slots(), "name": to.name or to.email, "first": (to.name or to.email).split(" ")[0]}
    if again:
        sentences = [rng.choice(words.followups)]
    else:
        pool = topic.rep if by_rep else topic.buyer
        sentences = rng.sample(pool, k=rng.choice((1, 2, 2, 3)))
    if rng.random() < (0.7 if by_rep else 0.3):
        sentences.append(rng.choice(words.closers))
    lines = [rng.choice(words.greetings), "", *sentences]
    return "\n".join(fill(rng, about.language, line, **slots) for line in lines)


def our_signature(rng: Random, user: User) -> str:
    closing = rng.choice(phrases(user.locale).closings)
    phone = user.phones[0] if user.phones else ""
    return f"\n\n{closing}\n{user.name}\n\n-- \n{user.name}\n{user.title}, {ORGANISATION}\nT {phone}\nwww.halvorin.example"


def their_signature(rng: Random, contact: Contact, company: str) -> str:
    closing = rng.choice(phrases(contact.language).closings)
    if rng.random() < 0.25:
        return f"\n\n{closing}\n{contact.first_name}"
    phone = f"\nT {contact.phones[0]}" if contact.phones else ""
    return f"\n\n{closing}\n{contact.name}\n{contact.title} | {company}{phone}"


def quotation(language: Language, earlier: Message) -> str:
    """The earlier message as a reply quotes it, cut after some lines."""
    sender = earlier.sender.name or earlier.sender.email
    lead = phrases(language).quote.format(date=earlier.sent_at.strftime("%Y-%m-%d %H:%M"), name=sender)
    lines = earlier.text.splitlines()[:_QUOTED_LINES]
    return "\n".join(["", "", lead, *(f">{line}" if line.startswith(">") else f"> {line}" for line in lines)])


def as_html(text: str) -> str:
    """The same text as mail programs write it: paragraphs, quoted lines in a blockquote."""
    own: list[str] = []
    quoted: list[str] = []
    for line in text.splitlines():
        target = quoted if line.startswith(">") else own
        target.append(html.escape(line.lstrip("> ") if target is quoted else line))
    body = "".join(f"<p>{line or '&nbsp;'}</p>\n" for line in own)
    if quoted:
        body += f'<blockquote type="cite">{"<br>".join(quoted)}</blockquote>\n'
    return f'<html><head><meta charset="utf-8"></head><body style="font-family:sans-serif">\n{body}</body></html>\n'


def reply_subject(subject: str) -> str:
    return subject if subject.startswith("Re: ") else f"Re: {subject}"


def references(earlier: Message) -> tuple[str, ...]:
    return (*earlier.references, earlier.message_id)


def message_id(rng: Random, moment: datetime, domain: str) -> str:
    """Looks like those of three mail programs. Never depends on the date, only on the wall clock's minutes and chance."""
    token = rng.getrandbits(80)
    style = rng.randrange(3)
    if style == 0:
        return f"{token:020x}@{domain}"
    if style == 1:
        return f"CA+{token:020X}={moment:%M%S}@mail.{domain}"
    return f"{moment:%H%M%S}.{token % 10**12:012d}.JavaMail@{domain}"


def attachment(rng: Random, about: Subject) -> Attachment:
    """A file that begins and ends like a PDF; its middle is noise."""
    name = fill(rng, about.language, rng.choice(phrases(about.language).files), **about.slots())
    noise = rng.randbytes(rng.choice((900, 2_500, 6_000, 18_000)))
    content = (
        b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Length " + str(len(noise)).encode() + b" >>\nstream\n"
    )
    return Attachment(
        name.replace("/", "-"), "application/pdf", content + noise + b"\nendstream\nendobj\n%%EOF\n"
    )


def dressed(rng: Random, message: Message) -> Message:
    """The message with the outer form its writer's program gives it: HTML beside plain text, or an older charset."""
    draw = rng.random()
    if draw < 0.55:
        return replace(message, html=as_html(message.text))
    if draw < 0.65:
        return replace(message, charset="iso-8859-1")
    if draw < 0.70:
        return replace(message, charset="big5")
    return message
