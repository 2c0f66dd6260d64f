"""Curves through time as inline SVG; words and numbers are HTML, so that they keep their size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from facesmith.applications.report.scales import Axis, Values, finite, images, number, thin, tick
from facesmith.data.audit.charts import text

SIZE = 1000.0
"""Width and height of a drawing in its own units; the page stretches it."""
FEW, VERY_FEW = 60, 12
"""Points up to which each is shown as a dot, at a slower pace and at the usual one: what is rare looks so."""
CLOSE = 0.1
"""Of the width: y labels of marks that are nearer than this would cover each other."""


@dataclass(frozen=True)
class Line:
    """A curve."""

    label: str
    images: Values
    values: Values
    colour: str = "data"
    """A colour of the page's style."""
    dashed: bool = False
    spread: Values | None = None
    """Drawn as a band of this half width."""


@dataclass(frozen=True)
class Area:
    """What lies between two curves."""

    label: str
    """Empty where a line of the same colour has it."""
    images: Values
    low: Values
    high: Values
    colour: str = "data"
    strength: float = 0.2
    """Opacity, 0 to 1."""


@dataclass(frozen=True)
class Mark:
    """A moment that matters, drawn as an upright line through a plot."""

    images: int
    label: str
    """Very short: a number or a letter."""
    title: str
    kind: str
    """A severity, or `change`."""
    link: str = ""
    """Name of the place on the page that it leads to."""


@dataclass(frozen=True)
class Plot:
    """One drawing: curves over images seen."""

    title: str
    axis: Axis
    until: float
    """Images seen at the right end."""
    lines: Sequence[Line] = ()
    areas: Sequence[Area] = ()
    marks: Sequence[Mark] = ()
    bounds: Sequence[tuple[float, str]] = ()
    """Values that are drawn across, each with its meaning."""
    unit: str = ""
    note: str = ""
    size: str = ""
    """`small` or `tall`; as the page's style has them."""
    labels: Sequence[float] = field(default=())
    """Ticks, where the axis's own will not do."""

    def html(self) -> str:
        """Draw it."""
        ticks = list(self.labels) or self.axis.ticks(2 if self.size == "small" else 4)
        unit = f" <span class=soft>{text(self.unit)}</span>" if self.unit else ""
        note = "; ".join(filter(None, [self.note, self._cut_off()]))
        said = f"<p class='soft small'>{text(note)}</p>"
        heading = f"<figcaption>{text(self.title)}{unit}</figcaption>"
        return (
            f'<figure class="plot {self.size}">{heading}{self._legend()}<div class=frame>'
            f"<div class=ys>{self._down(ticks)}</div>"
            f'<div class=area><svg viewBox="0 0 {SIZE:.0f} {SIZE:.0f}" preserveAspectRatio="none" '
            f'role="img" aria-label="{text(self._spoken())}" data-low="{self.axis.low:g}" '
            f'data-high="{self.axis.high:g}" data-log="{int(self.axis.log)}" '
            f'data-until="{self.until:.0f}">{self._grid(ticks)}{self._drawn()}</svg>'
            f"{self._marked()}<i class=now></i></div>"
            f"<div class=xs>{self._across()}</div></div>{said}</figure>"
        )

    def _legend(self) -> str:
        keys = [
            f"<span><i class='{'dash ' if line.dashed else ''}line' style='--c:var(--{line.colour})'>"
            f"</i>{text(line.label)}</span>"
            for line in self.lines
            if line.label
        ]
        keys += [
            f"<span><i class=block style='--c:var(--{area.colour})'></i>{text(area.label)}</span>"
            for area in self.areas
            if area.label
        ]
        keys += [
            f"<span><i class='dash line' style='--c:var(--bound)'></i>{text(meaning)}</span>"
            for _, meaning in self.bounds
            if meaning
        ]
        return f"<div class=legend>{''.join(keys)}</div>"

    def _down(self, ticks: list[float]) -> str:
        return "".join(
            f"<span style='bottom:{100 * self.axis.place(value):.1f}%'>{tick(value)}</span>"
            for value in ticks
        )

    def _across(self) -> str:
        if self.size == "small":
            return (
                f"<span style='left:0'>0</span><span style='left:100%'>{images(self.until)}</span>"
            )
        axis = Axis(0.0, self.until or 1.0)
        return "".join(
            f"<span style='left:{100 * axis.place(value):.1f}%'>{tick(value)}</span>"
            for value in axis.ticks()
        )

    def _grid(self, ticks: list[float]) -> str:
        heights = [SIZE * (1 - self.axis.place(value)) for value in ticks]
        paths = "".join(f"M0 {y:.0f}H{SIZE:.0f}" for y in heights)
        across = "".join(
            f"M0 {SIZE * (1 - self.axis.place(value)):.0f}H{SIZE:.0f}" for value, _ in self.bounds
        )
        bounds = f'<path class=bound d="{across}"/>' if across else ""
        return f'<path class=grid d="{paths}"/>{bounds}'

    def _drawn(self) -> str:
        areas = "".join(
            f'<path style="fill:var(--{area.colour});fill-opacity:{area.strength:g}" '
            f'd="{self._band(area.images, area.low, area.high)}"/>'
            for area in self.areas
        )
        parts = [areas]
        for line in self.lines:
            if line.spread is not None:
                band = self._band(line.images, line.values - line.spread, line.values + line.spread)
                parts.append(f'<path style="fill:var(--{line.colour})" class=spread d="{band}"/>')
        for line in self.lines:
            style = f'style="stroke:var(--{line.colour})"'
            dashed = " dashed" if line.dashed else ""
            parts.append(
                f'<path class="curve{dashed}" data-label="{text(line.label)}" {style} '
                f'd="{self._curve(line)}"/>'
            )
            measured = np.isfinite(line.values)
            if measured.sum() <= (FEW if measured.mean() < 0.5 else VERY_FEW):
                parts.append(f'<path class=dots {style} d="{self._dots(line)}"/>')
        return "".join(parts)

    def _curve(self, line: Line) -> str:
        kept = thin(line.values)
        # What is measured at a slower pace has gaps everywhere, and its line goes on over them; a gap in what
        # is always measured is a number that was not finite.
        is_dense = np.isfinite(line.values).mean() > 0.5
        drawn, pen_up = [], True
        for at, value in zip(line.images[kept], line.values[kept], strict=True):
            if np.isfinite(value):
                drawn.append(f"{'M' if pen_up else 'L'}{self._point(at, value)}")
            pen_up = not np.isfinite(value) and (is_dense or pen_up)
        return "".join(drawn)

    def _dots(self, line: Line) -> str:
        return "".join(
            f"M{self._point(at, value)}h0"
            for at, value in zip(line.images, line.values, strict=True)
            if np.isfinite(value)
        )

    def _band(self, at: Values, low: Values, high: Values) -> str:
        measured = np.isfinite(low) & np.isfinite(high)
        at, low, high = at[measured], low[measured], high[measured]
        if len(at) < 2:
            return ""
        kept = np.union1d(thin(low, 200), thin(high, 200))
        up = [self._point(at[i], high[i]) for i in kept]
        down = [self._point(at[i], low[i]) for i in kept[::-1]]
        return f"M{'L'.join(up + down)}Z"

    def _point(self, at: float, value: float) -> str:
        # Far outside is as good as just outside, and keeps the numbers short.
        height = min(max(self.axis.place(value), -1.0), 2.0)
        return f"{SIZE * at / (self.until or 1):.0f} {SIZE * (1 - height):.0f}"

    def _marked(self) -> str:
        drawn, level, last = [], 0, -1.0
        for mark in sorted(self.marks, key=lambda mark: mark.images):
            left = min(max(mark.images / (self.until or 1), 0.0), 1.0)
            level = (level + 1) % 4 if left - last < CLOSE and last >= 0 else 0
            last = left
            tag, end = (f'a href="#{text(mark.link)}"', "a") if mark.link else ("span", "span")
            drawn.append(
                f'<{tag} class="mark {mark.kind}" style="left:{100 * left:.1f}%;--level:{level}" '
                f'title="{text(mark.title)}"><b>{text(mark.label)}</b></{end}>'
            )
        return "".join(drawn)

    def _cut_off(self) -> str:
        values = finite([line.values for line in self.lines])
        if not len(values):
            return ""
        said = []
        if not self.axis.log and values.min() < self.axis.low:
            said.append(f"down to {number(float(values.min()))}")
        if values.max() > self.axis.high:
            said.append(f"up to {number(float(values.max()))}")
        return f"cut off: {' and '.join(said)}" if said else ""

    def _spoken(self) -> str:
        ends = []
        for line in self.lines:
            values = finite([line.values])
            if len(values):
                ends.append(f"{line.label or 'value'} now {number(float(values[-1]))}")
        return f"{self.title}: {', '.join(ends)}" if ends else self.title
