"""Which mails become activities."""

from __future__ import annotations

from autocapture.admit import reasons
from autocapture.admit.exclusions import Exclusions
from autocapture.formats.envelope import author_of, occurred_at
from autocapture.formats.handles import canonical_email
from autocapture.formats.machine_mail import header_sign, machine_sign
from autocapture.model.directory import Colleague, Organization
from autocapture.model.draft import Verdict
from autocapture.records import EmailRecord

_ADMITTED = Verdict(None, "email@1")
_UNUSABLE_TIME = Verdict(reasons.UNUSABLE_TIME, "times@1")
_PRIVATE = Verdict(reasons.PRIVATE, "sensitivity@1")
_INTERNAL = Verdict(reasons.INTERNAL, "parties@1")
_NO_EXTERNAL = Verdict(reasons.NO_EXTERNAL, "parties@1")
_SIGNS = {
    sign: Verdict(sign, "machine_mail@1")
    for sign in (
        reasons.BOUNCE,
        reasons.AUTO_REPLY,
        reasons.NEWSLETTER,
        reasons.NOTIFICATION,
        reasons.CALENDAR_MAIL,
    )
}
_SENSITIVE = frozenset({"private", "personal", "company-confidential", "confidential"})


def admit_email(
    record: EmailRecord, owner: Colleague, organization: Organization, exclusions: Exclusions
) -> Verdict:
    """Whether the mail, found in a mailbox of `owner`, becomes an activity.

    In this order: its time; the never-log list and the Sensitivity header (RFC 2156, 5.3.4); the signs of a machine, from
    which what one of our own people sent is exempt (invitations excepted); somebody from outside must take part.
    """
    if occurred_at(record) is None:
        return _UNUSABLE_TIME
    author = author_of(record)
    author_handle = canonical_email(author.email) if author else ""
    handles = _recipients(record)
    if author_handle:
        handles.add(author_handle)
    outside = [handle for handle in handles if not organization.is_inside(handle)]
    if exclusions.apply(handles, outside):
        return Verdict(reasons.EXCLUDED, exclusions.rule)
    sensitivity = record.headers.get("sensitivity")
    if sensitivity and sensitivity.strip().lower() in _SENSITIVE:
        return _PRIVATE
    if organization.user_of(author_handle) is not None:
        sign = header_sign(record, organization.domains)
        sign = sign if sign == reasons.CALENDAR_MAIL else None
    else:
        sign = machine_sign(record, author_handle, organization.domains)
    if sign is not None:
        return _SIGNS[sign]
    if outside:
        return _ADMITTED
    handles.discard(owner.email)
    return _INTERNAL if handles else _NO_EXTERNAL


def _recipients(record: EmailRecord) -> set[str]:
    handles = {canonical_email(each.email) for each in record.to}
    for each in record.cc:
        handles.add(canonical_email(each.email))
    for each in record.bcc:
        handles.add(canonical_email(each.email))
    return handles
