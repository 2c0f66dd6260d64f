"""An audit as one HTML page: nothing else is needed to read it, and nothing in it runs."""

from __future__ import annotations

import re

from facesmith.base.version import VERSION
from facesmith.data.audit.advice import Finding
from facesmith.data.audit.charts import sheets, text
from facesmith.data.audit.contents import Audit
from facesmith.data.audit.drift import drift
from facesmith.data.audit.findings import findings
from facesmith.data.audit.sections import SECTIONS, Section
from facesmith.data.audit.style import CSS

LINK = re.compile(r"\[([^\]]+)\]\((https://[^)\s]+)\)")


def page(audit: Audit, beside: Audit | None = None) -> str:
    """Write an audit for people.

    Args:
        audit: Of a dataset, or of images.
        beside: Of a model's images, to be compared with it.

    Returns:
        HTML, whole and by itself.
    """
    title = f"Audit of {audit.title}"
    drawn = [(section, section.draw(audit, beside)) for section in SECTIONS]
    links = "".join(
        f'<a href="#{section.name}">{text(section.title)}</a>'
        for section, inside in drawn
        if inside
    )
    body = [
        f"<h1>{text(title)}</h1>",
        f"<p class=soft>{_subtitle(audit, beside)}</p>",
        _tiles(audit),
        f"<nav>{_jumps(beside)}{links}</nav>",
    ]
    if beside is not None:
        body.append(
            _findings(
                "changed",
                "What the model changed",
                drift(audit, beside),
                "Nothing has changed by more than chance.",
            )
        )
    body.append(_findings("know", "What to know", findings(audit), "Nothing stands out."))
    body += [_section(section, inside, audit, beside) for section, inside in drawn if inside]
    body.append(
        f"<p class='foot soft small'>Made by facesmith {VERSION}. This page holds pictures of the "
        "dataset: pass it on as you would pass on the photos.</p>"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{CSS}</style></head><body>{''.join(body)}</body></html>\n"
    )


def _subtitle(audit: Audit, beside: Audit | None) -> str:
    side = audit.pixels.resolution
    kind = "colour" if audit.pixels.channels == 3 else "grey"
    said = f"{audit.pixels.of:,} training images of {side} x {side} pixels, {kind}."
    if audit.counts is None:
        said = said.replace("training images", "images")
    if audit.pixels.measured < audit.pixels.of:
        said += (
            f" What is measured in pictures was measured on {audit.pixels.measured:,} of them, spread "
            "evenly; labels and copies were counted on all."
        )
    if beside is not None:
        said += (
            f" <span class=key></span> the data, <span class='key made'></span> "
            f"{beside.pixels.of:,} images from {text(beside.title)}."
        )
    return said


def _tiles(audit: Audit) -> str:
    tiles = []
    if (counts := audit.counts) is not None:
        rejected = sum(counts.rejected.values())
        tiles += [
            ("photos found", counts.found),
            *([("more faces in them", counts.extra)] if counts.extra else []),
            ("train", counts.train),
            ("held out", counts.held_out),
            ("rejected", rejected),
        ]
    tiles += [("copies of others", audit.copies.surplus), ("labels", len(audit.labels))]
    cells = (
        f"<div class=tile><b>{number:,}</b><span>{name}</span></div>" for name, number in tiles
    )
    return f"<div class=tiles>{''.join(cells)}</div>"


def _jumps(beside: Audit | None) -> str:
    changed = '<a href="#changed">What the model changed</a>' if beside is not None else ""
    return f'{changed}<a href="#know">What to know</a>'


def _findings(name: str, title: str, found: list[Finding], nothing: str) -> str:
    cards = "".join(_card(finding) for finding in found) or f"<p>{nothing}</p>"
    return f'<h2 id="{name}">{title}</h2>{cards}'


def _card(finding: Finding) -> str:
    command = f"<code>{text(finding.command)}</code>" if finding.command else ""
    effect = LINK.sub(r'<a href="\2">\1</a>', text(finding.effect))
    return (
        f"<div class='finding {finding.severity}'><span class=badge>{finding.severity}</span>"
        f"<h3>{text(finding.title)}</h3><p>{text(finding.evidence)} {effect}</p>"
        f"<p><b>What helps:</b> {text(finding.advice)}</p>{command}</div>"
    )


def _section(section: Section, inside: str, audit: Audit, beside: Audit | None) -> str:
    shown = "".join(
        sheets(audit.sheets.get(name, ()), layout) for name, layout in section.pictures.items()
    )
    if beside is not None:
        made = "".join(
            sheets(beside.sheets.get(name, ()), layout) for name, layout in section.pictures.items()
        )
        shown += f"<h3>The same from {text(beside.title)}</h3>{made}" if "<img" in made else ""
    return (
        f'<h2 id="{section.name}">{text(section.title)}</h2><p>{section.meaning}</p>{inside}{shown}'
    )
