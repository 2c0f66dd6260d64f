"""Processes that work for this one: deaf to its Ctrl-C, and gone when nobody waits for them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from ctypes import c_bool
from typing import Any, TypeVar

from facesmith.base.errors import StorageError

MAX_WORKERS = 32
Thing = TypeVar("Thing")
Result = TypeVar("Result")


class Workers:
    """Processes that do jobs in the order in which they are given; started with the first.

    Args:
        count: How many.
    """

    def __init__(self, count: int) -> None:
        # Spawned, not forked: the parent may hold torch's threads and locks.
        context = multiprocessing.get_context("spawn")
        # A plain byte of shared memory: a lock could be held by a worker that was killed.
        self._stop = context.RawValue(c_bool, False)
        self._pool = ProcessPoolExecutor(
            count, mp_context=context, initializer=_prepare_worker, initargs=(self._stop,)
        )

    def submit(self, job: Callable[..., Result], *arguments: Any) -> Future[Result]:
        """Give a job.

        Args:
            job: A function of a module.
            *arguments: What can be pickled.

        Returns:
            What will hold its result.

        Raises:
            BrokenProcessPool: A worker was killed.
        """
        with _interrupts_held():  # it starts workers
            return self._pool.submit(job, *arguments)

    def close(self) -> None:
        """End them; each stops at the next thing that `while_wanted` would give it."""
        self._stop.value = True
        self._pool.shutdown(cancel_futures=True)


def while_wanted(things: Iterable[Thing]) -> Iterator[Thing]:
    """Go through things, in a worker or elsewhere.

    Args:
        things: Any.

    Yields:
        Each of them.

    Raises:
        CancelledError: This process is a worker, and nobody waits for its work any more.
    """
    for thing in things:
        if _stop is not None and _stop.value:
            raise CancelledError
        yield thing


def processors() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def enough_memory() -> Generator[None]:
    """Explain what a worker dies of.

    Yields:
        Nothing.

    Raises:
        StorageError: Memory did not suffice, or a worker was killed, most often for that reason.
    """
    try:
        yield
    except (MemoryError, BrokenProcessPool) as error:
        raise StorageError(
            "Memory ran out while photos were decoded."
            if isinstance(error, MemoryError)
            else "A worker process died while it decoded photos.",
            needed="enough memory for all workers; and, in a script of your own, the call below "
            '`if __name__ == "__main__":`',
            todo="run the same command again with fewer workers: it continues",
        ) from error


@contextmanager
def _interrupts_held() -> Generator[None]:
    """Keep Ctrl-C for later, and from the processes that are started here, which inherit that."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_stop: c_bool | None = None
"""Of a worker: set when its parent wants no more."""


def _prepare_worker(stop: c_bool) -> None:
    """Leave Ctrl-C to the parent, and end with it even when it is killed.

    SIGTERM stays as it is: with it the pool ends the others when one of them was killed.
    """
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
