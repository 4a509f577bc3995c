"""Work for both cores: an ordered map over pieces, in processes where that pays."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain
from multiprocessing import connection, get_context, parent_process
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

PROCESSES = min(os.cpu_count() or 1, 2)


def use_one_process() -> None:
    """Start no more processes: a program with threads must not be forked."""
    global PROCESSES
    PROCESSES = 1


def ordered_map(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`map(function, items)` with at most a few items under way.

    A single item is worked on here; more start processes.  Function, items and results
    must be picklable.  Memory is bounded by the items under way.
    """
    iterator = iter(items)
    first = next(iterator, None)
    second = next(iterator, None)
    if first is None:
        return
    if second is None or PROCESSES == 1:
        yield from map(function, (item for item in (first, second) if item is not None))
        yield from map(function, iterator)
        return
    with ProcessPoolExecutor(
        PROCESSES, mp_context=get_context("fork"), initializer=_end_with_parent
    ) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in chain((first, second), iterator):
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
    parent = parent_process()
    if parent is None:
        return

    def wait() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
