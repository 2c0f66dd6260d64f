"""The autopilot: at a fault with a trusted remedy, a run goes back to where it was well, and on with it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from facesmith.base.errors import DivergedError
from facesmith.base.records import Record
from facesmith.base.registry import to_dict
from facesmith.data.streaming.streamed import TrainingSet
from facesmith.health.finding import Finding
from facesmith.recipe import Recipe
from facesmith.training import interventions, loop, mending
from facesmith.training.folder import RunFolder
from facesmith.training.interventions import Intervention, Treatment
from facesmith.training.loop import Outcome
from facesmith.training.observers import Observer
from facesmith.training.run import Run
from facesmith.training.view import View
from facesmith.training.watch import Health

log = logging.getLogger(__name__)
MOST = 4
"""Interventions in a run."""
IN_A_ROW = 2
"""Times that a setting is moved one way; if the fault is still there, the setting is not its cause."""
CHECKPOINTS = 10
"""In a run, at the least: what is given up should be little."""
MINUTES = 100
"""Records that a run by the clock is taken to have."""
KEEP = 6
"""Checkpoints, from which to choose the one before a fault."""


def train(
    recipe: Recipe,
    run: Run,
    dataset: TrainingSet,
    observers: Sequence[Observer],
    health: Health,
) -> Outcome:
    """Train as `loop.train` does, and intervene where that is known to help.

    Args:
        recipe: What is learned and how, as the run was begun, whatever was changed since.
        run: Where, how long, with which seed.
        dataset: Prepared photos of the recipe's resolution.
        observers: What watches, `health` among them.
        health: Whose findings are acted on.

    Returns:
        How it ended.

    Raises:
        FacesmithError: As `loop.train` raises it; DivergedError where no intervention is left.
    """
    pilot = Pilot(health)
    # Told right after the diagnosis, so that whoever else asks for a stop is heard rather than it.
    place = observers.index(health) + 1
    watching = [*observers[:place], pilot, *observers[place:]]
    while True:
        pilot.finding = None
        try:
            outcome = loop.train(recipe, run, dataset, watching)
        except DivergedError as error:
            if not pilot.takes_over(error):
                raise
        else:
            if pilot.finding is None:
                return outcome
        pilot.intervene()


def with_checkpoints(run: Run, every: int | None, keep: int | None) -> Run:
    """Give a run checkpoints to go back to: more of them, and more often.

    Args:
        run: Its length, and the usual pace.
        every: Images between two checkpoints as its user wants it; None where it is left to us.
        keep: Checkpoints that are kept, likewise.

    Returns:
        The run with its checkpoints.
    """
    records = run.images // run.record_every
    if run.minutes is not None:  # how many images they hold shows later
        records = min(records, MINUTES)
    usual = min(run.checkpoint_every, max(1, records // CHECKPOINTS) * run.record_every)
    return replace(run, checkpoint_every=every or usual, keep=keep or KEEP)


class Pilot:
    """Asks for a stop at a fault that it can mend, and mends it when the training has stopped.

    Args:
        health: Diagnoses; told of each record before the pilot is.
    """

    def __init__(self, health: Health) -> None:
        self.health = health
        self.finding: Finding | None = None
        """To be mended."""
        self._view: View | None = None
        self._treatment = Treatment()
        self._said: set[str] = set()

    @property
    def reason(self) -> str:
        """Why the training is to stop; empty where it is not."""
        return f"autopilot: {self.finding.title}" if self.finding else ""

    def started(self, view: View) -> str | None:
        """Take the run over; what was found when it was killed is found again at once."""
        self._view, self._treatment = view, interventions.read(view.folder.path)
        return self._look(view)

    def stepped(self, view: View, record: Record) -> str | None:  # noqa: D102
        return self._look(view)

    def finished(self, view: View, reason: str) -> None:  # noqa: D102
        self.finding = self.finding if reason == self.reason else None

    def takes_over(self, error: DivergedError) -> bool:
        """Say whether a run whose numbers are not finite is to go on, with `finding` mended.

        Args:
            error: What ended it.
        """
        if (view := self._view) is None or not has_time(view):
            return False
        found = mending.non_finite(view, error)
        self.finding = found if self._can_mend(view, found) else None
        return self.finding is not None

    def intervene(self) -> None:
        """Write down where to go back to and what to change; `loop.train` then goes on by it."""
        view, finding = self._view, self.finding
        assert view is not None and finding is not None
        recipe = mending.mended(view.recipe, finding.remedy)
        assert recipe is not None
        with RunFolder(view.run.folder) as folder:
            made = Intervention(
                number=len(self._treatment.made) + 1,
                images_seen=view.state.images_seen,
                back_to=mending.moment(folder.checkpoints, finding),
                seconds=view.state.seconds,
                kind=finding.kind,
                where=finding.where,
                title=finding.title,
                since=int(finding.since),
                changes=mending.differences(view.recipe, recipe, finding.remedy),
                recipe=to_dict(recipe),
            )
            log.warning(
                "autopilot, intervention %d of %d: %s\n  at %s images, back to %s, with %s",
                made.number,
                MOST,
                made.title,
                f"{made.images_seen:,}",
                f"{made.back_to:,}",
                finding.remedy.options(),
            )
            # From here on it is made: whoever trains next in this folder carries it out.
            self._treatment.after(view.recipe, made).write(folder.path)

    def _look(self, view: View) -> str | None:
        since = self._treatment.made[-1].back_to if self._treatment.made else 0
        # Both diagnoses must be of what was trained since: those before speak of another recipe.
        if self.health.before.images_seen <= since or not has_time(view):
            return None
        for finding in self.health.confirmed(view.state.images_seen):
            if self._can_mend(view, finding):
                self.finding = finding
                return self.reason
        return None

    def _can_mend(self, view: View, finding: Finding) -> bool:
        remedy, made = finding.remedy, self._treatment.made
        after = mending.mended(view.recipe, remedy) if remedy.trusted else None
        if after is None:
            return False
        if len(made) >= MOST:
            self._say(f"all {MOST} interventions are made")
            return False
        moves = {change.direction for change in mending.differences(view.recipe, after, remedy)}
        for earlier in made[-IN_A_ROW:]:
            moves &= {change.direction for change in earlier.changes}
        if moves and len(made) >= IN_A_ROW:
            again = ", ".join(sorted(option for option, _ in moves))
            self._say(f"{again}: moved {IN_A_ROW} times the same way, in vain")
            return False
        return True

    def _say(self, why: str) -> None:
        if why not in self._said:
            log.warning("the autopilot does not intervene: %s", why)
        self._said.add(why)


def has_time(view: View) -> bool:
    """Say whether minutes of a run are left: to go back and stop there would only lose.

    Args:
        view: The run.
    """
    minutes = view.run.minutes
    return minutes is None or view.state.seconds < 60 * minutes
