"""Visits of the doctor beside a training: what was found when, what is new, and what it all looks back on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from facesmith.base.records import Record
from facesmith.health.finding import SEVERITIES, Finding

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
        when = f", since {worst.since:,}" if worst.since else ""  # from the start needs no word
        since = f"health: {worst.severity}, {title}{when}"
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


def alarm(finding: Finding) -> str:
    """Say aloud what spoils a run, and what to do."""
    todo = finding.remedy.options() or finding.remedy.advice
    since = f"since {finding.since:,} images" if finding.since else "from the start"
    return f"ill {since}: {finding.title}\n  to do:  {todo}"


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


def news(standing: dict[str, dict[str, Any]], now: Visit) -> Iterator[tuple[str, dict[str, Any]]]:
    """Say what a visit has found that was not known before.

    Args:
        standing: Events of the findings that stand, by name; brought up to date.
        now: The visit.

    Yields:
        `finding` with the event of one that has appeared or changed its severity, `recovered` with that of
        one that has gone away.
    """
    found = {finding.name: finding for finding in now.findings if finding.severity != "well"}
    for name, finding in found.items():
        if standing.get(name, {}).get("severity") != finding.severity:
            standing[name] = {**event_of(finding), "images_seen": now.images_seen}
            yield "finding", standing[name]
    for name, event in list(standing.items()):
        # What a run that was killed found later than where it goes on from has still its time to come.
        if name not in found and event["images_seen"] <= now.images_seen:
            del standing[name]
            yield "recovered", {**event, "images_seen": now.images_seen}


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


def _chosen(group: Sequence[Record]) -> Record:
    return max(group, key=lambda record: DEAR in record.signals)
