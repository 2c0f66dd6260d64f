"""Signals: the first asks training to save and stop, the second stops at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType

ASKED = (signal.SIGINT, signal.SIGTERM)


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
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._previous = {}

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.signal_number is not None:
            # The last checkpoint is whole: it was renamed into place. Leave as the signal demands.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.signal_number = number
