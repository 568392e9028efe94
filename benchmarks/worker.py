"""A step that is timed on request, so that several can take turns on one machine."""

import sys
import time
from collections.abc import Callable


def serve(step: Callable[[], object]) -> None:
    """For each line "N" on standard input: N steps, and the milliseconds of each out.

    `step` has to wait for its own result.
    """
    for line in sys.stdin:
        milliseconds = []
        for _ in range(int(line)):
            start = time.perf_counter()
            step()
            milliseconds.append(1e3 * (time.perf_counter() - start))
        print(*(f"{ms:.2f}" for ms in milliseconds), flush=True)
