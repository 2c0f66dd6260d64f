"""The doctor beside a training: diagnoses while it runs, and tells what is new."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from facesmith.base import records
from facesmith.base.records import Record
from facesmith.health import facts
from facesmith.health.facts import RunFacts
from facesmith.health.finding import Finding
from facesmith.health.findings import diagnose
from facesmith.health.visits import History, Visit, alarm, is_due, news, told
from facesmith.recipes import published
from facesmith.training.view import View

log = logging.getLogger(__name__)


@dataclass
class Health:
    """Diagnoses at records, and writes to events.jsonl what appears and what goes away."""

    now: Visit = field(default_factory=Visit, init=False)
    """The newest diagnosis."""
    before: Visit = field(default_factory=Visit, init=False)
    """The one before it: what both found is no passing whim of a record."""
    history: History = field(default_factory=History, init=False)
    facts: RunFacts = field(default_factory=RunFacts, init=False)
    _told: dict[str, dict[str, Any]] = field(default_factory=dict, init=False)
    _warned: set[str] = field(default_factory=set, init=False)
    _failed: bool = field(default=False, init=False)

    def started(self, view: View) -> None:  # noqa: D102
        self.now = self.before = Visit()
        self.history, self.facts = History(), RunFacts()
        self._told, self._warned, self._failed = {}, set(), False
        try:
            self._told = told(view.folder.events())
            self.facts = facts.read(view.folder.path, published)
            self._recall(view)
        except Exception as error:  # whatever is wrong with the doctor: the patient goes on
            self._give_up(error)
        view.health = self.now.line() if self.now.images_seen else ""

    def stepped(self, view: View, record: Record) -> str | None:  # noqa: D102
        due = self._takes(record, view.run.record_every)
        if due:
            self._diagnose(view, record.images_seen)
        return None

    def finished(self, view: View, reason: str) -> None:  # noqa: D102
        if self.history.last > self.now.images_seen:
            self._diagnose(view, self.history.last)
        if view.health:
            log.log(logging.WARNING if self.now.ill else logging.INFO, "%s", view.health)

    def confirmed(self, images_seen: int) -> list[Finding]:
        """Give the ill findings of two diagnoses in a row.

        Args:
            images_seen: Of the moment; nothing is confirmed between two diagnoses.

        Returns:
            Findings, the most important first.
        """
        if images_seen != self.now.images_seen:
            return []
        return [finding for name, finding in self.now.ill.items() if name in self.before.ill]

    def _takes(self, record: Record, every: int) -> bool:
        """Take a record, and say whether a diagnosis is due."""
        last = self.history.last
        self.history.add(record)
        return is_due(record.images_seen, last, every)

    def _recall(self, view: View) -> None:
        """Take over the records of earlier sittings, and find again what was found last."""
        moments: list[tuple[int, list[Record]]] = []
        if view.folder.metrics.exists():
            for record in records.read(view.folder.metrics):
                if self._takes(record, view.run.record_every):
                    moments = [*moments[-1:], (record.images_seen, self.history.records)]
        for images_seen, known in moments:
            found = Visit(images_seen, tuple(diagnose(known, self.facts)))
            self.before, self.now = self.now, found

    def _diagnose(self, view: View, images_seen: int) -> None:
        try:
            found = tuple(diagnose(self.history.records, self.facts))
            self.before, self.now = self.now, Visit(images_seen, found)
            view.health = self.now.line()
            self._tell(view)
        except Exception as error:
            self._give_up(error)

    def _tell(self, view: View) -> None:
        for kind, event in news(self._told, self.now):
            view.folder.log_event(kind, **event)
        for name, finding in self.now.ill.items():
            if name not in self._warned:
                self._warned.add(name)
                log.warning("%s", alarm(finding))

    def _give_up(self, error: Exception) -> None:
        if not self._failed:
            log.warning("no diagnosis (%s: %s); training goes on", type(error).__name__, error)
            log.debug("the diagnosis failed", exc_info=error)
        self._failed = True
