"""How the page looks: light and dark, wide and narrow."""

CSS = """
:root { color-scheme: light dark;
  --ground: #ffffff; --raised: #f5f6f8; --line: #d9dde3; --ink: #1b1f24; --soft: #5b6570;
  --data: #2f6fdb; --made: #d9730d; --serious: #c62828; --warning: #9a6200; --note: #51637a; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #14171b; --raised: #1e2329; --line: #363d46; --ink: #e7eaee; --soft: #9ea8b4;
  --data: #6ea8ff; --made: #ffa657; --serious: #ff7b72; --warning: #e3b341; --note: #9fb3cc; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 24px 20px 64px; background: var(--ground);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 1.25rem; margin: 48px 0 4px; padding-top: 16px; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 24px 0 8px; }
p { margin: 4px 0 12px; max-width: 72ch; }
a { color: var(--data); }
.soft { color: var(--soft); }
.foot { margin-top: 40px; }
.small { font-size: .86rem; }
code { display: block; margin-top: 8px; padding: 8px 10px; border-radius: 6px; background: var(--ground);
  border: 1px solid var(--line); font: .86rem/1.4 ui-monospace, monospace; white-space: pre-wrap; }
nav { display: flex; flex-wrap: wrap; gap: 4px 14px; margin: 16px 0; font-size: .92rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 10px;
  margin: 16px 0; }
.tile { background: var(--raised); border-radius: 8px; padding: 10px 12px; }
.tile b { display: block; font-size: 1.25rem; font-weight: 600; }
.tile span { color: var(--soft); font-size: .86rem; }
.finding { background: var(--raised); border-left: 4px solid var(--note); border-radius: 0 8px 8px 0;
  padding: 12px 16px; margin: 12px 0; }
.finding p { margin: 4px 0; }
.finding.serious { border-color: var(--serious); }
.finding.warning { border-color: var(--warning); }
.finding h3 { margin: 0; }
.badge { font-size: .76rem; font-weight: 600; text-transform: uppercase; letter-spacing: .04em;
  color: var(--note); }
.serious .badge { color: var(--serious); }
.warning .badge { color: var(--warning); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr));
  gap: 20px 28px; }
.chart { margin: 0; min-width: 0; }
figure.chart > figcaption { font-weight: 600; font-size: .92rem; margin-bottom: 4px; }
.chart svg { display: block; width: 100%; height: 92px; border-bottom: 1px solid var(--soft); }
.axis { display: flex; justify-content: space-between; color: var(--soft); font-size: .8rem; }
.bars { display: grid; grid-template-columns: minmax(5rem, auto) minmax(3rem, 1fr) auto; gap: 5px 10px;
  align-items: center; font-size: .88rem; }
.track { display: grid; gap: 2px; }
.bar { height: 12px; min-width: 1px; border-radius: 2px; background: var(--data); }
.two .bar { height: 7px; }
.made { background: var(--made); }
.toned { border: 1px solid var(--soft); }
.value { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.value small { color: var(--made); display: block; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; background: var(--data); }
.key.made { background: var(--made); }
.sheet { margin: 14px 0; }
.sheet > figcaption { font-size: .88rem; color: var(--soft); margin-bottom: 4px; }
.pictures { display: flex; flex-wrap: wrap; gap: 6px; }
.picture { margin: 0; width: 64px; }
.picture img { display: block; width: 64px; height: 64px; object-fit: cover; border-radius: 4px; }
.picture figcaption { font-size: .74rem; color: var(--soft); text-align: center; line-height: 1.3; }
.sheets { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr));
  gap: 0 28px; }
.wide { max-width: 640px; margin-bottom: 20px; }
.groups { display: flex; flex-wrap: wrap; gap: 4px 28px; }
table { border-collapse: collapse; font-size: .88rem; margin: 8px 0; }
th, td { padding: 4px 12px 4px 0; text-align: left; border-bottom: 1px solid var(--line); font-weight: 400; }
table tr:first-child th, td { text-align: right; font-variant-numeric: tabular-nums; }
th { color: var(--soft); }
td.rare { color: var(--warning); font-weight: 600; }
@media (max-width: 480px) { body { padding: 16px 14px 48px; }
  .picture, .picture img { width: 60px; } .picture img { height: 60px; } }
"""
