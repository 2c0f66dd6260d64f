"""Signals: the first asks training to save and stop, the second stops at once."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from types import FrameType, TracebackType

# SIGHUP comes when a terminal is closed; not every system has it.
ASKED = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
SHOW_CURSOR = b"\x1b[?25h"

log = logging.getLogger(__name__)


class Interruption:
    """While in force, SIGINT and SIGTERM set `signal_number` instead of killing the process."""

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self._previous: dict[int, object] = {}

    def __enter__(self) -> Interruption:
        # Python delivers signals to the main thread only, and only it may handle them.
        if threading.current_thread() is threading.main_thread():
            for number in ASKED:
                self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            # None stands for a handler that was not installed from Python.
            signal.signal(number, handler or signal.SIG_DFL)  # type: ignore[arg-type]
        self._previous = {}

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.signal_number is not None:
            # The last checkpoint is whole: it was renamed into place. Leave as the signal demands.
            if sys.stdout.isatty():
                os.write(sys.stdout.fileno(), SHOW_CURSOR)
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.signal_number = number
        log.info("stopping after this update, then saving; once more to leave at once")
