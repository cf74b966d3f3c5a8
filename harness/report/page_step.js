// ---- The selected step --------------------------------------------------------------------------

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

// The words whose meanings [text] asks for, in whatever case and number. A word may be several,
// "-N" stands for a number.
const glossary = story.terms
  .filter(([word]) => word !== 'the system')
  .map(([word, meaning]) => {
    const names = word
      .split(', ')
      .map((name) => escaped(name).replace(/([- ])N$/, '$1\\d+'))
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
    lineOf(item),
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
            (taken < 0 ? ' (never taken)' : ` (taken in step ${taken})`)
          : `takes from ${machines[from]}: ${label} (sent in step ${sent})`;
      return h('li', {}, h('span', { class: 'tag' }, '\u2194'), text);
    });
}

function toldItems(index) {
  const step = steps[index];
  const items = step.i
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
  if (isViolation(index)) items.push(h('li', {}, tag('violation'), violation.message));
  if (items.length === 0) items.push(h('li', {}, untold(step)));
  return [...items, ...arrowItems(index)];
}

// What was recorded, for those who know the code: the choice of the scheduler, calls in the
// machine's own terms, answers that were drawn.
function recordedItems(step) {
  const others = step.o ? step.o.split('\n') : [];
  const items = [
    h(
      'li',
      {},
      step.n
        ? `Decision ${step.d} of ${story.decisions}: ${machines[step.m]} runs (${step.l}); ` +
            `instead could have run: ${others.join('; ')}.`
        : `Before decision ${step.d}: nobody else could run (${step.l}).`,
    ),
  ];
  if (step.w) items.push(h('li', { class: 'mono' }, step.w));
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
  byId('step-title').textContent = `Step ${selected}: ${machines[step.m]}`;
  byId('items').replaceChildren(...toldItems(selected));
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

function drawTable(panel) {
  const { name, summary: meaning, columns } = panels[panel];
  const looks = columnsOfPanels.get(panel);
  const rows = changesOf(panel);
  const body = h(
    'tbody',
    {},
    ...rows.map((entry) =>
      h('tr', { class: entry.sign }, drawSign(entry.sign), ...drawCells(entry, looks)),
    ),
  );
  if (rows.length === 0)
    body.append(h('tr', {}, h('td', { class: 'empty', colspan: looks.shown.length + 1 }, 'empty')));
  const caption = looks.said ? `${meaning} (${looks.said})` : meaning;
  return h(
    'div',
    { class: 'wide', tabindex: 0, role: 'group', 'aria-label': name },
    h(
      'table',
      { 'data-panel': name },
      h('caption', {}, h('b', {}, name), h('span', { class: 'hint' }, caption)),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { class: 'mark' }, h('span', { class: 'away' }, 'change')),
          ...looks.shown.map((i) => h('th', { scope: 'col' }, columns[i])),
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
  const swatch = h('span', { class: 'swatch' }, String(number));
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
  if (top > window.innerHeight - least) byId('controls').scrollIntoView({ block: 'start' });
}

function markCame() {
  const list = byId('came');
  for (const button of list.querySelectorAll('button')) {
    if (Number(button.dataset.step) !== selected) {
      button.removeAttribute('aria-current');
      continue;
    }
    button.setAttribute('aria-current', 'step');
    const top = button.offsetTop - list.offsetTop;
    if (top < list.scrollTop || top + button.offsetHeight > list.scrollTop + list.clientHeight)
      list.scrollTop = top - 40;
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
    `step ${selected} of ${lastStep}, ${describe(selected)}`,
  );
  byId('position').replaceChildren(
    `step ${selected} of ${lastStep}`,
    h('span', { class: 'roomy' }, ` \u00b7 decision ${step.d}`),
  );
  scrollToSelected();
  drawSteps();
  drawStep();
  byId('tables').replaceChildren(...tables.map(drawTable));
  byId('states').replaceChildren(...drawStates());
  markCame();
  if (!isQuiet) byId('live').textContent = `Step ${selected}, ${describe(selected)}`;
}
