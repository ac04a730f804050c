"""Messages read by their ids, in batches that grow while Gmail answers all of them and shrink when it asks for less."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from autocapture.connector import Broken, Gone, Record
from autocapture.errors import RecordUnusable
from autocapture.formats.mime import HEADER_FIELDS
from autocapture_google.api import Api, Json
from autocapture_google.budget import GET_MESSAGE, GET_PROFILE, Budget
from autocapture_google.messages import email_record, is_left_out, received_at, text_of
from autocapture_google.refusals import Refused, fault

FIRST_BATCH = 20
LARGEST_BATCH = 25
"""Gmail takes a hundred, but counts each against the few requests that one user may have under way."""

_HEADERS_ONLY = "id,threadId,labelIds,internalDate,sizeEstimate,payload/headers"

Answer = Record | Gone | Broken


class Reader:
    """One batch at a time. Each message has an outcome of its own, so one that cannot be read takes no other along."""

    def __init__(self, api: Api, budget: Budget) -> None:
        self._api = api
        self._budget = budget
        self._size = FIRST_BATCH
        self._messages = api.resource("users", "messages")

    def read(self, ids: Sequence[str], *, since: datetime | None = None) -> dict[str, Answer]:
        """Headers, date and size by id. What is left out, and what came in before `since`, is Gone.

        Raises RateLimited, Unreachable, ReconnectNeeded.
        """
        return {id_: _answer(id_, outcome, since) for id_, outcome in self._outcomes(ids, self._headers)}

    def texts(self, ids: Sequence[str]) -> dict[str, str]:
        """Readable texts by id; a message without one is left out."""
        found = {}
        for id_, outcome in self._outcomes(ids, self._whole):
            if isinstance(outcome, dict) and (text := text_of(outcome)):
                found[id_] = text
        return found

    def _headers(self, id_: str) -> Any:
        return self._messages.get(
            userId="me",
            id=id_,
            format="metadata",
            metadataHeaders=list(HEADER_FIELDS),
            fields=_HEADERS_ONLY,
        )

    def _whole(self, id_: str) -> Any:
        return self._messages.get(userId="me", id=id_, format="full", fields="id,payload")

    def _outcomes(
        self, ids: Sequence[str], request: Callable[[str], Any]
    ) -> Iterator[tuple[str, Json | Refused]]:
        """Each id with what came of it. Throttled ones are asked for again in smaller batches while any are answered; those
        that the server fails at are asked for once more, alone."""
        waiting = deque(dict.fromkeys(ids))
        failed: list[str] = []
        while waiting:
            asked = [waiting.popleft() for _ in range(min(self._size, len(waiting)))]
            answers = self._ask(asked, request)
            throttled = [id_ for id_ in asked if _is_throttled(answers[id_])]
            self._adapt(asked, throttled, answers)
            waiting.extendleft(reversed(throttled))
            now_failed = [id_ for id_ in asked if id_ not in throttled and _is_passing(answers[id_])]
            failed += now_failed
            if len(now_failed) == len(asked) > 1:
                self._check_alive()
            done = set(asked).difference(throttled, now_failed)
            yield from ((id_, answers[id_]) for id_ in asked if id_ in done)
        for id_ in failed:
            answer = self._ask([id_], request)[id_]
            if isinstance(answer, Refused) and answer.throttled:
                raise fault(answer, self._api.title)
            yield id_, answer

    def _ask(self, ids: Sequence[str], request: Callable[[str], Any]) -> dict[str, Json | Refused]:
        """One message is asked for without a batch, which is faster; where it is refused, a batch tells whether it is refused or
        the service."""
        self._budget.spend(GET_MESSAGE, len(ids))
        if len(ids) == 1:
            answer = _of(ids[0], self._api.ask_one(request(ids[0])))
            if not isinstance(answer, Refused) or answer.throttled:
                return {ids[0]: answer}
            self._budget.spend(GET_MESSAGE, 1)
        answers = self._api.ask_all({id_: request(id_) for id_ in ids})
        for answer in answers.values():
            if isinstance(answer, Refused) and answer.status == 403 and not answer.throttled:
                raise fault(answer, self._api.title)
        return {id_: _of(id_, answer) for id_, answer in answers.items()}

    def _adapt(
        self, asked: Sequence[str], throttled: Sequence[str], answers: dict[str, Json | Refused]
    ) -> None:
        if not throttled:
            self._size = min(LARGEST_BATCH, self._size + 1)
            return
        self._size = max(1, len(asked) // 2)
        if len(throttled) == len(asked):
            waits = [answer for id_ in throttled if isinstance(answer := answers[id_], Refused)]
            raise fault(max(waits, key=lambda refused: refused.wait is not None), self._api.title)

    def _check_alive(self) -> None:
        """Raises Unreachable where not these messages fail but the server."""
        self._budget.take(GET_PROFILE)
        try:
            self._api.ask(self._api.resource("users").getProfile(userId="me", fields="historyId"))
        except Refused as refused:
            raise fault(refused, self._api.title) from None


def _of(id_: str, answer: Json | Refused) -> Json | Refused:
    """The answer, where it is one about this message; something on the way may give another."""
    return answer if isinstance(answer, Refused) or answer.get("id") == id_ else Refused(502)


def _is_throttled(answer: Json | Refused) -> bool:
    return isinstance(answer, Refused) and answer.throttled


def _is_passing(answer: Json | Refused) -> bool:
    return isinstance(answer, Refused) and answer.passing


def _answer(id_: str, outcome: Json | Refused, since: datetime | None) -> Answer:
    if isinstance(outcome, Refused):
        if outcome.gone:
            return Gone(id_)
        return Broken(id_, f"Gmail does not give it ({outcome.says})")
    if is_left_out(outcome) or _is_before(outcome, since):
        return Gone(id_)
    try:
        return Record(id_, email_record(outcome))
    except RecordUnusable as unusable:
        return Broken(id_, str(unusable))
    except (TypeError, ValueError, AttributeError, LookupError):
        return Broken(id_, "Gmail's answer for it cannot be understood")


def _is_before(message: Json, since: datetime | None) -> bool:
    received = received_at(message)
    return since is not None and received is not None and received < since
