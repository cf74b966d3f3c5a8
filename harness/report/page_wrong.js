// ---- What went wrong, and how it came to this ---------------------------------------------------

const allItems = (kind) => steps.flatMap((step) => step.i.filter((item) => item.k === kind));

const faults = ['crash', 'hang', 'stack-overflow', 'assertion']; // their place matters

function drawWrong() {
  const wrong = byId('wrong');
  const expected = allItems('expected').map((item) => item.t),
    actual = allItems('actual').map((item) => item.t);
  if (expected.length + actual.length > 0) {
    const line = (kind, word, text) =>
      h('li', { class: kind }, h('b', {}, word), h('span', {}, text));
    wrong.append(
      h(
        'ul',
        { class: 'diff', 'aria-label': 'Expected and actual' },
        ...expected.map((text) =>
          actual.includes(text)
            ? line('both', '= both', text)
            : line('expected', '\u2212 expected', text),
        ),
        ...actual
          .filter((text) => !expected.includes(text))
          .map((text) => line('actual', '+ actual', text)),
      ),
    );
  } else if (violation) {
    wrong.append(h('p', {}, violation.message));
  }
  if (!violation)
    wrong.append(
      h(
        'p',
        {},
        story.outcome === 'passed'
          ? 'Nothing: this execution passed.'
          : 'The execution was cut off at the step bound: there is no verdict.',
      ),
    );
  if (violation && violation.where)
    wrong.append(h('p', {}, 'at ', h('code', {}, violation.where)));
  if (violation && violation.calls && faults.includes(violation.kind))
    wrong.append(h('p', { class: 'hint' }, 'in ', h('code', {}, violation.calls)));
  if (story.bug)
    wrong.append(
      h(
        'p',
        { class: 'bug' },
        h('b', {}, `Injected bug ${story.bug.id}, ${story.bug.name}: `),
        story.bug.summary + '.',
      ),
    );
  if (story.explanation.length > 0)
    wrong.append(
      h('h3', {}, 'In sentences'),
      h('ol', { class: 'explanation' }, ...story.explanation.map((line) => h('li', {}, line))),
    );
  const meaning = story.terms.find(([word]) => word === 'the system');
  if (meaning) wrong.append(h('p', { class: 'hint' }, meaning[1]));
}

const changedTables = (index) =>
  tables.filter((panel) => hasChanged(panel, index)).map((panel) => panels[panel].name);

// The steps that matter: those of the blamed machine that tell something, changes of contents by
// others, faults, and the bug's line; from the beginning of the failed call on.
function keySteps() {
  const culprit = violation ? violation.machine : null,
    result = [];
  for (let index = story.beginning; index < steps.length; index++) {
    const step = steps[index],
      isCulprit = machines[step.m] === culprit;
    const told = step.i.filter((item) => item.k === 'fault' || (isCulprit && !isDull(item)));
    const changed = changedTables(index);
    const isBugLine = step.b && story.bug;
    if (told.length + changed.length === 0 && !isBugLine && !isViolation(index)) continue;
    const lines = told.map((item) => [item.k, lineOf(item)]);
    if (isViolation(index)) lines.push(['violation', violation.kind + ': ' + violation.message]);
    if (changed.length > 0 && lines.length === 0) lines.push(['note', summary(step)]);
    if (changed.length > 0) lines.push(['hint', 'changes the ' + changed.join(' and the ')]);
    if (isBugLine)
      lines.push(['bugline', `passes the line of the injected bug: ${story.bug.summary}`]);
    result.push({ index, lines });
  }
  return result;
}

const keys = keySteps();

function drawCame() {
  const list = byId('came');
  for (const { index, lines } of keys) {
    const text = lines.map(([kind, line]) =>
      kind === 'hint'
        ? h('span', { class: 'hint' }, line)
        : h(
            'span',
            {},
            tag(
              kind,
              kind === 'bugline'
                ? 'bug\u2019s line'
                : kind === 'violation'
                  ? '\u2715'
                  : words[kind],
            ),
            line,
          ),
    );
    const button = h(
      'button',
      { type: 'button', 'data-step': index },
      h('span', { class: 'number' }, 'step ' + index),
      h('span', { class: 'who' }, machines[steps[index].m]),
      h('span', { class: 'text' }, ...text),
    );
    button.addEventListener('click', () => select(index));
    list.append(h('li', {}, button));
  }
  if (keys.length === 0) list.append(h('li', {}, 'Nothing to tell: go through the steps.'));
}

function goToKey(direction) {
  const indices = keys.map((key) => key.index);
  const next =
    direction > 0
      ? indices.find((index) => index > selected)
      : indices.filter((index) => index < selected).pop();
  if (next !== undefined) select(next);
}
