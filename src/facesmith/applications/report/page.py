"""A run as one HTML page that needs nothing else: verdict first, then what shows it."""

from __future__ import annotations

import math
from pathlib import Path

from facesmith.applications.report import cards, charts, curves, player, scales, tables
from facesmith.applications.report.attempt import Attempt
from facesmith.applications.report.command import next_command, shown
from facesmith.applications.report.heat import heat_maps
from facesmith.applications.report.history import history
from facesmith.applications.report.script import SCRIPT
from facesmith.applications.report.statistics import statistics
from facesmith.applications.report.style import CSS
from facesmith.base.registry import flat
from facesmith.base.version import VERSION
from facesmith.data.audit.charts import text
from facesmith.data.packing.files import explained, write_whole

PAGE = "report.html"
HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
)


def write(folder: Path) -> Path:
    """Write the report of a run into its folder.

    Args:
        folder: Of a run, finished or not; it may hold no more than a metrics.jsonl. Or a metrics file of
            another program.

    Returns:
        The page, report.html; NAME-report.html beside a file.

    Raises:
        DataError: The folder tells of no run, or its run.json cannot be understood.
        StorageError: The folder cannot be written.
    """
    return publish(Attempt.read(folder))


def publish(attempt: Attempt) -> Path:
    """Write the report of what was read.

    Args:
        attempt: The run.

    Returns:
        The page, report.html; NAME-report.html beside a file.

    Raises:
        StorageError: The folder cannot be written.
    """
    path = attempt.folder / PAGE
    if attempt.folder.is_file():
        path = attempt.folder.with_name(f"{attempt.folder.stem}-{PAGE}")
    made = page(attempt)
    with explained(attempt.folder, "copy the run to where you may write, or free some space"):
        write_whole(path, made)
    return path


def page(attempt: Attempt) -> str:
    """Write a run for people.

    Args:
        attempt: The run.

    Returns:
        HTML, whole and by itself.
    """
    marks = cards.marks(attempt)
    course = attempt.course
    plots = {
        "The game": [curves.plot(chart, course, marks) for chart in charts.GAME],
        "The pictures": [curves.plot(chart, course, marks) for chart in charts.PICTURES],
        "The steps": [
            *(curves.plot(chart, course, marks) for chart in charts.STEPS),
            curves.penalties(course, marks),
        ],
        "The machine": [
            *(curves.plot(chart, course, marks) for chart in charts.MACHINE),
            curves.time_shares(course),
        ],
    }
    sections = [
        ("findings", "Findings", "", cards.cards(attempt)),
        (
            "samples",
            "Samples through time",
            "Play, or step with the arrow keys: the moment is shown in all curves below.",
            player.player(attempt),
        ),
        (
            "curves",
            "Curves",
            "Over images seen; numbers mark where a finding began. Point at a curve to read it.",
            _plots(plots),
        ),
        (
            "layers",
            "Layer by layer",
            "Each row is a layer, time runs to the right. A dark row learns nothing; colours that fade from "
            "row to row are a gradient that vanishes; a bright one is about to explode. Layers whose "
            "weights hardly count, such as those of batch norm, lie below their neighbours.",
            heat_maps(course),
        ),
        (
            "logits",
            "What D says",
            "Its outputs for training images, unseen ones and samples. Bands that part for good leave the "
            "generator nothing to learn from; bands that lie on each other teach it nothing.",
            curves.logits(course, marks),
        ),
        (
            "statistics",
            "Data against samples",
            "What the generator should match before any face is judged, measured on its own, not averaged, "
            "weights.",
            statistics(attempt),
        ),
        ("history", "What happened", "", history(attempt)),
        ("recipe", "The recipe", "", tables.recipe(attempt)),
        ("environment", "The environment", "", tables.table(flat(attempt.environment))),
    ]
    filled = [section for section in sections if section[3]]
    links = "".join(f'<a href="#{name}">{title}</a>' for name, title, _, _ in filled)
    body = "".join(
        f'<h2 id="{name}">{title}</h2>{f"<p class=soft>{said}</p>" if said else ""}{inside}'
        for name, title, said, inside in filled
    )
    return (
        f"{HEAD}<title>{text(attempt.name)}: report</title><style>{CSS}</style></head><body>"
        f"<h1>{text(attempt.name)}</h1><p class=soft>{text(_subtitle(attempt))}</p>"
        f"{cards.verdict(attempt)}{tiles(attempt)}<nav>{links}</nav>{body}"
        f'<h2 id="next">Next</h2>{shown(next_command(attempt))}'
        f"<p class='foot soft small'>Made by facesmith {VERSION}. Pictures of samples were generated by a "
        "neural network and show no person; those of training images are copies of your data: pass the page "
        f"on as you would pass on the photos.</p><script>{SCRIPT}</script></body></html>\n"
    )


def tiles(attempt: Attempt) -> str:
    """Show the key figures of a run."""
    course, planned = attempt.course, attempt.facts.planned
    if not course.records:
        return ""
    of = f" of {scales.images(planned)}" if planned else ""
    found = [
        (scales.images(attempt.images_seen), f"images seen{of}"),
        (scales.duration(attempt.seconds), "of training"),
        (scales.number(course.now("images_per_second")), "images a second"),
    ]
    now, floor = course.now("distance", 1), course.now("distance.floor", 1)
    if math.isfinite(now):
        against = f"; real against real {floor:.2f}" if math.isfinite(floor) else ""
        found.append((f"{now:.2f}", f"distance to real images{against}"))
    if course.knows("fakes.diversity"):
        found.append((scales.percent(course.now("fakes.diversity")), "of the data's diversity"))
    if course.knows("separation"):
        found.append((scales.percent(course.now("separation")), "of pairs that D judges right"))
    cells = "".join(
        f"<div class=tile><b>{text(value)}</b><span>{text(what)}</span></div>"
        for value, what in found
        if value != "not finite"
    )
    return f"<div class=tiles>{cells}</div>"


def _subtitle(attempt: Attempt) -> str:
    said = []
    if attempt.recipe_name:
        side = attempt.facts.recipe.get("resolution")
        said.append(f"recipe {attempt.recipe_name}" + (f", {side} px" if side else ""))
    count = attempt.facts.data.get("count")
    if isinstance(count, int):
        said.append(f"{count:,} training images")
    if attempt.ending:
        said.append(attempt.ending)
    elif attempt.is_short:
        said.append("not finished")
    return "; ".join(said) or "records of a training"


def _plots(groups: dict[str, list[str]]) -> str:
    return "".join(
        f"<h3>{title}</h3><div class=plots>{''.join(drawn)}</div>"
        for title, drawn in groups.items()
        if any(drawn)
    )
