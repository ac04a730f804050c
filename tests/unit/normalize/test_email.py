from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cast import NOON, ORGANIZATION, RUTH, SAM, TINA, mail

from autocapture.model.directory import Colleague, Organization
from autocapture.model.draft import Draft
from autocapture.normalize.email import conflicts, draft_email, is_same_rewritten, joined, merge_emails
from autocapture.normalize.people import handles_of
from autocapture.records import Address, EmailRecord


def draft(record: EmailRecord, owner: Colleague = RUTH) -> Draft:
    return draft_email(record, owner, ORGANIZATION, level="subject")


def credits(of: Draft) -> dict[int, tuple[str, bool, float]]:
    return {part.user_id: (part.role, part.counts, part.share) for part in of.parts}


def test_a_customers_mail_comes_in_and_counts_for_whom_it_was_written_to() -> None:
    found = draft(mail(to="ruth@ours.example", cc="sam@ours.example, carl@nordwind.example"))
    assert (found.direction, found.external, found.nature, found.kind) == ("inbound", True, "human", "email")
    assert credits(found) == {1: ("recipient", True, 1.0), 2: ("copied", False, 0.0)}
    assert [(p.role, p.address, p.user_id) for p in found.parties] == [
        ("cc", "carl@nordwind.example", None),
        ("cc", "sam@ours.example", 2),
        ("from", "anna@nordwind.example", None),
        ("to", "ruth@ours.example", 1),
    ]


def test_a_reps_mail_goes_out_and_counts_for_its_sender_alone() -> None:
    found = draft(mail("r.miller@ours.example", "anna@nordwind.example, sam@ours.example"))
    assert found.direction == "outbound"
    assert credits(found) == {1: ("sender", True, 1.0), 2: ("recipient", False, 0.0)}


def test_two_addressees_of_ours_share_a_customers_mail() -> None:
    assert {part.share for part in draft(mail(to="ruth@ours.example, sam@ours.example")).parts} == {0.5}


def test_an_owner_whom_no_field_names_only_saw_the_mail() -> None:
    found = draft(mail(to="anna@nordwind.example"), TINA)
    assert credits(found) == {3: ("copied", False, 0.0)}


def test_a_shared_address_counts_for_whom_sender_names_else_for_nobody() -> None:
    signed = draft(mail("sales@ours.example", "anna@nordwind.example", sender=(Address("sam@ours.example"),)))
    assert credits(signed)[2] == ("sender", True, 1.0)
    unsigned = draft(mail("sales@ours.example", "anna@nordwind.example"))
    assert unsigned.direction == "outbound"
    assert not any(part.counts for part in unsigned.parts)


def test_a_reps_own_mass_mailing_is_marked() -> None:
    assert draft(mail("ruth@ours.example", "a@x.example", headers={"precedence": "bulk"})).nature == "bulk"
    many = ", ".join(f"p{number}@x.example" for number in range(26))
    assert draft(mail("ruth@ours.example", "a@x.example", bcc=many)).nature == "bulk"
    assert draft(mail(cc=many)).nature == "human"
    away = draft(mail("ruth@ours.example", "a@x.example", headers={"auto-submitted": "auto-replied"}))
    assert away.nature == "auto"


def test_the_subject_is_kept_only_where_the_level_allows() -> None:
    assert draft_email(mail(), RUTH, ORGANIZATION, level="metadata").subject is None
    assert draft_email(mail(), RUTH, ORGANIZATION, level="full").subject == "The offer"


@pytest.mark.parametrize(
    ("sent", "received", "expected"),
    [
        (NOON, NOON + timedelta(days=900), NOON),
        (NOON + timedelta(days=30), NOON, NOON),
        (datetime(1970, 1, 1, tzinfo=UTC), NOON, NOON),
        (None, NOON, NOON),
        (NOON, None, NOON),
    ],
)
def test_the_date_header_holds_while_it_is_plausible(
    sent: datetime | None, received: datetime | None, expected: datetime
) -> None:
    assert draft(mail(at=sent, received_at=received)).occurred_at == expected


@pytest.mark.parametrize(
    ("instant", "days"),
    [
        (datetime(2026, 3, 28, 23, 30, tzinfo=UTC), ("2026-03-29", "2026-03-28", "2026-03-29")),
        (datetime(2026, 3, 29, 22, 30, tzinfo=UTC), ("2026-03-30", "2026-03-29", "2026-03-30")),
        (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), ("2026-10-25", "2026-10-25", "2026-10-26")),
        (datetime(2026, 3, 8, 4, 59, tzinfo=UTC), ("2026-03-08", "2026-03-07", "2026-03-08")),
    ],
)
def test_a_day_is_each_users_own_also_when_the_clocks_change(
    instant: datetime, days: tuple[str, ...]
) -> None:
    found = draft(mail(to="ruth@ours.example, sam@ours.example, tina@ours.example", at=instant))
    assert [part.local_date for part in found.parts] == [date.fromisoformat(day) for day in days]


def test_the_message_id_is_the_identity_with_its_case() -> None:
    assert draft(mail(message_id="AbC@x")).dedupe_key == "AbC@x"


@pytest.mark.parametrize("constant", [None, "@", "null", "localhost"])
def test_without_a_message_id_the_headers_are_the_identity_within_one_users_mail(
    constant: str | None,
) -> None:
    record = mail(message_id=constant, references=("root@x", "@"))
    found = draft(record)
    assert found.dedupe_key.startswith("h:")
    assert found.dedupe_key == draft(record).dedupe_key
    assert found.dedupe_key != draft(record, SAM).dedupe_key
    assert found.dedupe_key != draft(mail(message_id=constant, size=7)).dedupe_key
    assert found.thread_keys == (found.dedupe_key, "root@x")


def test_a_thread_is_named_by_own_id_and_references() -> None:
    record = mail(message_id="3@x", references=("1@x", "2@x"), in_reply_to=("2@x",))
    assert draft(record).thread_keys == ("3@x", "1@x", "2@x")


def test_only_the_senders_copy_knows_bcc() -> None:
    seen = draft(mail("ruth@ours.example", "anna@nordwind.example"), SAM)
    sent = draft(mail("ruth@ours.example", "anna@nordwind.example", bcc="sam@ours.example, carl@x.example"))
    merged = merge_emails([seen, sent])
    assert {p.address for p in merged.parties if p.role == "bcc"} == {"sam@ours.example", "carl@x.example"}
    assert credits(merged) == {1: ("sender", True, 1.0), 2: ("copied", False, 0.0)}


def test_mails_of_one_author_under_one_id_are_told_apart_by_time_and_subject() -> None:
    one, later = draft(mail()), NOON + timedelta(minutes=1)
    assert not conflicts(one, draft(mail(subject="[sales] The offer")))
    assert not conflicts(one, draft(mail(subject="Re: The offer", at=later)))
    assert not conflicts(one, draft(mail(subject="Other")))
    assert conflicts(one, draft(mail(subject="Other", at=later)))
    assert conflicts(one, draft(mail(at=NOON + timedelta(days=1)))), "the same report, every day"
    undated = mail(at=None, received_at=NOON + timedelta(days=1))
    assert not conflicts(one, draft(undated)), "a time of receipt says nothing of the mail"


def test_a_copy_by_another_author_is_the_same_mail_only_where_a_list_stands_for_the_author() -> None:
    one = draft(mail())
    assert conflicts(one, draft(mail("bob@x.example")))
    assert conflicts(one, draft(mail("bob@x.example", subject="[sales] The offer")))
    posted = draft(mail(to="sales@lists.example, ruth@ours.example"))
    passed_on = mail("sales@lists.example", "sales@lists.example", subject="[sales] The offer")
    assert not conflicts(posted, draft(passed_on))
    assert not conflicts(draft(passed_on), posted)
    assert conflicts(posted, draft(mail("sales@lists.example", "sales@lists.example", subject="Other")))
    aliases = [
        draft(mail(alias, "anna@nordwind.example"))
        for alias in ("ruth@ours.example", "r.miller@ours.example")
    ]
    assert not conflicts(*aliases), "two addresses of one of us"


def test_a_copy_with_a_rewritten_id_is_known_by_its_fingerprint() -> None:
    sent = draft(mail("ruth@ours.example", "sam@ours.example, anna@nordwind.example"))
    got = draft(
        mail(
            "ruth@ours.example",
            "sam@ours.example, anna@nordwind.example",
            message_id="2@gw",
            subject="RE: The offer",
        ),
        SAM,
    )
    assert is_same_rewritten(sent, got)
    assert not is_same_rewritten(sent, sent)


def test_the_mails_of_a_mail_merge_stay_apart() -> None:
    one = draft(mail("ruth@ours.example", "anna@nordwind.example", message_id="1@x"))
    other = draft(mail("ruth@ours.example", "carl@x.example", message_id="2@x"))
    assert one.fingerprint == other.fingerprint
    assert not is_same_rewritten(one, other)


def test_the_handles_of_a_mail_are_those_of_everybody_in_it() -> None:
    record = mail("Anna <Anna+x@Nordwind.example>", "ruth@ours.example", cc="carl@bücher.example")
    assert handles_of(record) == {
        "anna+x@nordwind.example",
        "anna@nordwind.example",
        "ruth@ours.example",
        "carl@xn--bcher-kva.example",
    }


_people = st.lists(
    st.sampled_from(
        [
            "ruth@ours.example",
            "sam@ours.example",
            "tina@ours.example",
            "anna@nordwind.example",
            "carl@x.example",
        ]
    ),
    max_size=4,
).map(", ".join)


@st.composite
def _copies(draw: st.DrawFn) -> list[Draft]:
    author = draw(st.sampled_from(["ruth@ours.example", "anna@nordwind.example", "sales@ours.example"]))
    to, cc = draw(_people), draw(_people)
    found = []
    for owner in draw(st.lists(st.sampled_from([RUTH, SAM, TINA]), min_size=1, max_size=4)):
        record = mail(
            author,
            to,
            cc=cc,
            bcc=draw(_people),
            subject=draw(st.sampled_from(["The offer", "[sales] The offer"])),
            at=draw(st.sampled_from([NOON, NOON + timedelta(hours=11), None])),
            received_at=draw(st.sampled_from([NOON, NOON + timedelta(hours=12)])),
            references=draw(st.sampled_from([(), ("0@x",), ("0@x", "00@x")])),
            headers=draw(st.sampled_from([{}, {"precedence": "bulk"}])),
        )
        found.append(
            draft_email(record, owner, ORGANIZATION, level=draw(st.sampled_from(["metadata", "subject"])))
        )
    return found


@given(_copies())
def test_copies_join_to_the_same_mail_in_any_order_and_in_any_steps(copies: list[Draft]) -> None:
    merged = merge_emails(copies)
    for order in permutations(copies):
        assert merge_emails(order) == merged
        stepwise = order[0]
        for each in order[1:]:
            stepwise = merge_emails([stepwise, each])
        assert stepwise == merged
    assert merge_emails([merged, *copies]) == merged


def _owners(copies: Sequence[Draft]) -> set[int]:
    """The users in whose mailboxes the copies may lie: whoever saw them."""
    return {part.user_id for copy in copies for part in copy.parts}


@given(_copies())
def test_what_is_stored_and_its_copies_are_judged_alike_in_any_order_and_in_any_steps(
    copies: list[Draft],
) -> None:
    whole = joined(copies, None, _owners(copies), ORGANIZATION)
    for order in permutations(copies):
        stored = joined(order[:1], None, _owners(order[:1]), ORGANIZATION)
        assert stored == order[0], "a single copy was judged when it was read"
        for place, each in enumerate(order[1:], 1):
            stored = joined([each], stored, _owners(order[: place + 1]), ORGANIZATION)
        assert stored == whole
    assert joined(copies, whole, _owners(copies), ORGANIZATION) == whole


@given(_copies())
def test_what_was_stored_is_judged_by_our_people_as_they_are_now(copies: list[Draft]) -> None:
    others = Organization(
        {1: replace(RUTH, user_id=1, time_zone="Asia/Tokyo"), 3: replace(TINA, user_id=3), 2: SAM},
        {"ruth@ours.example": 3, "anna@nordwind.example": 1, "sam@ours.example": 2},
        frozenset({"ours.example"}),
    )
    stored = joined(copies, None, _owners(copies), ORGANIZATION)
    again = joined([], stored, _owners(copies), others)
    assert {party.address: party.user_id for party in again.parties} == {
        party.address: others.user_of(party.address) for party in stored.parties
    }
    outside = [party for party in again.parties if not others.is_inside(party.address)]
    assert again.external is bool(outside)
    assert (again.direction == "internal") is (not outside)
    assert joined([], again, _owners(copies), others) == again
    assert joined([], again, _owners(copies), ORGANIZATION) == stored


@given(_copies())
def test_shares_sum_to_one_where_somebody_counts(copies: list[Draft]) -> None:
    parts = merge_emails(copies).parts
    assert sum(part.share for part in parts) == pytest.approx(1.0 if any(p.counts for p in parts) else 0.0)
    assert len({part.user_id for part in parts}) == len(parts)


@given(st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes)))
def test_a_local_day_never_strays_from_its_instant(instant: datetime) -> None:
    found = draft(mail(to="ruth@ours.example, sam@ours.example, tina@ours.example", at=instant))
    for part in found.parts:
        assert abs(part.local_date - instant.date()) <= timedelta(days=1)
