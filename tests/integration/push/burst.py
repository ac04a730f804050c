"""Sends one request again and again at an even rate, from a process of its own: `python -m tests.integration.push.burst PORT
NUMBER SECONDS`, the request on standard input. Writes the statuses and the 99th percentile of how long answers took."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter

CONNECTIONS = 50


async def _answer(reader: asyncio.StreamReader) -> str:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            await reader.readexactly(int(value))
    return head.split(b" ", 2)[1].decode()


async def _burst(port: int, request: bytes, number: int, seconds: float) -> dict[str, object]:
    began = time.monotonic()
    statuses: Counter[str] = Counter()
    taken: list[float] = []

    async def send(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for each in range(first, number, CONNECTIONS):
            wanted = began + seconds * each / number
            await asyncio.sleep(max(0.0, wanted - time.monotonic()))
            sent = time.monotonic()
            writer.write(request)
            statuses[await _answer(reader)] += 1
            taken.append(time.monotonic() - sent)
        writer.close()

    await asyncio.gather(*(send(first) for first in range(CONNECTIONS)))
    return {
        "statuses": statuses,
        "p99": sorted(taken)[int(len(taken) * 0.99)],
        "seconds": time.monotonic() - began,
    }


if __name__ == "__main__":
    told = asyncio.run(
        _burst(int(sys.argv[1]), sys.stdin.buffer.read(), int(sys.argv[2]), float(sys.argv[3]))
    )
    print(json.dumps(told))
