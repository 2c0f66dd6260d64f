"""What was changed in a run after it was begun: part of the state of its folder.

`interventions.json` is written first, and whole. What follows from it is then carried out, and is carried out
again by whoever finds it unfinished, since each step may be repeated: a kill at any point loses nothing.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from facesmith import checkpoint
from facesmith.base import records
from facesmith.base.errors import StorageError, UsageError, is_full
from facesmith.base.registry import flat, from_dict, to_dict
from facesmith.base.schedules import schedule
from facesmith.health.finding import Change
from facesmith.recipe import Recipe
from facesmith.training.folder import INTERVENTIONS, RunFolder

log = logging.getLogger(__name__)
VERSION = 1
ABANDONED = "abandoned"
"""Folder of what was dropped, by the number of the intervention."""


@dataclass(frozen=True)
class Changed:
    """A setting, and how it was and is written."""

    option: str
    """Dotted, with underscores."""
    old: str
    new: str

    def __str__(self) -> str:
        """Write it as it is typed, and what it was."""
        return f"{Change(self.option, self.new)} (was {self.old or 'not there'})"

    @property
    def direction(self) -> tuple[str, str]:
        """The option, and whether it goes up, down, or to which other word."""
        old, new = _level(self.old), _level(self.new)
        if old is None or new is None:
            return self.option, self.new
        return self.option, "up" if new > old else "down"


@dataclass(frozen=True)
class Intervention:
    """One return to an earlier moment of a run, from where it went on with another recipe."""

    number: int
    """From 1."""
    images_seen: int
    """When."""
    back_to: int
    """Images seen at the checkpoint that training went on from; 0 is the beginning."""
    seconds: float
    """Spent in training until then: what was given up has taken time."""
    kind: str
    where: str
    title: str
    since: int
    """Of the finding."""
    changes: tuple[Changed, ...]
    recipe: dict[str, Any]
    """In force from then on."""
    settled: bool = False
    """Whether all that follows from it was carried out."""


@dataclass(frozen=True)
class Treatment:
    """All interventions of a run."""

    begun: dict[str, Any] = field(default_factory=dict)
    """The recipe that the run was begun with."""
    made: tuple[Intervention, ...] = ()

    @property
    def seconds(self) -> float:
        """Spent in training until the last intervention."""
        return self.made[-1].seconds if self.made else 0.0

    def in_force(self, recipe: Recipe, folder: Path) -> Recipe:
        """Give the recipe that a run goes on with.

        Args:
            recipe: Asked for; that which the run was begun with, or the one in force.
            folder: The run folder, for messages.

        Returns:
            The recipe.

        Raises:
            UsageError: Another one was asked for.
        """
        if not self.made:
            return recipe
        # Read and written again, a recipe of an older version has the defaults of what it did not know.
        now: Recipe = from_dict(self.made[-1].recipe)
        if recipe != now:
            begun = flat(to_dict(from_dict(self.begun)))
            refuse_other_settings(begun, flat(to_dict(recipe)), folder)
        return now

    def changes(self) -> list[Changed]:
        """Sum up what is in force beside what the run was begun with."""
        found: dict[str, Changed] = {}
        for change in (change for made in self.made for change in made.changes):
            old = found[change.option].old if change.option in found else change.old
            found[change.option] = Changed(change.option, old, change.new)
        return list(found.values())

    def after(self, recipe: Recipe, intervention: Intervention) -> Treatment:
        """Add an intervention.

        Args:
            recipe: In force until now.
            intervention: What to do next.
        """
        return Treatment(self.begun or to_dict(recipe), (*self.made, intervention))

    def write(self, folder: Path) -> None:
        """Write it into a run folder, whole or not at all."""
        tree = {"facesmith_interventions": VERSION, **asdict(self)}
        checkpoint.write_json(folder / INTERVENTIONS, tree)


def read(folder: Path) -> Treatment:
    """Read the interventions of a run.

    Args:
        folder: The run folder.

    Returns:
        They; none where nothing was changed.

    Raises:
        StorageError: The file cannot be understood.
    """
    path = folder / INTERVENTIONS
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        made = [
            Intervention(**{**entry, "changes": tuple(Changed(**c) for c in entry["changes"])})
            for entry in tree["made"]
        ]
        return Treatment(tree["begun"], tuple(made))
    except FileNotFoundError:
        return Treatment()
    except (OSError, *checkpoint.MALFORMED) as error:
        raise StorageError(
            f"{path} cannot be understood ({type(error).__name__}: {error}).",
            needed="the file as the autopilot wrote it: it holds the recipe that the run goes on with",
            todo="restore it from a copy, or begin anew with another --run DIR",
        ) from error


def settle(folder: RunFolder) -> Treatment:
    """Carry out what of the last intervention is not done yet, and say what is in force.

    Args:
        folder: The run folder, held by the caller.

    Returns:
        All interventions of the run.

    Raises:
        StorageError: The disk is full or refuses.
    """
    treatment = read(folder.path)
    if treatment.made:
        changed = ", ".join(map(str, treatment.changes()))
        log.info("as changed in %d interventions: %s", len(treatment.made), changed)
    if not treatment.made or treatment.made[-1].settled:
        return treatment
    last = treatment.made[-1]
    try:
        _set_aside(folder, last)
        _go_back(folder, last)
    except OSError as error:
        raise StorageError(
            f"{folder.path} could not be brought back to {last.back_to:,} images: {error}.",
            needed="free space" if is_full(error) else "a folder that this user may write",
            todo="make room, and run the same command again",
        ) from error
    _tell(folder, last)
    settled = replace(treatment, made=(*treatment.made[:-1], replace(last, settled=True)))
    settled.write(folder.path)
    return settled


def refuse_other_settings(old: dict[str, Any], new: dict[str, Any], folder: Path) -> None:
    """Refuse to go on with other settings than a run was begun with.

    Args:
        old: Settings by dotted name.
        new: Those that are asked for.
        folder: The run folder.

    Raises:
        UsageError: They differ; the message says where.
    """
    changed = [
        f"{key} {old.get(key)} -> {new.get(key)}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    if changed:
        shown = "; ".join(changed[:6]) + ("; ..." if len(changed) > 6 else "")
        raise UsageError(
            f"The run in {folder} was begun with other settings: {shown}.",
            needed="the same settings, or a folder of its own",
            todo="repeat the first command, or add --run ANOTHER-DIR",
        )


def _level(text: str) -> float | None:
    """Give the number that a setting begins with, None where it is no number."""
    try:
        return schedule(text)(0)
    except UsageError:
        return None


def _set_aside(folder: RunFolder, last: Intervention) -> None:
    """Keep the records and samples that are given up."""
    kept = folder.path / ABANDONED / str(last.number)
    (kept / folder.samples.name).mkdir(parents=True, exist_ok=True)
    target = kept / folder.metrics.name
    # Written whole: where it is, an earlier try has come so far, and may have cut the records back.
    if folder.metrics.exists() and not target.exists():
        given_up = (r for r in records.read(folder.metrics) if r.images_seen > last.back_to)
        records.write(target, given_up)
    for sheet in folder.samples.glob("fakes-*.png"):
        moment = sheet.stem.removeprefix("fakes-")
        # A new beginning may have other networks: its first sheet is another, too.
        if moment.isdigit() and (int(moment) > last.back_to or last.back_to == 0):
            sheet.replace(kept / folder.samples.name / sheet.name)


def _go_back(folder: RunFolder, last: Intervention) -> None:
    """Remove what would be gone on from."""
    for saved in reversed(checkpoint.complete(folder.checkpoints)):
        if int(saved.name) > last.back_to:
            checkpoint.remove(saved)
    records.forget_after(folder.metrics, last.back_to)


def _tell(folder: RunFolder, last: Intervention) -> None:
    known = {e.get("number") for e in folder.events() if e["event"] == "intervention"}
    if last.number not in known:
        told = {k: v for k, v in asdict(last).items() if k not in ("recipe", "settled")}
        folder.log_event("intervention", **told)
