"""What moves on the page: a few lines of plain JavaScript, which know nothing of the run."""

PLAYER = """
const slider = document.querySelector('.player input');
if (slider) {
  const sheets = [...document.querySelectorAll('.fakes img')], root = document.documentElement;
  const said = document.querySelector('.player output'), button = document.querySelector('.player button');
  let timer = null;
  const show = number => {
    number = Math.max(0, Math.min(sheets.length - 1, number));
    sheets.forEach((sheet, place) => sheet.hidden = place !== number);
    slider.value = number;
    said.textContent = sheets[number].dataset.seen;
    root.style.setProperty('--now', sheets[number].dataset.share);
    root.classList.add('timed');
    return number === sheets.length - 1;
  };
  const play = on => {
    clearInterval(timer);
    timer = null;
    if (on) {
      if (+slider.value === sheets.length - 1) show(0);
      timer = setInterval(() => { if (show(+slider.value + 1)) play(false); }, 450);
    }
    button.textContent = on ? 'Pause' : 'Play';
  };
  slider.addEventListener('input', () => { play(false); show(+slider.value); });
  button.addEventListener('click', () => play(timer === null));
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === slider) return;
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (step) { play(false); show(+slider.value + step); event.preventDefault(); }
    if (event.key === 'p') play(timer === null);
  });
}
"""

READING = """
const tip = document.body.appendChild(document.createElement('div'));
tip.className = 'tip';
tip.hidden = true;
const short = value => Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en')
  : String(+value.toPrecision(3));
document.querySelectorAll('.plot .area').forEach(area => {
  const svg = area.querySelector('svg'), {low, high, log, until} = svg.dataset;
  const curves = [...svg.querySelectorAll('.curve')].map(path => ({label: path.dataset.label,
    points: path.getAttribute('d').split(/[ML]/).slice(1).map(pair => pair.split(' ').map(Number))}));
  area.addEventListener('pointermove', event => {
    const box = area.getBoundingClientRect(), at = 1000 * (event.clientX - box.left) / box.width;
    const read = curves.filter(curve => curve.points.length).map(({label, points}) => {
      const near = points.reduce((a, b) => Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a);
      const share = 1 - near[1] / 1000;
      const value = +log ? low * (high / low) ** share : +low + (high - low) * share;
      return (label ? label + ' ' : '') + short(value);
    });
    tip.textContent = short(at * until / 1000) + ' images: ' + read.join(', ');
    tip.hidden = !read.length;
    tip.style.top = (event.clientY + 16) + 'px';
    tip.style.left = Math.max(4, Math.min(event.clientX + 10, innerWidth - tip.offsetWidth - 8)) + 'px';
  });
  area.addEventListener('pointerleave', () => tip.hidden = true);
});
"""

SCRIPT = f"(() => {{{PLAYER}{READING}}})();"
