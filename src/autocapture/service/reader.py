"""The process that reads ahead for a large capture: `python -m autocapture.service.reader`, started by `bootstrap`.

Its input begins with the settings; what follows is `workflows.reading_ahead`'s.
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import sys
from contextlib import suppress


def main() -> int:
    gc.disable()  # what is imported stays: looking through it for cycles meanwhile takes a seventh of the start
    import structlog

    from autocapture.bootstrap import build
    from autocapture.service.logs import configure_logs
    from autocapture.workflows.reading_ahead import serve_reader

    gc.freeze()
    gc.enable()
    configure_logs(least=logging.WARNING)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not break into the answers
    try:
        app = build(pickle.load(sys.stdin.buffer))
        serve_reader(app, sys.stdin.buffer, answers, lambda: os._exit(0))
    except BrokenPipeError:
        os._exit(0)  # the parent has ended, and so has its interest
    except Exception as problem:  # the parent reads for itself, and tells what is wrong
        structlog.get_logger().warning("reader_ended", error=type(problem).__name__)
        with suppress(OSError):
            answers.close()
        os._exit(1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
