// Draws the story that stands in the page as JSON. One variable is the state: the selected step.
// Everything shown is a function of it, of the search and of the scroll position; only the rows in
// sight exist, so thousands of steps cost no more than a screenful. The page_*.js are one module,
// joined in the order that embed.cmake names.
const story = JSON.parse(document.getElementById('data').textContent);
const { steps, machines, panels, arrows, violation } = story;
const byId = (id) => document.getElementById(id);
const OVERSCAN = 12; // rows drawn beyond those in sight
const lastStep = steps.length - 1;
const numberOf = (index) => index + 1 + story.skipped_steps; // people count steps from 1
const lastNumber = numberOf(lastStep);
let selected = -1;
let found = []; // indices of the steps that match the search
let isFound = new Set();

// ---- Small things -------------------------------------------------------------------------------

// An element; attributes by name, children as nodes or text (never as markup).
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {}))
    if (value !== null && value !== undefined && value !== false)
      element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function svg(tag, attributes, text) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// Notes end in their place in the source: "text   (file:line)".
function splitPlace(text) {
  const match = /^(.*?) {3}\(([^()]*:\d+)\)$/s.exec(text);
  return match ? [match[1], match[2]] : [text, null];
}

const words = {
  value: 'drawn',
  note: '',
  call: '\u2192 call',
  return: '\u2190 result',
  point: '\u25c6 takes effect',
  state: '\u2691 state',
  check: 'check',
  fault: '\u26a1 fault',
  expected: 'expected',
  actual: 'actual',
  start: 'task',
  end: 'task',
  bugline: '\u2731 bug\u2019s line',
  stop: '\u2016 stopped',
  violation: '\u2715 violation',
};

// A sign, where the kind has one, and a word, which narrow places leave out.
function tag(kind) {
  const match = /^(\W) (.*)$/su.exec(words[kind]);
  if (!words[kind]) return null;
  return match
    ? h('span', { class: 'tag ' + kind }, match[1], h('span', { class: 'word' }, ' ' + match[2]))
    : h('span', { class: 'tag ' + kind }, words[kind]);
}

// An item in words, if there are any for it, else as it was recorded.
function lineOf(item) {
  if (item.k === 'value') return `\u201c${item.t}\u201d: ${item.a} of 0..${item.n - 1}`;
  if (item.k === 'start') return `begins: ${item.t}`;
  if (item.k === 'end') return `ended: ${item.t}`;
  return item.r ?? splitPlace(item.t)[0];
}

// What only the checking said is marked x: there are no words for it.
const dullKinds = ['value', 'start', 'end', 'check', 'expected', 'actual', 'evidence', 'choice'];
const isDull = (item) => item.x || dullKinds.includes(item.k);

const taskNames = new Set(
  steps.flatMap((step) => step.i.filter(({ k }) => k === 'start').map(({ t }) => t)),
);

// The first task of each machine is the machine itself; others are named.
const mainTasks = new Map();
for (const step of steps) {
  for (const item of step.i)
    if (item.k === 'start' && !mainTasks.has(item.m)) mainTasks.set(item.m, item.t);
  if (step.k && !mainTasks.has(step.m)) mainTasks.set(step.m, step.k);
}
const sideTask = (machine, name) => (name && name !== mainTasks.get(machine) ? name : '');

const stepWords = new Map(story.step_words);

// What a machine does in a step of which nothing else is told, by the point at which it begins.
function wordsOfStep(label, hasWaited) {
  if (hasWaited) return `goes on after waiting for ${label}`;
  if (taskNames.has(label)) return `begins: ${label}`;
  return stepWords.get(label) ?? `goes on with: ${label}`;
}
const untold = (step) =>
  machines[step.m] === 'harness' ? step.l : wordsOfStep(step.l, step.z === true);

// Who could have run instead in a step.
const othersOf = (step) =>
  (step.o ? step.o.split('\n') : []).map((line) => {
    const [name, task, label, wait] = line.split('\t');
    return { machine: machines.indexOf(name), name, task, label, hasWaited: wait !== '' };
  });

// The one whose turn was taken although it could have gone on, as step [index] began; or undefined.
function stoppedAt(index) {
  const step = steps[index],
    before = steps[index - 1];
  if (!before || !step.n || (before.m === step.m && before.k === step.k)) return undefined;
  return othersOf(step).find(
    ({ name, task, hasWaited }) => name === machines[before.m] && task === before.k && !hasWaited,
  );
}

// What a stop says; only those that are left after minimizing matter.
function stopLine(index) {
  const stopped = story.is_minimized && violation !== null ? stoppedAt(index) : undefined;
  if (!stopped) return null;
  const { machine, name, task, label } = stopped;
  const side = sideTask(machine, task);
  const who = name + (side ? ` (task \u201c${side}\u201d)` : '');
  const next = taskNames.has(label) ? 'begins' : wordsOfStep(label, false);
  return `${who} could have gone on; it is stopped here, before it ${next}`;
}

// What a step is in one line: what is told of it, or where it went on.
function summary(step) {
  const told = step.i.filter((item) => !isDull(item)).map(lineOf);
  return told.length ? told.join(' \u00b7 ') : untold(step);
}

// The parts of [text] with short words kept in one piece: no break at a hyphen ("new-1").
const unbroken = (text) =>
  text
    .split(/(\S*-\S+)/)
    .map((part, i) => (i % 2 && part.length < 25 ? h('span', { class: 'whole' }, part) : part));

const isViolation = (index) => violation !== null && index === lastStep;

// ---- Panels over time ---------------------------------------------------------------------------

const tables = [],
  tracks = [];
panels.forEach((panel, index) => {
  const isMissed = panel.kind === 'aside' && panel.views.every((rows) => rows.length === 0);
  if (!isMissed) (panel.kind === 'track' ? tracks : tables).push(index);
});
const contents = tables.filter((panel) => panels[panel].kind === 'table');

function viewAt(panel, index) {
  const views = index >= 0 && steps[index] ? steps[index].v : null;
  return views && views.length ? panels[panel].views[views[panel]] : [];
}

const hasChanged = (panel, index) =>
  index > 0 &&
  steps[index].v.length > 0 &&
  steps[index - 1].v.length > 0 &&
  steps[index].v[panel] !== steps[index - 1].v[panel];

const keyOf = (panel, row) => JSON.stringify(row.slice(0, panels[panel].keys));

// The rows of before and after in one list, each with what happened to it.
function compare(panel, before, after) {
  const old = new Map(before.map((row) => [keyOf(panel, row), row]));
  const kept = new Set(after.map((row) => keyOf(panel, row)));
  const result = [];
  let at = 0;
  const takeRemoved = (until) => {
    for (; at < before.length && keyOf(panel, before[at]) !== until; at++)
      if (!kept.has(keyOf(panel, before[at]))) result.push({ sign: 'removed', row: before[at] });
  };
  for (const row of after) {
    const key = keyOf(panel, row),
      previous = old.get(key);
    if (previous) takeRemoved(key);
    const isSame = previous && previous.every((cell, i) => cell === row[i]);
    result.push({ sign: !previous ? 'added' : isSame ? 'same' : 'changed', row, previous });
  }
  takeRemoved(null);
  return result;
}

// The values of a track panel are numbered in the order that the panel gives, the same on every
// page; others behind those, as they first appear.
const numbers = new Map();
for (const panel of tracks) {
  const values = new Map(panels[panel].values.map(([value], i) => [value, i + 1]));
  for (const view of panels[panel].views)
    for (const row of view) if (!values.has(row[1])) values.set(row[1], values.size + 1);
  numbers.set(panel, values);
}
// What a value is called where there is room for a letter only.
function signOf(panel, value) {
  const number = numbers.get(panel).get(value);
  return panels[panel].signs?.[number - 1] ?? String(number);
}
const bandColor = (number) => `var(--band-${((number - 1) % 6) + 1})`;
