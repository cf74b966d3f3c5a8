// ---- The selected step --------------------------------------------------------------------------

function drawItem(item, step) {
  const [, place] = splitPlace(item.t);
  return h(
    'li',
    {},
    tag(item.k, words[item.k]),
    item.m !== step.m ? h('span', { class: 'from' }, machines[item.m] + ': ') : null,
    lineOf(item),
    place ? h('span', { class: 'place' }, ' ' + place) : null,
  );
}

function arrowItems(index) {
  return arrows
    .filter(([from, to, sent, taken]) => from !== to && (sent === index || taken === index))
    .map(([from, to, sent, taken, label]) => {
      const text =
        sent === taken
          ? `calls ${machines[to]}: ${label}`
          : sent === index
            ? `sends to ${machines[to]}: ${label}` +
              (taken < 0 ? ' (never taken)' : ` (taken in step ${taken})`)
            : `takes from ${machines[from]}: ${label} (sent in step ${sent})`;
      return h('li', {}, tag('note', '\u2194'), text);
    });
}

function drawStep() {
  const step = steps[selected];
  byId('step-title').textContent = `Step ${selected}: ${machines[step.m]} \u2014 ${step.l}`;
  const facts = [
    step.n
      ? `decision ${step.d}, alternative ${step.a} of 0..${step.n - 1}`
      : `before decision ${step.d}, nobody else could run`,
  ];
  if (step.w) facts.push(step.w);
  if (step.o) facts.push('instead could have run: ' + step.o.split('\n').join('; '));
  byId('step-facts').textContent = facts.join(' \u00b7 ');
  const items = step.i.map((item) => drawItem(item, step));
  if (step.b && story.bug)
    items.push(
      h(
        'li',
        {},
        tag('bugline', 'bug\u2019s line'),
        `passes the line that bug ${story.bug.id} changes: ${story.bug.summary}`,
      ),
    );
  if (isViolation(selected))
    items.push(h('li', {}, tag('violation', '\u2715 violation'), violation.message));
  byId('items').replaceChildren(...items, ...arrowItems(selected));
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

function drawCells(entry, isShown) {
  return entry.row.map((cell, i) => {
    const width = cell.length > 24 ? 'long' : cell.length > 12 ? 'middle' : 'short';
    if (!isShown[i]) return null;
    if (entry.sign !== 'changed' || entry.previous[i] === cell)
      return h('td', { class: width }, cell);
    return h(
      'td',
      { class: width },
      h('del', {}, entry.previous[i]),
      entry.previous[i] ? ' ' : '',
      h('ins', {}, cell),
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
  const rows = changesOf(panel);
  // A column of words about rows is left out while there are none.
  const isShown = columns.map(
    (column, i) => !column.startsWith('~') || rows.some((entry) => entry.row[i] !== ''),
  );
  const body = h(
    'tbody',
    {},
    ...rows.map((entry) =>
      h('tr', { class: entry.sign }, drawSign(entry.sign), ...drawCells(entry, isShown)),
    ),
  );
  if (rows.length === 0)
    body.append(h('tr', {}, h('td', { class: 'empty', colspan: columns.length + 1 }, 'empty')));
  return h(
    'div',
    { class: 'wide', tabindex: 0, role: 'group', 'aria-label': name },
    h(
      'table',
      { 'data-panel': name },
      h('caption', {}, h('b', {}, name), h('span', { class: 'hint' }, meaning)),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { class: 'mark' }, h('span', { class: 'away' }, 'change')),
          ...columns
            .filter((_, i) => isShown[i])
            .map((column) => h('th', { scope: 'col' }, column.replace(/^~/, ''))),
        ),
      ),
      body,
    ),
  );
}

function drawStates() {
  return tracks.map((panel) => {
    const rows = changesOf(panel).map((entry) => {
      const number = numbers.get(panel).get(entry.row[1]);
      const swatch = h('span', { class: 'swatch' }, String(number));
      swatch.style.background = bandColor(number);
      return h(
        'tr',
        { class: entry.sign },
        drawSign(entry.sign),
        h('td', {}, entry.row[0]),
        h(
          'td',
          {},
          swatch,
          ' ' + entry.row[1],
          entry.sign === 'changed'
            ? h('span', { class: 'hint' }, ` (was ${entry.previous[1]})`)
            : null,
        ),
      );
    });
    return h(
      'table',
      { 'data-panel': panels[panel].name },
      h(
        'caption',
        {},
        h('b', {}, panels[panel].name),
        h('span', { class: 'hint' }, panels[panel].summary),
      ),
      h('tbody', {}, ...rows),
    );
  });
}

function describe(index) {
  return `${machines[steps[index].m]}: ${summary(steps[index])}`;
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
  byId('position').textContent = `step ${selected} of ${lastStep} \u00b7 decision ${step.d}`;
  scrollToSelected();
  drawSteps();
  drawStep();
  byId('tables').replaceChildren(...tables.map(drawTable));
  byId('states').replaceChildren(...drawStates());
  for (const button of byId('came').querySelectorAll('button')) {
    if (Number(button.dataset.step) !== selected) {
      button.removeAttribute('aria-current');
      continue;
    }
    button.setAttribute('aria-current', 'step');
    const list = byId('came'),
      top = button.offsetTop - list.offsetTop;
    if (top < list.scrollTop || top + button.offsetHeight > list.scrollTop + list.clientHeight)
      list.scrollTop = top - 40;
  }
  if (!isQuiet) byId('live').textContent = `Step ${selected}, ${describe(selected)}`;
}
