/**
 * The page's script, unchanged from the page: it draws heatmaps as they come into view, reads a cell out under pointer and
 * arrow keys, fills a kernel's or a reference's text in when it is opened, opens the op that a link points at, and filters
 * the ops.
 */
export const SCRIPT = String.raw`
const data = JSON.parse(document.getElementById('data').textContent);
const numbers = new Map();

function numbersOf(i) {
  if (!numbers.has(i)) {
    const bytes = Uint8Array.from(atob(data.heats[i].numbers), (c) => c.charCodeAt(0));
    numbers.set(i, new Int16Array(bytes.buffer));
  }
  return numbers.get(i);
}

/* ---- heatmaps ---- */
function colour(name) {
  const probe = document.createElement('i');
  probe.style.color = 'var(--' + name + ')';
  document.body.append(probe);
  const [r, g, b] = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  probe.remove();
  return [r, g, b];
}

function draw(canvas) {
  const heat = data.heats[canvas.dataset.heat];
  const values = numbersOf(canvas.dataset.heat);
  const [zero, plus, minus, most] = ['zero', 'plus', 'minus', 'most'].map(colour);
  const image = new ImageData(heat.columns, heat.rows);
  values.forEach((value, i) => {
    const to = heat.signed ? (value < 0 ? minus : plus) : most;
    const share = Math.min(1, Math.abs(value * heat.scale) / heat.limit) ** 0.7;
    const lost = value === -32768;
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = lost ? [255, 0, 200][c] : zero[c] + share * (to[c] - zero[c]);
    image.data[4 * i + 3] = 255;
  });
  canvas.getContext('2d').putImageData(image, 0, 0);
}

const canvases = [...document.querySelectorAll('canvas[data-heat]')];
const seen = new Set();
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting || seen.has(target)) continue;
    seen.add(target);
    draw(target);
  }
}, { rootMargin: '400px' });
for (const canvas of canvases) watcher.observe(canvas);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => seen.forEach(draw));

function readOut(canvas, row, column) {
  const heat = data.heats[canvas.dataset.heat];
  const value = numbersOf(canvas.dataset.heat)[row * heat.columns + column];
  const [rows, columns] = heat.labels;
  const name = (key, at, pool, word) => {
    const labels = data.labels[key];
    return labels && labels[at * pool] !== undefined ? labels[at * pool] : word + ' ' + at * pool;
  };
  const shown = value === -32768 ? 'not a finite number' : (value * heat.scale).toPrecision(4);
  canvas.closest('figure').querySelector('output').textContent =
    name(rows, row, heat.pool[0], 'row') + ', ' + name(columns, column, heat.pool[1], 'column') + ' = ' + shown;
  const mark = canvas.parentElement.querySelector('.at');
  mark.hidden = false;
  mark.style.cssText = 'left:' + (100 * column) / heat.columns + '%;top:' + (100 * row) / heat.rows + '%;width:' +
    100 / heat.columns + '%;height:' + 100 / heat.rows + '%';
  canvas.dataset.cell = row + ' ' + column;
}

const clamp = (value, most) => Math.max(0, Math.min(most - 1, value));
for (const canvas of canvases) {
  const heat = data.heats[canvas.dataset.heat];
  canvas.addEventListener('pointermove', (event) => {
    const box = canvas.getBoundingClientRect();
    const row = clamp(Math.floor(((event.clientY - box.top) / box.height) * heat.rows), heat.rows);
    const column = clamp(Math.floor(((event.clientX - box.left) / box.width) * heat.columns), heat.columns);
    readOut(canvas, row, column);
  });
  canvas.addEventListener('keydown', (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [row, column] = (canvas.dataset.cell || '-1 -1').split(' ').map(Number);
    const at = row < 0 ? [0, 0] : [clamp(row + step[0], heat.rows), clamp(column + step[1], heat.columns)];
    readOut(canvas, at[0], at[1]);
  });
}

/* ---- source texts ---- */
function fill(details) {
  if (details.querySelector('pre')) return;
  const { kernel, reference } = details.dataset;
  const text = kernel === undefined ? data.references[reference].text : data.kernels[kernel];
  const pre = document.createElement('pre');
  pre.tabIndex = 0;
  for (const line of text.split('\n')) {
    const comment = line.search(/\/\/|^\s*\/?\*/);
    const at = comment < 0 ? line.length : comment;
    pre.append(line.slice(0, at));
    if (comment >= 0) pre.append(Object.assign(document.createElement('i'), { textContent: line.slice(at) }));
    pre.append('\n');
  }
  if (reference !== undefined && data.references[reference].file) {
    const file = document.createElement('small');
    file.textContent = data.references[reference].file;
    details.append(file);
  }
  details.append(pre);
}
document.addEventListener('toggle', (event) => {
  if (event.target.open && event.target.matches('.code')) fill(event.target);
}, true);

/* ---- links and filter ---- */
function openTarget() {
  const target = /^#op-\d+$/.test(location.hash) && document.querySelector(location.hash);
  if (!target) return;
  target.hidden = false;
  target.open = true;
  target.scrollIntoView();
  target.querySelector('summary').focus({ preventScroll: true });
}
addEventListener('hashchange', openTarget);
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[href^="#op-"]');
  if (link && link.hash === location.hash) openTarget();
});
openTarget();

const filter = document.getElementById('filter');
filter.addEventListener('input', () => {
  const words = filter.value.toLowerCase().split(/\s+/);
  let shown = 0;
  for (const op of document.querySelectorAll('.op')) {
    op.hidden = !words.every((word) => op.dataset.find.includes(word));
    if (!op.hidden) shown++;
  }
  document.getElementById('found').textContent = shown + ' shown';
});
`;
