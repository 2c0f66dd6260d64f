"""What the report adds to the look of the audit's page."""

from facesmith.data.audit.style import CSS as HOUSE

CSS = (
    HOUSE
    + """
:root { --third: #6f4fc0; --bound: #7b8490; --well: #1a7f4b; }
@media (prefers-color-scheme: dark) { :root { --third: #b79cff; --bound: #8a95a3; --well: #4cc38a; } }
body { max-width: 1160px; }
.verdict { border-radius: 10px; padding: 18px 20px; margin: 16px 0; background: var(--raised);
  border-left: 8px solid var(--c); }
.verdict .word { color: var(--c); font-weight: 700; font-size: .86rem; text-transform: uppercase;
  letter-spacing: .06em; }
.verdict h2 { border: 0; margin: 2px 0 6px; padding: 0; font-size: 1.45rem; line-height: 1.25; }
.verdict p { margin: 4px 0; }
.ill { --c: var(--serious); } .warning { --c: var(--warning); } .note { --c: var(--note); }
.well { --c: var(--well); } .change { --c: var(--third); }
.finding { border-left-color: var(--c); display: grid; grid-template-columns: minmax(0, 1fr) 300px;
  gap: 6px 28px; scroll-margin-top: 12px; }
.finding .badge { color: var(--c); }
.finding ul { margin: 6px 0; padding-left: 1.2em; }
.finding .words { min-width: 0; }
.number { display: inline-block; min-width: 1.5em; padding: 0 .35em; margin-right: .5em; border-radius: 1em;
  background: var(--c); color: var(--ground); font-size: .8rem; font-weight: 700; text-align: center;
  letter-spacing: 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 310px), 1fr));
  gap: 0 32px; margin: 14px 0; }
.plots.two { grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); }
.plot { margin: 0; min-width: 0; }
.plots > .plot { display: grid; grid-template-rows: subgrid; grid-row: span 4; gap: 0; }
.plots > .plot > .legend:empty { display: block; }
.plot > p { margin: 6px 0 26px; } .plot > .legend:empty, .small > p { display: none; }
.small .frame { margin-top: 8px; }
.small > figcaption { font-size: .86rem; line-height: 1.3; margin-top: 6px; }
.plot > figcaption { font-weight: 600; font-size: .95rem; }
.plot > figcaption span { font-weight: 400; font-size: .86rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0 14px; font-size: .82rem; color: var(--soft);
  margin: 1px 0 6px; align-self: start; }
.legend span { display: inline-flex; align-items: center; gap: 5px; }
.legend .line { width: 16px; border-top: 2.5px solid var(--c); }
.legend .dash { border-top-style: dashed; border-top-width: 2px; }
.legend .block { width: 10px; height: 10px; border-radius: 2px; background: var(--c); }
.frame { display: grid; grid-template-columns: 2.9rem minmax(0, 1fr); padding-right: 14px; }
.area { position: relative; height: 170px; border-bottom: 1px solid var(--soft); }
.tall .area { height: 240px; } .small .area { height: 62px; }
.area svg { position: absolute; width: 100%; height: 100%; overflow: hidden; }
.ys { position: relative; } .xs { position: relative; grid-column: 2; height: 1.5em; }
.ys span, .xs span { position: absolute; color: var(--soft); font-size: .76rem; line-height: 1;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
.ys span { right: 7px; transform: translateY(50%); }
.xs span { top: 6px; transform: translateX(-50%); }
path { vector-effect: non-scaling-stroke; }
.grid { stroke: var(--line); stroke-width: 1; fill: none; }
.bound { stroke: var(--bound); stroke-width: 1.5; stroke-dasharray: 5 4; fill: none; }
.curve { stroke-width: 1.7; fill: none; stroke-linejoin: round; }
.dashed { stroke-dasharray: 5 4; }
.dots { stroke-width: 5; stroke-linecap: round; fill: none; }
.spread { fill-opacity: .16; }
.mark { position: absolute; top: 0; bottom: 0; width: 0; border-left: 1.5px dashed var(--c);
  text-decoration: none; }
.mark b { position: absolute; left: 0; top: calc(var(--level) * 17px - 7px); transform: translateX(-50%);
  min-width: 1.45em; padding: 0 .3em; border-radius: 1em; background: var(--c); color: var(--ground);
  font-size: .72rem; line-height: 1.45; text-align: center; }
.small .mark b { display: none; }
.now { display: none; position: absolute; top: 0; bottom: 0; left: calc(var(--now) * 1%); width: 1px;
  background: var(--ink); opacity: .55; pointer-events: none; }
.timed .now { display: block; }
.player { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 18px 28px; margin: 12px 0; }
.player figure { margin: 0; min-width: 0; }
.player figcaption { font-size: .88rem; color: var(--soft); margin-bottom: 4px; }
.player img { display: block; width: 100%; height: auto; border-radius: 6px; }
.player img[hidden] { display: none; }
.controls { display: flex; align-items: center; gap: 12px; margin-top: 10px; }
.controls input { flex: 1; min-width: 0; accent-color: var(--made); }
.controls output { min-width: 6.5em; text-align: right; font-variant-numeric: tabular-nums; }
button { font: inherit; color: var(--ink); background: var(--raised); border: 1px solid var(--line);
  border-radius: 6px; padding: 3px 14px; cursor: pointer; min-width: 5.2em; }
.heat { margin: 0 0 22px; }
.heat figcaption { font-weight: 600; font-size: .95rem; margin-bottom: 4px; }
.cells { display: grid; grid-template-columns: minmax(0, max-content) minmax(0, 1fr); gap: 0 8px;
  align-items: stretch; padding-right: 14px; }
.cells > span { font-size: .78rem; line-height: 17px; color: var(--soft); text-align: right;
  max-width: 11rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.row { position: relative; height: 17px; border-bottom: 1px solid var(--ground); }
.row svg { display: block; width: 100%; height: 100%; }
.scale { display: flex; align-items: center; gap: 8px; font-size: .8rem; color: var(--soft); margin: 6px 0; }
.scale i { width: 180px; height: 10px; border-radius: 2px; }
.wrap { overflow-x: auto; }
table.plain { width: 100%; } table.plain th, table.plain td { vertical-align: middle; }
table.plain td.text, table.plain th.text { text-align: left; }
table.plain td.figure { width: 34%; min-width: 120px; }
.swatch { display: inline-block; width: 2.6em; height: 1.1em; border-radius: 3px; vertical-align: middle;
  border: 1px solid var(--line); }
.spark { display: block; width: 100%; height: 34px; }
.spark path { fill: none; stroke-width: 1.7; }
.changed { font-weight: 600; color: var(--made); }
details > summary { cursor: pointer; margin: 8px 0; color: var(--soft); }
.sides { columns: 2 380px; column-gap: 40px; }
table.plain tr > :first-child, .events td:nth-child(3) { white-space: nowrap; }
.sides table tr th, .sides table tr td { text-align: left; }
.sides table { width: 100%; margin: 0 0 16px; break-inside: avoid; }
code span { display: inline-block; max-width: 100%; margin-right: .3em; }
code { user-select: all; }
.tip { position: fixed; z-index: 2; max-width: min(420px, 92vw); padding: 3px 9px; border-radius: 6px;
  background: var(--ink); color: var(--ground); font-size: .8rem; pointer-events: none; }
.area svg { cursor: crosshair; }
@media (max-width: 760px) { .finding { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 560px) { .player { grid-template-columns: minmax(0, 1fr); }
  .cells > span { max-width: 6.5rem; } .frame { grid-template-columns: 2.5rem minmax(0, 1fr); } }
"""
)
