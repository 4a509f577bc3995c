"""Work for both cores: an ordered map over pieces, in processes where that pays."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

Item = TypeVar("Item")
Result = TypeVar("Result")

PROCESSES = min(os.cpu_count() or 1, 2)
# Seconds; to start processes takes about as long.
SOON_DONE = 0.04


def use_one_process() -> None:
    """Start no more processes: a program with threads must not be forked."""
    global PROCESSES
    PROCESSES = 1


def ordered_map(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`map(function, items)` with at most a few items under way.

    Work that is soon done is done here; more starts processes.  Function, items and
    results must be picklable.  Memory is bounded by the items under way.
    """
    iterator = iter(items)
    alone = 0.0
    for item in iterator:
        started = time.perf_counter()
        result = function(item)
        alone += time.perf_counter() - started
        yield result
        if PROCESSES > 1 and alone > SOON_DONE:
            break
    else:
        return
    # Loaded where it is needed: most runs are done by now.
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(
        PROCESSES, mp_context=get_context("fork"), initializer=_end_with_parent
    ) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in iterator:
                waiting.append(pool.submit(function, item))
                if len(waiting) > PROCESSES + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _end_with_parent() -> None:
    """Leave with the parent even if that is killed: nobody would read the results."""
    from multiprocessing import connection, parent_process

    parent = parent_process()
    if parent is None:
        return

    def wait() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
