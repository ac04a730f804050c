"""The in-process queue keeps its promises."""

from __future__ import annotations

import threading
from datetime import timedelta

from autocapture.jobs.queue import InProcessQueue, Job

AT_ONCE = timedelta(0)
SOON = timedelta(seconds=5)


def test_jobs_come_in_the_order_in_which_they_were_queued() -> None:
    queue = InProcessQueue()
    jobs = [Job("capture", {"account_id": number}) for number in (3, 1, 2)]
    assert all(queue.enqueue(job) for job in jobs)
    assert [queue.claim(AT_ONCE) for _ in jobs] == jobs
    assert queue.claim(AT_ONCE) is None


def test_a_job_that_waits_already_is_not_queued_twice() -> None:
    queue = InProcessQueue()
    assert queue.enqueue(Job("capture", {"account_id": 1, "why": "tick"}))
    assert not queue.enqueue(Job("capture", {"why": "tick", "account_id": 1}))
    assert queue.enqueue(Job("capture", {"account_id": 2, "why": "tick"}))


def test_work_that_runs_waits_for_its_end_before_it_runs_again() -> None:
    queue = InProcessQueue()
    job, other = Job("capture", {"account_id": 1}), Job("capture", {"account_id": 2})
    queue.enqueue(job)
    assert queue.claim(AT_ONCE) == job
    assert queue.enqueue(job)
    queue.enqueue(other)
    assert queue.claim(AT_ONCE) == other
    assert queue.claim(AT_ONCE) is None
    queue.finish(job)
    assert queue.claim(AT_ONCE) == job


def test_a_waiting_worker_gets_a_job_that_comes_later() -> None:
    queue = InProcessQueue()
    got: list[Job | None] = []
    worker = threading.Thread(target=lambda: got.append(queue.claim(SOON)))
    worker.start()
    queue.enqueue(Job("capture"))
    worker.join(5)
    assert got == [Job("capture")]


def test_closing_wakes_those_who_wait_and_hands_out_nothing_more() -> None:
    queue = InProcessQueue()
    got: list[Job | None] = []
    worker = threading.Thread(target=lambda: got.append(queue.claim(timedelta(minutes=5))))
    worker.start()
    queue.close()
    worker.join(5)
    assert got == [None]
    assert not queue.enqueue(Job("capture"))
    assert queue.claim(SOON) is None


def test_eight_workers_share_a_thousand_jobs_without_losing_or_doubling_one() -> None:
    queue = InProcessQueue()
    done: list[int | str] = []

    def work() -> None:
        while (job := queue.claim(timedelta(milliseconds=200))) is not None:
            done.append(job.args["number"])
            queue.finish(job)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for number in range(1_000):
        queue.enqueue(Job("count", {"number": number}))
    for worker in workers:
        worker.join(10)
    assert sorted(done) == list(range(1_000))  # type: ignore[type-var]
