"""The verdict, and a card for each finding: since when, what shows it, why, and what to type."""

from __future__ import annotations

import math

from facesmith.applications.report import command
from facesmith.applications.report.attempt import Attempt
from facesmith.applications.report.charts import TITLES, title
from facesmith.applications.report.plots import Line, Mark, Plot
from facesmith.applications.report.scales import finite, images, linear, percent
from facesmith.data.audit.charts import text
from facesmith.health.finding import Evidence, Finding

WORDS = {"ill": "ill", "warning": "needs attention", "note": "fine, with a note", "well": "healthy"}
BADGES = {**WORDS, "note": "note"}
EARLY = 10
"""Records below which silence means little."""


def verdict(attempt: Attempt) -> str:
    """Say in a sentence how the run is, and what to type next."""
    worst = attempt.worst
    word, kind = verdict_words(attempt)
    if not attempt.course.records:
        said = "There are no records in this folder."
    else:
        said = worst.title if worst is not None else "Nothing stands out."
    others = len([f for f in attempt.findings if f.severity != "well"]) - (worst is not None)
    more = f"<p class=soft>{_more(others)}</p>" if worst is not None and others > 0 else ""
    advice = f"<p>{text(worst.remedy.advice)}</p>" if worst is not None else ""
    return (
        f'<section class="verdict {kind}"><span class=word>{text(word)}</span><h2>{text(said)}</h2>'
        f"{advice}{more}<p class='soft small'>next</p>{command.shown(command.next_command(attempt))}"
        "</section>"
    )


def verdict_words(attempt: Attempt) -> tuple[str, str]:
    """Say in a word or two how a run is.

    Args:
        attempt: The run.

    Returns:
        The words, and the class that gives them their colour.
    """
    if not attempt.course.records:
        return "nothing measured yet", "note"
    if attempt.severity is None:
        early = len(attempt.course.records) < EARLY
        return "too early to say" if early else "nothing found", "note"
    return WORDS[attempt.severity], attempt.severity


def cards(attempt: Attempt) -> str:
    """Show all findings."""
    return "".join(
        _card(attempt, finding, place) for place, finding in enumerate(attempt.findings, start=1)
    )


def marks(attempt: Attempt) -> dict[str, list[Mark]]:
    """Give the moments of a run by the signals that they are about.

    Args:
        attempt: The run.

    Returns:
        A mark for each finding, and at "" those that belong on every chart: changes that were made while the
        run went on.
    """
    found: dict[str, list[Mark]] = {"": []}
    for place, finding in enumerate(attempt.findings, start=1):
        if finding.severity == "well":
            continue
        mark = _mark(finding, place)
        # A finding without a curve of ours is shown where everybody looks first.
        names = {proof.curve for proof in finding.evidence} & TITLES.keys() or {"generator_loss"}
        for name in names:
            found.setdefault(name, []).append(mark)
    for event in attempt.events:
        at = event.get("images_seen", event.get("at"))
        if event.get("event") == "intervention" and isinstance(at, int | float):
            title = f"changed at {images(at)} images"
            found[""].append(Mark(int(at), "C", title, "change", "history"))
    return found


def _card(attempt: Attempt, finding: Finding, place: int) -> str:
    where = {"generator": "G", "discriminator": "D", "": ""}[finding.where]
    planned = attempt.facts.planned
    since = f"since {images(finding.since)} images" if finding.since > 0 else "from the start"
    if planned and finding.since > 0:
        since += f", {percent(finding.since / planned)} of the plan"
    when = f" <span class=soft>{since}</span>" if finding.severity != "well" else ""
    proofs = "".join(f"<li>{text(proof.text)}</li>" for proof in finding.evidence)
    drawn = "".join(_proof(attempt, finding, place, proof) for proof in _distinct(finding))
    words = BADGES[finding.severity] + (f", {where}" if where else "")
    remedy = (
        f"<p><b>What to do:</b> {text(finding.remedy.advice)}</p>" if finding.remedy.advice else ""
    )
    if finding.remedy.changes:
        remedy += command.shown(finding.remedy.options())
        if attempt.facts.has_recipe:
            again = command.train(attempt, finding.remedy.changes, command.fresh(attempt.folder))
            remedy += (
                f"<details><summary>the whole command</summary>{command.shown(again)}</details>"
            )
    return (
        f'<article id="finding-{place}" class="finding {finding.severity}"><div class=words>'
        f"<span class=number>{place}</span><span class=badge>{text(words)}</span>{when}"
        f"<h3>{text(finding.title)}</h3>{f'<ul>{proofs}</ul>' if proofs else ''}"
        f"<p>{text(finding.explanation)}</p>{remedy}</div><div>{drawn}</div></article>"
    )


def _proof(attempt: Attempt, finding: Finding, place: int, proof: Evidence) -> str:
    course = attempt.course
    values = course.curve(proof.curve)
    if not len(finite([values])):
        return ""
    bounds = [] if proof.bound is None or not math.isfinite(proof.bound) else [(proof.bound, "")]
    plain = finding.severity == "well"
    return Plot(
        title(proof.curve),
        linear([values], [value for value, _ in bounds]),
        course.images[-1],
        [Line("", course.images, values, "ink")],
        marks=[] if plain else [_mark(finding, place)],
        bounds=bounds,
        size="small",
    ).html()


def _distinct(finding: Finding) -> list[Evidence]:
    by_curve: dict[str, Evidence] = {}
    for proof in finding.evidence:
        if proof.curve and (proof.curve not in by_curve or by_curve[proof.curve].bound is None):
            by_curve[proof.curve] = proof
    return list(by_curve.values())


def _mark(finding: Finding, place: int) -> Mark:
    return Mark(
        max(finding.since, 0), str(place), finding.title, finding.severity, f"finding-{place}"
    )


def _more(others: int) -> str:
    return "There is one more finding." if others == 1 else f"There are {others} more findings."
