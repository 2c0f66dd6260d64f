"""The doctor beside a training: diagnoses while it runs, tells what is new, and sums it up in a line."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from facesmith.base import records
from facesmith.base.records import Record
from facesmith.health import facts
from facesmith.health.facts import RunFacts
from facesmith.health.finding import SEVERITIES, Finding
from facesmith.health.findings import diagnose
from facesmith.training.view import View

log = logging.getLogger(__name__)
MOST = 600
"""Records that a diagnosis looks at and memory holds, about: the newer half whole, the older thinned."""
DEAR = "distance"
"""A signal that few records have; of many records, one that has it stays."""
DIGITS = 5
"""Binary digits of a record's number that decide whether a diagnosis is due: all of the first 31, then 16
until the number has doubled; 150 for 5,000 records."""


@dataclass(frozen=True)
class Visit:
    """What was found, and when."""

    images_seen: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def ill(self) -> dict[str, Finding]:
        """Findings that spoil the run, by name."""
        return {f.name: f for f in self.findings if f.severity == "ill"}

    def line(self) -> str:
        """Say it in a line: the first of the worst findings, and the options that mend it."""
        worst = min(self.findings, key=lambda f: SEVERITIES.index(f.severity), default=None)
        if worst is None or worst.severity == "well":
            return "health: well"
        title = worst.title.removesuffix(".")
        if worst.severity == "note":
            return f"health: well, {title}"
        options = worst.remedy.options()
        since = f"health: {worst.severity}, {title}, since {worst.since:,}"
        return f"{since}: {options}" if options else since


@dataclass
class History:
    """The records of a run: the newest as they came, of the older ones one of each 2, 4, 8 ...

    It holds the same whether they come one by one or are read from the file of a run that goes on, so that a
    diagnosis after an interruption is that of a run without one.
    """

    old: list[Record] = field(default_factory=list)
    leaving: list[Record] = field(default_factory=list)
    """Of which the next old one will be chosen."""
    recent: list[Record] = field(default_factory=list)
    stride: int = 1
    """Records of which one becomes old."""

    @property
    def records(self) -> list[Record]:
        """All that are kept, oldest first."""
        return [*self.old, *self.leaving, *self.recent]

    @property
    def last(self) -> int:
        """Images seen at the newest record."""
        return self.recent[-1].images_seen if self.recent else 0

    def add(self, record: Record) -> None:
        """Take the newest record."""
        self.recent.append(record)
        if len(self.recent) <= MOST // 2:
            return
        self.leaving.append(self.recent.pop(0))
        if len(self.leaving) == self.stride:
            self.old.append(_chosen(self.leaving))
            self.leaving = []
        if len(self.old) == MOST // 2:
            self.old = [_chosen(self.old[n : n + 2]) for n in range(0, len(self.old), 2)]
            self.stride *= 2


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
            self.facts = facts.read(view.folder.path)
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
        images_seen = self.now.images_seen
        found = {f.name: f for f in self.now.findings if f.severity != "well"}
        for name, finding in found.items():
            if self._told.get(name, {}).get("severity") != finding.severity:
                self._told[name] = {**event_of(finding), "images_seen": images_seen}
                view.folder.log_event("finding", **self._told[name])
            if finding.severity == "ill" and name not in self._warned:
                self._warned.add(name)
                todo = finding.remedy.options() or finding.remedy.advice
                log.warning(
                    "ill since %s images: %s\n  to do:  %s",
                    f"{finding.since:,}",
                    finding.title,
                    todo,
                )
        for name, event in list(self._told.items()):
            # What a run that was killed found later than where it goes on from has still its time to come.
            if name not in found and event["images_seen"] <= images_seen:
                view.folder.log_event("recovered", **{**event, "images_seen": images_seen})
                del self._told[name]

    def _give_up(self, error: Exception) -> None:
        if not self._failed:
            log.warning("no diagnosis (%s: %s); training goes on", type(error).__name__, error)
            log.debug("the diagnosis failed", exc_info=error)
        self._failed = True


def is_due(images_seen: int, last: int, every: int) -> bool:
    """Say whether a diagnosis is due at a record: at all of the first, then ever more seldom.

    It depends on the moment alone, so that a run that goes on diagnoses where an uninterrupted one does.

    Args:
        images_seen: Of the record.
        last: Of the record before.
        every: Images between two records.

    Returns:
        Whether the record's number, cut to its leading binary digits, has grown.
    """
    number, before = images_seen // every, last // every
    stride = 1 << max(0, number.bit_length() - DIGITS)
    return number // stride > before // stride


def _chosen(group: Sequence[Record]) -> Record:
    return max(group, key=lambda record: DEAR in record.signals)


def event_of(finding: Finding) -> dict[str, Any]:
    """Write a finding as events.jsonl holds it."""
    return {
        "kind": finding.kind,
        "where": finding.where,
        "severity": finding.severity,
        "title": finding.title,
        "since": int(finding.since),  # rules reckon with numpy, whose numbers are no JSON
        "options": finding.remedy.options(),
    }


def told(events: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Say which findings stand in a list of events, by name.

    Args:
        events: Lines of events.jsonl.

    Returns:
        The newest event of each finding that has not gone away.
    """
    standing: dict[str, dict[str, Any]] = {}
    for event in events:
        if event["event"] == "intervention":  # the run went back to where nothing was found
            standing = {}
        elif event["event"] in ("finding", "recovered"):
            details = {name: event[name] for name in event if name not in ("event", "time")}
            name = "/".join(filter(None, (details["kind"], details["where"])))
            standing.pop(name, None)
            if event["event"] == "finding":
                standing[name] = details
    return standing
