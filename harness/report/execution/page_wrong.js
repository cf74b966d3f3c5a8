// ---- What went wrong, and how it came to this ---------------------------------------------------

const allItems = (kind) => steps.flatMap((step) => step.i.filter((item) => item.k === kind));

const faults = ['crash', 'hang', 'stack-overflow', 'assertion']; // their place matters

// The words in which the expected and the actual lines differ.
const difference = (() => {
  const wordsOf = (kind) =>
    new Set(
      allItems(kind)
        .flatMap((item) => item.t.split(/[\s{}]+/))
        .filter((word) => word !== '' && word !== 'or'),
    );
  const expected = wordsOf('expected'),
    actual = wordsOf('actual');
  return new Set([...expected, ...actual].filter((w) => !expected.has(w) || !actual.has(w)));
})();

// [text] with the words of the difference marked, unless all of it differs.
function withMarks(text) {
  const parts = text.split(/([\s{}]+)/);
  const isMarked = (part) => difference.has(part);
  if (parts.every((part) => /^[\s{}]*$/.test(part) || part === 'or' || isMarked(part)))
    return unbroken(text);
  return parts.flatMap((part) => (isMarked(part) ? [h('mark', {}, part)] : unbroken(part)));
}

function drawDifference() {
  const expected = allItems('expected').map((item) => item.t),
    actual = allItems('actual').map((item) => item.t);
  if (expected.length + actual.length === 0) return null;
  const line = (kind, word, text) =>
    h('li', { class: kind }, h('b', {}, word), h('span', {}, ...withMarks(text)));
  return h(
    'ul',
    { class: 'diff', 'aria-label': 'Expected and actual' },
    ...expected.map((text) =>
      actual.includes(text)
        ? line('both', 'both', text)
        : line('expected', 'expected', text),
    ),
    ...actual
      .filter((text) => !expected.includes(text))
      .map((text) => line('actual', 'actual', text)),
  );
}

// What there is to say if nothing went wrong.
function drawOutcome() {
  return h(
    'p',
    {},
    story.outcome === 'passed'
      ? 'Nothing: this execution passed.'
      : 'The execution was cut off at the step bound: there is no verdict.',
  );
}

// What the message has not explained yet.
function glossOfRemark() {
  const known = new Set(glossOf(violation.message).map((line) => line.textContent));
  const lines = glossOf(violation.remark).filter((line) => !known.has(line.textContent));
  return lines.length ? [h('span', { class: 'hint gloss' }, ...lines)] : [];
}

function drawWrong() {
  const wrong = byId('wrong');
  const system = story.terms.find(([word]) => word === 'the system');
  wrong.append(violation ? drawDifference() || '' : drawOutcome());
  if (violation) {
    const kind = meaningOf(violation.kind);
    if (kind)
      wrong.append(h('p', { class: 'kind' }, h('b', {}, violation.kind), ': ', kind.meaning));
    const evidence = allItems('evidence');
    if (evidence.length)
      wrong.append(h('ul', { class: 'evidence' }, ...evidence.map((item) => h('li', {}, item.t))));
    if (violation.where) wrong.append(h('p', {}, 'at ', h('code', {}, violation.where)));
    if (violation.calls && faults.includes(violation.kind))
      wrong.append(h('p', { class: 'hint' }, 'in ', h('code', {}, violation.calls)));
    if (violation.remark)
      wrong.append(
        h(
          'p',
          { class: 'remark' },
          h('b', {}, 'A second check: '),
          violation.remark,
          ...glossOfRemark(),
        ),
      );
  }
  if (story.bug)
    wrong.append(
      h(
        'p',
        { class: 'bug' },
        h('b', {}, `Injected bug ${story.bug.id}, ${story.bug.name}: `),
        story.bug.summary + '.',
      ),
    );
  if (system)
    wrong.append(
      h('details', { class: 'system' }, h('summary', {}, 'What the system is for'), system[1]),
    );
}

function drawSentences() {
  byId('sentences').hidden = story.explanation.length === 0;
  byId('sentences-text').append(...story.explanation.map((line) => h('li', {}, line)));
}

// ---- How to read it -----------------------------------------------------------------------------

// The machines that have a lane, each with what it is; those with the same meaning together.
function machineTerms() {
  const names = new Map();
  for (const { machine, title } of lanes) {
    const term = machine === undefined ? null : meaningOf(title);
    if (term) names.set(term.meaning, [...(names.get(term.meaning) || []), title]);
  }
  return [...names].map(([meaning, titles]) => ({ word: titles.join(', '), meaning }));
}

function drawGuide() {
  const panelTerm = (panel) => ({ word: panels[panel].name, meaning: panels[panel].summary });
  const isMeant = ({ is }) => ['row', 'meta row', 'tombstone'].some((name) => is.test(name));
  const point = meaningOf('linearization point');
  byId('guide-machines').append(...drawTerms(machineTerms()));
  byId('guide-tables').append(
    ...drawTerms([
      ...tables.map(panelTerm),
      ...glossary.filter(isMeant),
      ...tracks.map(panelTerm),
      ...(point ? [point] : []),
    ]),
  );
}

// ---- How it came to this ------------------------------------------------------------------------

const changedTables = (index) =>
  contents.filter((panel) => hasChanged(panel, index)).map((panel) => panels[panel].name);

// The words of the cells that a step has brought into a table.
function newWords(panel, index) {
  const wordsOf = (at) =>
    new Set(viewAt(panel, at).flatMap((row) => row.flatMap((cell) => cell.split(', '))));
  const before = wordsOf(index - 1);
  return [...wordsOf(index)].filter((word) => !before.has(word));
}

// Where the differing words came into the tables before the failed call began: step -> words. Only
// those that came once: others, as a common value of a property, tell nothing.
function originsOfDifference() {
  const comings = new Map(); // word -> steps
  for (let index = 1; index < steps.length; index++)
    for (const panel of contents.filter((table) => hasChanged(table, index)))
      for (const word of newWords(panel, index))
        if (difference.has(word)) comings.set(word, (comings.get(word) || new Set()).add(index));
  const origins = new Map();
  for (const [word, [index, ...more]] of comings)
    if (more.length === 0 && index < story.beginning)
      origins.set(index, [...(origins.get(index) || []), word]);
  return origins;
}

// The states as they stand after [index]: "migration state: PREFER_OLD (service-0, ...); ...".
function statesAt(index) {
  const said = tracks.map((panel) => {
    const holders = new Map();
    for (const [name, value] of viewAt(panel, index))
      holders.set(value, [...(holders.get(value) || []), name]);
    const groups = [...holders].map(([value, names]) => `${value} (${names.join(', ')})`);
    return groups.length ? `${panels[panel].name}: ${groups.join(', ')}` : '';
  });
  return said.filter((text) => text !== '').join('; ');
}

// The same, with who was stopped for this step if somebody was.
function withStop(index, lines) {
  const stop = stopLine(index);
  if (!stop) return lines;
  return [['stop', stop], ...(lines.length ? lines : [['note', summary(steps[index])]])];
}

// The last step before the failed call began in which the bug's line was passed.
const earlierBugLine = steps.findLastIndex((step, i) => i < story.beginning && step.b);

// Before the failed call began: from where the differing values are, and what else it takes.
function earlierLinesOf(index, origins) {
  const lines = [];
  if (origins.has(index)) {
    lines.push(['note', summary(steps[index])]);
    lines.push(['hint', `brings what differs: ${origins.get(index).join(', ')}`]);
  }
  if (index === earlierBugLine && story.bug) {
    if (lines.length === 0) lines.push(['note', summary(steps[index])]);
    lines.push(['bugline', `passes the line of the injected bug: ${story.bug.summary}`]);
  }
  return withStop(index, lines);
}

// The lines that tell of step [index]: those of the blamed machine, changes of contents and states
// by others, faults, and the bug's line.
function linesOf(index) {
  const step = steps[index],
    isCulprit = violation !== null && machines[step.m] === violation.machine;
  const told = step.i.filter(
    (item) => ['fault', 'state'].includes(item.k) || (isCulprit && !isDull(item)),
  );
  const changed = changedTables(index),
    lines = told.map((item) => [item.k, lineOf(item)]);
  if (isViolation(index)) lines.push(['violation', violation.kind + ': ' + violation.message]);
  if (changed.length > 0 && lines.length === 0) lines.push(['note', summary(step)]);
  if (changed.length > 0) lines.push(['hint', 'changes the ' + changed.join(' and the ')]);
  if (step.b && story.bug)
    lines.push(['bugline', `passes the line of the injected bug: ${story.bug.summary}`]);
  return withStop(index, lines);
}

// Adds [key], unless it says what the one before says of another machine: that then names it, too.
function addKey(keys, key) {
  const last = keys[keys.length - 1];
  const isState = key.lines.every(([kind]) => kind === 'state');
  const isSame = last && isState && last.said === JSON.stringify(key.lines);
  if (!isSame) {
    keys.push({ ...key, said: JSON.stringify(key.lines) });
    return;
  }
  const also = `${machines[steps[key.index].m]} (step ${numberOf(key.index)})`;
  const hint = last.lines.find(([kind]) => kind === 'hint');
  if (hint) hint[1] += `, then ${also}`;
  else last.lines.push(['hint', `then ${also}`]);
}

// The steps that matter: from the beginning of the failed call on, and, before that, those from
// which the differing values are, where somebody was stopped, and the bug's line.
function keySteps() {
  const result = [],
    origins = originsOfDifference();
  for (let index = 1; index < story.beginning; index++) {
    const lines = earlierLinesOf(index, origins);
    if (lines.length > 0) result.push({ index, lines, said: '' });
  }
  for (let index = story.beginning; index < steps.length; index++) {
    const lines = linesOf(index);
    if (index === story.beginning && index > 0 && tracks.length > 0)
      lines.push(['hint', `At this moment \u2014 ${statesAt(index)}`]);
    if (lines.length > 0) addKey(result, { index, lines });
  }
  return result;
}

const keys = keySteps();

function drawCameLine([kind, line]) {
  if (kind === 'hint') return h('span', { class: 'hint' }, ...unbroken(line));
  return h('span', {}, tag(kind), ...unbroken(line));
}

function taskHint(step) {
  const side = sideTask(step.m, step.k);
  return side ? h('span', { class: 'hint' }, ' ' + side) : null;
}

function drawCame() {
  const list = byId('came');
  for (const { index, lines } of keys) {
    const button = h(
      'button',
      { type: 'button', 'data-step': index },
      h('span', { class: 'number' }, 'step ' + numberOf(index)),
      h('span', { class: 'who' }, machines[steps[index].m], taskHint(steps[index])),
      h('span', { class: 'text' }, ...lines.map(drawCameLine)),
    );
    button.addEventListener('click', () => {
      select(index);
      reveal(240);
    });
    list.append(h('li', {}, button));
  }
  if (keys.length === 0) list.append(h('li', {}, 'Nothing to tell: go through the steps.'));
  const scrolls = list.scrollHeight > list.clientHeight ? ', in a list that scrolls' : '';
  byId('came-count').textContent =
    `${keys.length} of ${steps.length} steps${scrolls}. Select one to go to it.`;
}

function goToKey(direction) {
  const indices = keys.map((key) => key.index);
  const next =
    direction > 0
      ? indices.find((index) => index > selected)
      : indices.filter((index) => index < selected).pop();
  if (next !== undefined) select(next);
}
