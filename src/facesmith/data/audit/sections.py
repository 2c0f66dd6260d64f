"""The sections of the page: what each means in a sentence or two, and its figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from facesmith.data.audit import labels, skin
from facesmith.data.audit.advice import beside as other_folder
from facesmith.data.audit.charts import Bar, bars, histogram, of_shares, text
from facesmith.data.audit.contents import Audit, Column, Pair, Shares

TONE_COLOURS = ("#f0c2ad", "#ca9f8a", "#b58b77", "#a67d69", "#8e6754", "#613e2c")
"""In the middle of each class of the typology angle, at the b* of 17 and the a* of 13 that skin often has."""
AXES = {
    "brightness": "brightness, black to white",
    "contrast": "contrast",
    "detail": "detail: below 0.45 blur is visible",
    "colour": "colour, grey to vivid",
    "clipped": "share of pixels entirely black or white",
}
COMMON = 0.01
"""Share of one person above which people are shown one by one."""
GROUP = "groups"
SHEETS = "sheets"

Draw = Callable[[Audit, Audit | None], str]


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    name: str
    title: str
    meaning: str
    """HTML."""
    draw: Draw
    """Gives its figures; empty where there is nothing to say."""
    pictures: dict[str, str] = field(default_factory=dict)
    """Sheets of the audit, and how they are laid out."""


def _pixels(audit: Audit, beside: Audit | None) -> str:
    """Counts, statistics, ranges."""
    parts = []
    if audit.counts is not None and audit.counts.rejected:
        counts = audit.counts
        reasons = sorted(counts.rejected.items(), key=lambda item: -item[1])
        fates = Shares(
            ("train", "held out", *(f"rejected: {reason}" for reason, _ in reasons)),
            (counts.train, counts.held_out, *(number for _, number in reasons)),
        )
        parts.append(
            f"<div class=charts>{bars('what became of the photos', of_shares(fates))}</div>"
        )
    names = ("red", "green", "blue") if audit.pixels.channels == 3 else ("grey",)
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = [
        ("mean, of 1", [f"{value:.4f}" for value in audit.pixels.mean]),
        ("standard deviation", [f"{value:.4f}" for value in audit.pixels.std]),
    ]
    rows += [
        (f"range with --scaling {name}", [f"{low:.3f} to {high:.3f}" for low, high in ranges])
        for name, ranges in audit.pixels.ranges.items()
    ]
    body = "".join(
        f"<tr><th>{name}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        for name, cells in rows
    )
    parts.append(f"<table><tr><th></th>{head}</tr>{body}</table>")
    way = "gave every pixel back" if audit.pixels.exact else "changed some pixels"
    parts.append(
        "<p>Mean and standard deviation are those that --scaling standardize uses. The pictures at random "
        f"went through both scalings and back, which {way}.</p>"
    )
    return "".join(parts)


def _state(audit: Audit, beside: Audit | None) -> str:
    drawn = [
        histogram(AXES[name], spread, beside.state.spreads[name] if beside is not None else None)
        for name, spread in audit.state.spreads.items()
    ]
    drawn.append(bars("flaws that can be seen", _flaws(audit, beside)))
    return f"<div class=charts>{''.join(drawn)}</div>"


def _flaws(audit: Audit, beside: Audit | None) -> list[Bar]:
    return [
        Bar(
            name,
            number / audit.pixels.measured,
            number,
            None if beside is None else beside.state.flaws[name] / beside.pixels.measured,
        )
        for name, number in audit.state.flaws.items()
    ]


def _copies(audit: Audit, beside: Audit | None) -> str:
    found = audit.copies
    said = (
        f"{found.surplus:,} of {found.compared:,} images look like another one"
        f"{f', in {found.groups:,} groups, the largest of {found.largest:,}' if found.groups else ''}."
    )
    if found.held_out:
        said += (
            f" {found.leaked:,} of {found.held_out:,} held-out images look like a training image"
            f"{', shown as pairs' if found.leaked else ''}."
        )
    if beside is not None:
        said += (
            f" Of {beside.copies.compared:,} images from {text(beside.title)}, "
            f"{beside.copies.surplus:,} look like another one."
        )
    return f"<p>{said}</p>"


def _outliers(audit: Audit, beside: Audit | None) -> str:
    farthest = audit.outliers[0].distance if audit.outliers else 1.0
    return f"<p>The farthest lies {farthest:.1f} times as far from its neighbours as usual.</p>"


def _skin(audit: Audit, beside: Audit | None) -> str:
    if audit.pixels.channels == 1:
        return "<p>Not measured: the images are grey.</p>"
    other = beside.skin if beside is not None and beside.pixels.channels == 3 else None
    measured = audit.skin.tones.count
    tones, monk, angle = (other.tones, other.monk, other.angle) if other else (None, None, None)
    drawn = (
        bars(
            "tone by typology angle",
            of_shares(audit.skin.tones, tones, TONE_COLOURS),
        ),
        bars(
            "nearest tone of the Monk scale",
            of_shares(audit.skin.monk, monk, [f"#{code}" for code in skin.MONK]),
        ),
        histogram("typology angle", audit.skin.angle, angle, "°"),
    )
    return (
        f"<p>Measured on {measured:,} of {audit.pixels.measured:,} images; the others show too little skin "
        f"in the middle.</p><div class=charts>{''.join(drawn)}</div>"
    )


def _pose(audit: Audit, beside: Audit | None) -> str:
    if audit.pose is None:
        if not audit.folder:
            return ""
        return (
            "<p>Not measured. A detector measures it while photos are prepared:</p>"
            f"<code>facesmith prepare PHOTOS --out {text(other_folder(audit, 'faces'))} --crop face</code>"
        )
    drawn = (
        bars("heads", of_shares(audit.pose.turned), audit.pose.turned.missing),
        histogram("yaw: turned left or right", audit.pose.yaw, None, "°"),
        histogram("roll: tilted, before the crop turned them", audit.pose.roll, None, "°"),
    )
    return f"<div class=charts>{''.join(drawn)}</div>"


def _background(audit: Audit, beside: Audit | None) -> str:
    found = audit.background
    other = beside.background.kinds if beside is not None else None
    said = ""
    if found.alike:
        said = (
            f"<p>The commonest plain colour is about <span class='key toned' style='background:"
            f"{text(found.colour)}'></span> {text(found.colour)}: {found.alike:,} of "
            f"{audit.pixels.measured:,} images.</p>"
        )
    return f"<div class=charts>{bars('background', of_shares(found.kinds, other))}</div>{said}"


def _labels(audit: Audit, beside: Audit | None) -> str:
    if not audit.labels:
        return "<p>There are none: nothing but pictures is known.</p>" if audit.folder else ""
    binary = [column for column in audit.labels if column.kind == labels.BINARY]
    parts = []
    if binary:
        parts.append(_yes_or_no(binary))
    drawn = [_column(column) for column in audit.labels if column.kind != labels.BINARY]
    parts.append(f"<div class=charts>{''.join(drawn)}</div>")
    if audit.pairs:
        tables = "".join(_pair(pair) for pair in audit.pairs)
        parts.append(
            "<h3>Combinations that are rarer than chance would have them</h3>"
            f"<div class=charts>{tables}</div>"
        )
    return "".join(parts)


def _yes_or_no(columns: list[Column]) -> str:
    lines = [
        Bar(column.name, column.shares.share("yes"), column.shares.number("yes"))
        for column in columns
    ]
    total = max(column.shares.count for column in columns)
    drawn = bars(f"yes, of {total:,} images", sorted(lines, key=lambda line: -line.share), full=1.0)
    return f"<div class=wide>{drawn}</div>"


def _column(column: Column) -> str:
    many = f", {column.values:,} values" if column.kind == "classes" else ""
    if column.kind == "identities" and column.spread is not None:
        drawn = histogram(f"{column.name}: images of each of {column.values:,}", column.spread)
        named = [n for n in column.shares.names if n != labels.OTHERS]
        if max(column.shares.share(name) for name in named) < COMMON:
            return drawn
        return drawn + bars(f"{column.name}: most images", of_shares(column.shares))
    if column.spread is not None:
        return histogram(column.name, column.spread)
    return bars(f"{column.name}{many}", of_shares(column.shares), column.shares.missing)


def _pair(pair: Pair) -> str:
    answers = ("no", "yes")
    body = ""
    for row, first in enumerate(answers):
        cells = ""
        for column, second in enumerate(answers):
            kind = " class=rare" if (first, second) == pair.rarest else ""
            cells += f"<td{kind}>{pair.table[row][column]:,}</td>"
        body += f"<tr><th>{first}</th>{cells}</tr>"
    return (
        f"<figure class=chart><figcaption>{text(pair.first)} (down) and {text(pair.second)} (across)"
        f"</figcaption><table><tr><th></th><th>no</th><th>yes</th></tr>{body}</table>"
        f"<p class='soft small'>{pair.images:,} images where {pair.expected:,.0f} would be if the two had "
        "nothing to do with each other.</p></figure>"
    )


SECTIONS = (
    Section(
        "pixels",
        "What the networks see",
        "The generator learns from these numbers and from nothing else: a face that is cut off here is cut "
        "off in everything it makes.",
        _pixels,
        {"pixels": SHEETS},
    ),
    Section(
        "state",
        "The state of the pictures",
        "What is dark, flat or blurred in the data will be so in what is generated, about as often.",
        _state,
        {"state": SHEETS},
    ),
    Section(
        "copies",
        "Copies",
        "Faces that are there more than once are learned by heart; held-out images that are also training "
        "images make every test too kind.",
        _copies,
        {"copies": GROUP, "leaked": GROUP},
    ),
    Section(
        "outliers",
        "Unlike all others",
        "These may be no faces, badly cropped, or just unusual; look whether they belong, since a generator "
        "tries to make some of them.",
        _outliers,
        {"outliers": GROUP},
    ),
    Section(
        "skin",
        "Skin tones",
        "How skin appears in the middle of the pictures. Light, flash and white balance are part of it, so a "
        "single picture says little about a person, and counts are no census; but a tone that is rare here "
        "will be rare in what is generated.",
        _skin,
        {"skin": SHEETS},
    ),
    Section(
        "pose",
        "Where the heads are turned",
        "A generator makes the poses it saw; faces from the side need photos from the side.",
        _pose,
        {"pose": SHEETS},
    ),
    Section(
        "background",
        "Backgrounds",
        "Judged by the border above the shoulders, which in tight crops is partly hair. A generator learns "
        "what surrounds a face together with the face.",
        _background,
        {"background": SHEETS},
    ),
    Section(
        "labels",
        "Labels",
        "Who is in the data as far as labels say. What is rare here comes out rare, and worse.",
        _labels,
    ),
)
"""In the order of the page."""
