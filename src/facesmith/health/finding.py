"""A finding: what is wrong with a run, since when, what shows it, why it happens, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["ill", "warning", "note", "well"]
SEVERITIES: tuple[Severity, ...] = ("ill", "warning", "note", "well")
Player = Literal["generator", "discriminator", ""]


@dataclass(frozen=True)
class Evidence:
    """One number that speaks for a finding."""

    text: str
    """Such as `D tells real from fake in 99.8 % of all pairs`."""
    curve: str = ""
    """Name of the signal that shows it through time; empty where no curve does."""
    value: float | None = None
    """The number itself."""
    bound: float | None = None
    """Where healthy runs end; drawn as a line through the curve."""


@dataclass(frozen=True)
class Change:
    """One option of the recipe and its new value, as the command line reads them."""

    option: str
    """Dotted, with underscores: `optimizers.discriminator.learning_rate`."""
    value: str

    def __str__(self) -> str:
        """Write it as it is typed."""
        value = f'"{self.value}"' if " " in self.value or "(" in self.value else self.value
        return f"--{self.option.replace('_', '-')} {value}"


@dataclass(frozen=True)
class Remedy:
    """What to do about a finding."""

    advice: str
    """In words; what is to be done outside the recipe is here too."""
    changes: tuple[Change, ...] = ()
    """Of the recipe; empty where none mends it."""
    trusted: bool = False
    """Whether the autopilot may make the changes by itself."""

    def options(self) -> str:
        """Write the changes as they are typed."""
        return " ".join(map(str, self.changes))


@dataclass(frozen=True)
class Finding:
    """A diagnosis."""

    kind: str
    """A few words by which findings are told apart; each has a section in docs/doctor.md."""
    severity: Severity
    title: str
    """One sentence, numbers included where they say it shortest."""
    since: int
    """Images seen when it began, as far as the records tell."""
    explanation: str
    """Why it happens, for a newcomer."""
    remedy: Remedy
    where: Player = ""
    """The network that it is about; empty for both or neither."""
    evidence: tuple[Evidence, ...] = field(default=())

    @property
    def name(self) -> str:
        """Kind and player in one word: `learning-rate-too-high/generator`."""
        return f"{self.kind}/{self.where}" if self.where else self.kind
