"""When a run must end because its numbers are no longer finite."""

from __future__ import annotations

import logging

from facesmith.base.errors import DivergedError
from facesmith.base.records import Record

log = logging.getLogger(__name__)
OFTEN = 0.1  # share of a player's updates that may be skipped before a record counts as bad
PATIENCE = 3  # bad records in a row that end a run
MOSTLY = 0.5  # share in the last record of a run, be it short, by which it did not end well


class Divergence:
    """Ends a run whose updates are not finite: a player that does not move learns nothing."""

    def __init__(self, last: Record | None) -> None:
        """Go on from the last record of the sitting before, if there was one."""
        self.bad = [last] if last is not None and last.non_finite > OFTEN else []

    def examine(self, record: Record) -> None:
        """Look at a record.

        Args:
            record: The newest.

        Raises:
            DivergedError: It is the last of too many bad ones.
        """
        if record.non_finite <= OFTEN:
            self.bad = []
            return
        if not self.bad:
            log.warning(
                "%.0f %% of a player's updates were not finite, and were not made",
                100 * record.non_finite,
            )
        self.bad.append(record)
        if len(self.bad) >= PATIENCE:
            raise diverged(record)

    def conclude(self) -> None:
        """Look back at the end of a run.

        Raises:
            DivergedError: By its last record a player hardly moved, and no further one will show better.
        """
        if self.bad and self.bad[-1].non_finite > MOSTLY:
            raise diverged(self.bad[-1])


def diverged(record: Record) -> DivergedError:
    """Explain that training cannot go on."""
    halved = " ".join(
        f"--optimizers.{player}.learning-rate {rate / 2:g}"
        for player, rate in record.learning_rates.items()
    )
    return DivergedError(
        f"{record.non_finite:.0%} of a player's updates were not finite, up to {record.images_seen:,} "
        "images.",
        needed="finite losses and gradients; no update that lacked them was made, so all weights are finite",
        todo="begin anew in another --run DIR, with weaker penalties or half the learning rates: "
        f"{halved}",
    )
