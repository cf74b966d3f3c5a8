// ---- The selected step --------------------------------------------------------------------------

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

// The words whose meanings [text] asks for, in whatever case and number. A word may be several,
// "-N" stands for a number, 'NAME' for anything in quotes.
const glossary = story.terms
  .filter(([word]) => word !== 'the system')
  .map(([word, meaning]) => {
    const names = word
      .split(', ')
      .map((name) => escaped(name).replace(/([- ])N$/, '$1\\d+').replace(/'[A-Z]+'/g, "'[^']*'"))
      .join('|');
    return {
      word,
      meaning,
      occurs: new RegExp(`(?<!\\w)(?:${names})s?(?!\\w)`, 'i'),
      is: new RegExp(`^(?:${names})$`),
    };
  });
const termsIn = (text) => glossary.filter(({ occurs }) => occurs.test(text));
const meaningOf = (name) => glossary.find((term) => term.is.test(name));

// The pairs in quotes in [text], each with what it means: the first term that fits.
function glossOf(text) {
  const pairs = [...new Set(text.match(/'[^']*' '[^']*'/g) || [])];
  return pairs
    .map((pair) => [pair, meaningOf(pair)])
    .filter(([, term]) => term)
    .map(([pair, { meaning }]) =>
      h('span', {}, h('code', {}, pair), ': ' + meaning + '. '),
    );
}

// The values of track panels that [text] names, as terms.
function valuesIn(text) {
  return tracks.flatMap((panel) =>
    panels[panel].values
      .filter(([value]) => new RegExp(`(?<!\\w)${escaped(value)}(?!\\w)`).test(text))
      .map(([word, meaning]) => ({ word, meaning })),
  );
}

const drawTerms = (terms) =>
  terms.map(({ word, meaning }) =>
    h('div', {}, h('dt', {}, word + ':'), ' ', h('dd', {}, meaning)),
  );

function drawItem(item, step) {
  return h(
    'li',
    {},
    tag(item.k),
    item.m !== step.m ? h('span', { class: 'from' }, machines[item.m] + ': ') : null,
    ...unbroken(lineOf(item)),
  );
}

// Messages on their way; a call that is answered at once is told by its item.
function arrowItems(index) {
  return arrows
    .filter(
      ([from, to, sent, taken]) =>
        from !== to && sent !== taken && (sent === index || taken === index),
    )
    .map(([from, to, sent, taken, label]) => {
      const text =
        sent === index
          ? `sends to ${machines[to]}: ${label}` +
            (taken < 0 ? ' (never taken)' : ` (taken in step ${numberOf(taken)})`)
          : `takes from ${machines[from]}: ${label} (sent in step ${numberOf(sent)})`;
      return h('li', {}, h('span', { class: 'tag' }, '\u2194'), text);
    });
}

// ---- Stores -------------------------------------------------------------------------------------

// The columns of a store that a read could have taken, or not (SCT_NOTE_CHOICE).
const storesOf = (step) =>
  step.i
    .filter((item) => item.k === 'choice')
    .map((item) => {
      const [mark, value, machine, count, place, why] = item.t.split('\t');
      return { mark, value, machine, count: Number(count), place, why };
    });

// The index of the [count]th step of [machine]; undefined where steps before were not kept.
function stepOf(machine, count) {
  const wanted = machines.indexOf(machine);
  const indices = steps.map((_, index) => index).filter((index) => steps[index].m === wanted);
  return story.skipped_steps > 0 ? undefined : indices[count - 1];
}

function drawStored({ machine, count, place }) {
  if (machine === '') return h('td', {}, 'there at first');
  const index = stepOf(machine, count);
  if (index === undefined) return h('td', {}, `${machine}, ${place}`);
  const attributes = { type: 'button', title: 'Go to that step' };
  const button = h('button', attributes, `step ${numberOf(index)}`);
  button.addEventListener('click', () => select(index));
  return h('td', {}, button, ` ${machine}, ${place}`);
}

// What the step's read could have taken, the newest first; a read whose location has one store only
// had no choice, and nothing is said of it.
function drawStores(step) {
  const words = { taken: 'read', could: 'could be read', not: '' };
  const stores = storesOf(step);
  if (stores.length < 2) return [];
  const head = ['', 'value', 'stored', 'why'].map((name) => h('th', { scope: 'col' }, name));
  const rows = stores.map((store) =>
    h(
      'tr',
      { class: store.mark },
      h('td', { class: 'mark' }, words[store.mark]),
      h('td', {}, store.value),
      drawStored(store),
      h('td', {}, store.why),
    ),
  );
  return [h('table', {}, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...rows))];
}

function toldItems(index) {
  const step = steps[index];
  const hasStores = storesOf(step).length > 1;
  const items = step.i
    .filter((item) => !(hasStores && item.t.startsWith('may read ')))
    .filter((item) => !isDull(item) || ['expected', 'actual'].includes(item.k))
    .map((item) => drawItem(item, step));
  if (step.b && story.bug)
    items.push(
      h(
        'li',
        {},
        tag('bugline'),
        `passes the line that bug ${story.bug.id} changes: ${story.bug.summary}`,
      ),
    );
  const stop = stopLine(index);
  if (stop) items.unshift(h('li', {}, tag('stop'), stop));
  if (isViolation(index)) items.push(h('li', {}, tag('violation'), violation.message));
  if (items.every((item) => item.querySelector('.stop')))
    items.push(h('li', {}, untold(step)));
  if (items.length === 0) items.push(h('li', {}, untold(step)));
  return [...items, ...arrowItems(index)];
}

// Somebody who runs or could have, as "machine (task NAME): what it does".
function turnOf(machine, task, label, hasWaited) {
  const side = sideTask(machine, task);
  return (
    machines[machine] + (side ? ` (task ${side})` : '') + ': ' + wordsOfStep(label, hasWaited)
  );
}

// What was recorded, for those who know the code: the choice of the scheduler, calls in the
// machine's own terms, answers that were drawn.
function recordedItems(step) {
  const others = othersOf(step).map(({ machine, task, label, hasWaited }) =>
    turnOf(machine, task, label, hasWaited),
  );
  const items = [
    h(
      'li',
      {},
      step.n
        ? `Decision ${step.d} of ${story.decisions}: ${turnOf(step.m, step.k, step.l, step.z)}. ` +
            `Instead could have run \u2014 ${others.join('; ')}.`
        : `Before decision ${step.d}: nobody else could run (${step.l}).`,
    ),
  ];
  if (step.w) items.push(h('li', { class: 'mono' }, step.s ? `${step.w}: ${step.s}` : step.w));
  for (const item of step.i) {
    if (item.r === undefined && !isDull(item)) continue;
    if (['expected', 'actual'].includes(item.k)) continue;
    const [text, place] = splitPlace(item.t);
    const isRaw = !['value', 'start', 'end'].includes(item.k);
    items.push(
      h(
        'li',
        { class: 'mono' },
        item.k === 'value' ? 'drawn ' : null,
        item.m !== step.m ? machines[item.m] + ' ' : null,
        isRaw ? text : lineOf(item),
        place ? h('span', { class: 'place' }, ' ' + place) : null,
      ),
    );
  }
  return items;
}

// The terms for what is said of step [index], and for the machine whose step it is.
function termsOf(index) {
  const step = steps[index];
  const said = [untold(step), ...step.i.filter((item) => item.k !== 'value').map(lineOf)];
  if (isViolation(index)) said.push(violation.message);
  if (step.b && story.bug) said.push(story.bug.summary);
  const text = said.join('\n'),
    machine = meaningOf(machines[step.m]);
  const terms = [...valuesIn(text), ...termsIn(text)].filter((term) => term !== machine);
  return machine ? [...terms, { word: machines[step.m], meaning: machine.meaning }] : terms;
}

function drawStep() {
  const step = steps[selected],
    terms = termsOf(selected);
  const drawn = step.i.filter((item) => item.k === 'value').length;
  const side = sideTask(step.m, step.k);
  byId('step-title').textContent =
    `Step ${numberOf(selected)}: ${machines[step.m]}` + (side ? `, task \u201c${side}\u201d` : '');
  byId('items').replaceChildren(...toldItems(selected));
  byId('stores').replaceChildren(...drawStores(step));
  byId('stores-part').hidden = byId('stores').childElementCount === 0;
  byId('recorded-title').textContent =
    'As recorded' + (drawn ? `, with ${drawn} random choice${drawn === 1 ? '' : 's'}` : '');
  byId('recorded').replaceChildren(...recordedItems(step));
  byId('step-words').hidden = terms.length === 0;
  byId('step-terms').replaceChildren(...drawTerms(terms));
}

const signs = {
  added: ['+', 'added'],
  removed: ['\u2212', 'removed'],
  changed: ['~', 'changed'],
  same: ['', ''],
};

function drawSign(sign) {
  const [text, word] = signs[sign];
  return h(
    'td',
    { class: 'mark' },
    text ? h('span', { class: 'sign ' + sign, 'aria-hidden': 'true' }, text) : null,
    word ? h('span', { class: 'away' }, word) : null,
  );
}

// Key columns that never tell rows apart are said once, in the caption; words about a row stand
// with its key, not in a column.
function columnsOf(panel) {
  const { columns, keys, views } = panels[panel];
  const constant = columns.map((_, i) => {
    const values = new Set(views.flatMap((rows) => rows.map((row) => row[i])));
    return i < keys - 1 && values.size === 1 ? [...values][0] : null;
  });
  const indices = columns.map((_, i) => i);
  return {
    shown: indices.filter((i) => constant[i] === null && !columns[i].startsWith('~')),
    remarks: indices.filter((i) => columns[i].startsWith('~')),
    said: indices
      .filter((i) => constant[i] !== null)
      .map((i) => `${columns[i]} ${constant[i]}`)
      .join(', '),
  };
}
const columnsOfPanels = new Map(tables.map((panel) => [panel, columnsOf(panel)]));

// What became of a cell; of a list of properties, part by part.
function drawChange(entry, i) {
  const cell = entry.row[i];
  if (entry.sign !== 'changed' || entry.previous[i] === cell) return [cell];
  const before = entry.previous[i].split(', ').filter((part) => part !== ''),
    after = cell.split(', ').filter((part) => part !== '');
  const gone = before.filter((part) => !after.includes(part)).map((part) => h('del', {}, part));
  const there = after.map((part) => (before.includes(part) ? part : h('ins', {}, part)));
  return [...gone, ...there].flatMap((part, at) => (at === 0 ? [part] : [' ', part]));
}

function drawCells(entry, { shown, remarks }) {
  return shown.map((i, at) => {
    const width = entry.row[i].length > 24 ? 'long' : 'short';
    const said = at === 0 ? remarks.filter((remark) => entry.row[remark] !== '') : [];
    return h(
      'td',
      { class: width },
      ...drawChange(entry, i),
      ...said.map((remark) => h('span', { class: 'tag remark' }, entry.row[remark])),
    );
  });
}

// The rows of [panel] at the selected step, against the step before.
function changesOf(panel) {
  const hasBefore = selected > 0 && steps[selected - 1].v.length > 0;
  return compare(
    panel,
    viewAt(panel, hasBefore ? selected - 1 : selected),
    viewAt(panel, selected),
  );
}

// In which step each of [rows] came to be as it is; of a row that was so at first, none.
function beginnings(panel, rows) {
  const result = new Map(),
    open = new Map(rows.map((row) => [JSON.stringify(row), row]));
  for (let index = selected; index > 0 && open.size > 0; index--) {
    if (!hasChanged(panel, index)) continue;
    const before = new Set(viewAt(panel, index - 1).map((row) => JSON.stringify(row)));
    for (const [text, row] of open) {
      if (before.has(text)) continue;
      result.set(row, index);
      open.delete(text);
    }
  }
  return result;
}

function drawSince(index) {
  if (index === undefined) return h('td', { class: 'since' });
  const button = h('button', { type: 'button', title: 'Go to that step' }, String(numberOf(index)));
  button.addEventListener('click', () => select(index));
  return h('td', { class: 'since' }, button);
}

function drawTable(panel) {
  const { name, kind, summary: meaning, columns } = panels[panel];
  const looks = columnsOfPanels.get(panel);
  const rows = changesOf(panel);
  const since = beginnings(panel, viewAt(panel, selected));
  const body = h(
    'tbody',
    {},
    ...rows.map((entry) =>
      h(
        'tr',
        { class: entry.sign },
        drawSign(entry.sign),
        ...drawCells(entry, looks),
        drawSince(since.get(entry.row)),
      ),
    ),
  );
  if (rows.length === 0)
    body.append(h('tr', {}, h('td', { class: 'empty', colspan: looks.shown.length + 2 }, 'empty')));
  const caption = looks.said ? `${meaning} (${looks.said})` : meaning;
  return h(
    'div',
    { class: 'wide', tabindex: 0, role: 'group', 'aria-label': name },
    h(
      'table',
      { 'data-panel': name, class: kind },
      h('caption', {}, h('div', {}, h('b', {}, name), h('span', { class: 'hint' }, caption))),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { class: 'mark' }, h('span', { class: 'away' }, 'change')),
          ...looks.shown.map((i) => h('th', { scope: 'col' }, columns[i])),
          h('th', { scope: 'col', class: 'since' }, 'since'),
        ),
      ),
      body,
    ),
  );
}

// A row of a track panel; what its value means is said with the first row of that value.
function drawState(panel, entry, isFirst) {
  const [name, value] = entry.row;
  const number = numbers.get(panel).get(value);
  const [, meaning] = panels[panel].values.find(([word]) => word === value) || [];
  const swatch = h('span', { class: 'swatch' }, signOf(panel, value));
  swatch.style.background = bandColor(number);
  return h(
    'tr',
    { class: entry.sign },
    drawSign(entry.sign),
    h('td', { class: 'short' }, name),
    h(
      'td',
      {},
      swatch,
      ' ' + value,
      entry.sign === 'changed' ? h('span', { class: 'hint' }, ` (was ${entry.previous[1]})`) : null,
      meaning && isFirst ? h('span', { class: 'hint' }, ': ' + meaning) : null,
    ),
  );
}

function drawRowsOf(panel) {
  const entries = changesOf(panel);
  const isFirst = ({ row }, i) => entries.findIndex((entry) => entry.row[1] === row[1]) === i;
  return entries.map((entry, i) => drawState(panel, entry, isFirst(entry, i)));
}

function drawStates() {
  return tracks.map((panel) =>
    h(
      'table',
      { 'data-panel': panels[panel].name },
      h(
        'caption',
        {},
        h('b', {}, panels[panel].name),
        h('span', { class: 'hint' }, panels[panel].summary),
      ),
      h('tbody', {}, ...drawRowsOf(panel)),
    ),
  );
}

const describe = (index) => `${machines[steps[index].m]}: ${summary(steps[index])}`;

// Brings the steps into sight, if less of them than [least] pixels is.
function reveal(least) {
  const { top } = byId('controls').getBoundingClientRect();
  if (top <= window.innerHeight - least) return;
  byId('controls').scrollIntoView({ block: 'start' });
  scrollToSelected();
}

function markCame() {
  const list = byId('came');
  for (const button of list.querySelectorAll('button')) {
    if (Number(button.dataset.step) !== selected) {
      button.removeAttribute('aria-current');
      continue;
    }
    button.setAttribute('aria-current', 'step');
    const top = button.offsetTop - list.offsetTop,
      bottom = top + button.offsetHeight;
    if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
    if (top < list.scrollTop) list.scrollTop = top;
  }
}

function select(index, isQuiet) {
  const wanted = Math.max(0, Math.min(lastStep, index));
  if (wanted === selected) return;
  selected = wanted;
  const step = steps[selected];
  byId('slider').value = String(selected);
  byId('slider').setAttribute(
    'aria-valuetext',
    `step ${numberOf(selected)} of ${lastNumber}, ${describe(selected)}`,
  );
  byId('position').replaceChildren(
    `step ${numberOf(selected)} of ${lastNumber} \u00b7 decision ${step.d}`,
  );
  scrollToSelected();
  drawSteps();
  drawStep();
  byId('tables').replaceChildren(...tables.map(drawTable));
  byId('states').replaceChildren(...drawStates());
  markCame();
  if (!isQuiet) byId('live').textContent = `Step ${numberOf(selected)}, ${describe(selected)}`;
}
