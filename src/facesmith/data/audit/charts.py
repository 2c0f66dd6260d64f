"""Charts and sheets as HTML: bars, histograms, pictures. Whatever comes from files or labels is escaped."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from facesmith.base.images import encode_png
from facesmith.data.audit.contents import Picture, Shares, Sheet, Spread

HEIGHT = 100.0
"""Of a histogram in its own units; the page stretches it."""


def text(words: object) -> str:
    """Make any text harmless in HTML.

    Args:
        words: It may hold what a stranger wrote into a file's name.

    Returns:
        The text, escaped.
    """
    return html.escape(str(words))


def percent(share: float) -> str:
    """Write a share for a chart.

    Args:
        share: From 0 to 1.

    Returns:
        Such as "4.1 %".
    """
    return f"{100 * share:.1f} %"


@dataclass(frozen=True)
class Bar:
    """A line of a bar chart."""

    name: str
    share: float
    count: int
    other: float | None = None
    """Its share in what a model made."""
    colour: str = ""
    """Where the class is a colour."""


def of_shares(
    shares: Shares, other: Shares | None = None, colours: Sequence[str] = ()
) -> list[Bar]:
    """Make a bar of each class.

    Args:
        shares: Of the data.
        other: Of the same classes in what a model made.
        colours: One a class, or none.

    Returns:
        The bars, in the order of the classes.
    """
    return [
        Bar(
            name,
            shares.share(name),
            shares.number(name),
            None if other is None else other.share(name),
            colours[number] if colours else "",
        )
        for number, name in enumerate(shares.names)
    ]


def bars(title: str, lines: Sequence[Bar], missing: int = 0, full: float = 0.0) -> str:
    """Draw bars, each beside that of a second collection where there is one.

    Args:
        title: Of the chart.
        lines: The bars.
        missing: Images of which nothing is known.
        full: Share of a bar of full length; that of the longest by default.

    Returns:
        HTML.
    """
    most = full or max([max(line.share, line.other or 0) for line in lines] + [1e-9])
    rows = "".join(_line(line, most) for line in lines)
    note = f"<p class='soft small'>not known: {missing:,}</p>" if missing else ""
    return _figure(title, f"<div class=bars>{rows}</div>{note}")


def histogram(title: str, spread: Spread, other: Spread | None = None, unit: str = "") -> str:
    """Draw how a number is distributed, below the outline of a second collection.

    Args:
        title: Of the chart.
        spread: Of the data.
        other: The same number in what a model made, with the same bins.
        unit: Written after numbers.

    Returns:
        HTML.
    """
    if not spread.count:
        return _figure(title, "<p class=soft>not measured</p>")
    series = [_heights(spread)] + ([_heights(other)] if other is not None and other.count else [])
    most = max(max(heights) for heights in series)
    width = len(spread.counts)
    drawn = "".join(
        f'<rect x="{at + 0.06}" y="{HEIGHT * (1 - height / most):.2f}" width="0.88" '
        f'height="{HEIGHT * height / most:.2f}"/>'
        for at, height in enumerate(series[0])
        if height
    )
    outline = ""
    if len(series) > 1:
        steps = " ".join(
            f"{x},{HEIGHT * (1 - height / most):.2f}"
            for at, height in enumerate(series[1])
            for x in (at, at + 1)
        )
        outline = (
            f'<polyline points="{steps}" fill="none" stroke="var(--made)" stroke-width="2" '
            'vector-effect="non-scaling-stroke"/>'
        )
    said = f"median {_short(spread.median, unit)}"
    if other is not None and other.count:
        said += f"; samples {_short(other.median, unit)}"
    svg = (
        f'<svg viewBox="0 0 {width} {HEIGHT:.0f}" preserveAspectRatio="none" role="img" '
        f'aria-label="{text(title)}: {said}"><g fill="var(--data)">{drawn}</g>{outline}</svg>'
    )
    low, high = spread.edges[0], spread.edges[-1]
    axis = f"<span>{low:.4g}{unit}</span><span>{said}</span><span>{high:.4g}{unit}</span>"
    return _figure(title, f"{svg}<div class=axis>{axis}</div>")


def sheet(shown: Sheet) -> str:
    """Show pictures with their notes.

    Args:
        shown: The sheet.

    Returns:
        HTML with the pictures in it.
    """
    pictures = "".join(_picture(picture) for picture in shown.pictures)
    title = f"<figcaption>{text(shown.title)}</figcaption>" if shown.title else ""
    return f"<figure class=sheet>{title}<div class=pictures>{pictures}</div></figure>"


def sheets(shown: Iterable[Sheet], layout: str) -> str:
    """Show several sheets.

    Args:
        shown: The sheets.
        layout: A class of the page's style.

    Returns:
        HTML.
    """
    return f'<div class="{layout}">{"".join(sheet(one) for one in shown)}</div>'


def _picture(picture: Picture) -> str:
    data = base64.b64encode(encode_png(picture.pixels)).decode("ascii")
    name = text(picture.name)
    note = f"<figcaption>{text(picture.note)}</figcaption>" if picture.note else ""
    return (
        f'<figure class=picture><img src="data:image/png;base64,{data}" alt="{name}" title="{name}" '
        f'loading="lazy">{note}</figure>'
    )


def _line(line: Bar, most: float) -> str:
    colour = f";background:{text(line.colour)}" if line.colour else ""
    kind = "bar toned" if line.colour else "bar"
    track = f'<div class="{kind}" style="width:{100 * line.share / most:.1f}%{colour}"></div>'
    value = f"{percent(line.share)} <span class=soft>{line.count:,}</span>"
    two = ""
    if line.other is not None:
        two = " two"
        track += f'<div class="bar made" style="width:{100 * line.other / most:.1f}%"></div>'
        value = f"{percent(line.share)}<small>{percent(line.other)}</small>"
    return (
        f'<span>{text(line.name)}</span><div class="track{two}">{track}</div>'
        f"<span class=value>{value}</span>"
    )


def _figure(title: str, inside: str) -> str:
    return f"<figure class=chart><figcaption>{text(title)}</figcaption>{inside}</figure>"


def _short(number: float, unit: str) -> str:
    if unit:
        return f"{round(number)}{unit}"
    return f"{number:.3g}" if abs(number) >= 0.001 else "0"


def _heights(spread: Spread) -> list[float]:
    return [count / spread.count for count in spread.counts]
