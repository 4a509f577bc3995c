"""Worker processes for long work, and memory returned to the system.

`ordered_map` uses worker processes if the work takes long.  Where they cannot be started, or
one is killed, the work is done all the same, with a notice: see `take_notices`.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from aggregator.model.errors import AggregatorError

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

Item = TypeVar("Item")
Result = TypeVar("Result")

PROCESSES = min(os.cpu_count() or 1, 2)
# Seconds that work takes at most without worker processes: to start them takes as long.
SOON_DONE = 0.04

_notices: list[str] = []


class WorkerError(AggregatorError):
    """An item ends every process that works on it."""


class _NoProcessesError(Exception):
    """No process can be started, for the reason in the message."""


def use_one_process() -> None:
    """Start no more worker processes: a process with threads must not be forked."""
    global PROCESSES
    PROCESSES = 1


def give_back_memory() -> None:
    """Return freed memory to the system, where the C library can.

    After a first build of 10,000 posts it is a third of the process's memory.
    """
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)


def take_notices() -> list[str]:
    """Return the notices on worker processes since the last call."""
    found = list(_notices)
    _notices.clear()
    return found


def ordered_map(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Return `map(function, items)`, with a few items under way at most.

    What takes longer than `SOON_DONE` is done by worker processes.  Function, items and
    results must be picklable.  Memory is bounded by the items under way.  Raises
    `WorkerError` for an item that ends the process that works on it twice.
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
    yield from _shared(function, iterator)


def _shared(function: Callable[[Item], Result], items: Iterator[Item]) -> Iterator[Result]:
    """Map in worker processes, or in this one if they cannot be started."""
    from concurrent.futures.process import BrokenProcessPool

    under_way: deque[tuple[Item, Future[Result] | None]] = deque()
    pool: ProcessPoolExecutor | None = None
    try:
        pool = _pool(PROCESSES)
        for item in items:
            under_way.append((item, None))
            under_way[-1] = (item, pool.submit(function, item))
            if len(under_way) > PROCESSES + 1:
                yield _first_result(under_way)
        while under_way:
            yield _first_result(under_way)
        return
    except _NoProcessesError as error:
        use_one_process()
        _notices.append(
            f"no worker processes can be started ({error}): one process did all the work, which "
            "takes longer. They need a writable /dev/shm, enough memory, and a limit that allows "
            "more processes"
        )
        yield from map(function, items)
        return
    except BrokenProcessPool:
        use_one_process()
        _notices.append(
            "a worker process was killed, perhaps because memory ran out; its work was done "
            "again, one piece at a time"
        )
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)
    yield from _one_at_a_time(function, under_way, items)


def _first_result(under_way: deque[tuple[Item, Future[Result] | None]]) -> Result:
    _, future = under_way[0]
    if future is None:
        raise RuntimeError("an item was given to no process")
    result = future.result()
    under_way.popleft()
    return result


def _one_at_a_time(
    function: Callable[[Item], Result],
    under_way: Iterable[tuple[Item, Future[Result] | None]],
    items: Iterator[Item],
) -> Iterator[Result]:
    """Map the rest in one worker process at a time, so that this one outlives what kills it."""
    from concurrent.futures.process import BrokenProcessPool

    pool: ProcessPoolExecutor | None = None
    try:
        for item, future in chain(under_way, ((item, None) for item in items)):
            if future is not None and _is_good(future):
                yield future.result()
                continue
            try:
                pool = pool or _pool(1)
                result = pool.submit(function, item).result()
            except _NoProcessesError:
                result = function(item)
            except BrokenProcessPool as error:
                raise WorkerError(
                    "a worker process was killed again when it worked alone, perhaps because "
                    "memory ran out; what was done is kept. Provide more memory, and run it again"
                ) from error
            yield result
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)


def _is_good(future: Future[Result]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _pool(processes: int) -> ProcessPoolExecutor:
    """Start a pool of worker processes.

    Raises `_NoProcessesError` if they cannot be started, `BrokenProcessPool` if one is killed.
    """
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import active_children

    others = set(active_children())
    pool: ProcessPoolExecutor | None = None
    try:
        # The import fails if Python was built without semaphores.
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        pool = ProcessPoolExecutor(
            processes, mp_context=get_context("fork"), initializer=_end_with_parent
        )
        pool.submit(os.getpid).result()
    except BrokenProcessPool:
        if pool is not None:
            # A pool that is deleted while it ends can wait for itself forever.
            pool.shutdown()
        raise
    except (OSError, RuntimeError, ImportError) as error:
        # Processes that were started would be waited for at the end.
        for child in set(active_children()) - others:
            child.kill()
            child.join()
        if pool is not None:
            with contextlib.suppress(RuntimeError):  # a thread of it that was never started
                pool.shutdown()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _NoProcessesError(reason) from error
    return pool


def _end_with_parent() -> None:
    """End with the parent even if that is killed: nothing would read the results."""
    from multiprocessing import connection, parent_process

    parent = parent_process()
    if parent is None:
        return

    def wait() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
