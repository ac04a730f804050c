"""What people are told leaves out what only programs, and who runs them, call by name."""

from __future__ import annotations

import pytest

from autocapture.errors import without_codes


@pytest.mark.parametrize(
    ("told", "plain"),
    [
        ("Microsoft no longer accepts this sign-in (invalid_grant, AADSTS50173); sign in again",
         "Microsoft no longer accepts this sign-in; sign in again"),
        ("it may not be read (ErrorAccessDenied): a permission", "it may not be read: a permission"),
        ("does not let autocapture read the text of mail (Mail.Read)", "does not let autocapture read the text of mail"),
        ("another mailbox than account 3 (ann@example.com)", "another mailbox than account 3 (ann@example.com)"),
        ("the source is away (for now), it says", "the source is away (for now), it says"),
    ],
)  # fmt: skip
def test_codes_in_brackets_are_left_out_and_other_words_are_not(told: str, plain: str) -> None:
    assert without_codes(told) == plain
