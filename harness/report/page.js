'use strict';
// Draws the story that stands in the page as JSON. One variable is the state: the selected step.
// Everything shown is a function of it, of the search and of the scroll position; only the rows in
// sight exist, so thousands of steps cost no more than a screenful.
(() => {
  const story = JSON.parse(document.getElementById('data').textContent);
  const { steps, machines, panels, arrows, violation } = story;
  const byId = (id) => document.getElementById(id);
  const ROW = 24; // height of a row in pixels, as in the style
  const OVERSCAN = 12; // rows drawn beyond those in sight
  const lastStep = steps.length - 1;
  let selected = -1;
  let found = []; // indices of the steps that match the search
  let isFound = new Set();

  // ---- Small things -----------------------------------------------------------------------------

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
  };

  function tag(kind, text) {
    return text ? h('span', { class: 'tag ' + kind }, text) : null;
  }

  function lineOf(item) {
    if (item.k === 'value') return `'${item.t}' is ${item.a} of 0..${item.n - 1}`;
    if (item.k === 'start') return `begins: ${item.t}`;
    if (item.k === 'end') return `ended: ${item.t}`;
    return splitPlace(item.t)[0];
  }

  const isDull = (item) =>
    ['value', 'start', 'end', 'check', 'expected', 'actual'].includes(item.k);

  // What a step is in one line: what is told of it, or what it was going to do.
  function summary(step) {
    const told = step.i.filter((item) => !isDull(item)).map(lineOf);
    return told.length ? told.join(' \u00b7 ') : step.l;
  }

  const isViolation = (index) => violation !== null && index === lastStep;

  // ---- Panels over time -------------------------------------------------------------------------

  const tables = [],
    tracks = [];
  panels.forEach((panel, index) => (panel.kind === 'track' ? tracks : tables).push(index));

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

  // The values of a track panel get numbers in the order in which they first appear.
  const numbers = new Map();
  for (const panel of tracks) {
    const values = new Map();
    for (const view of panels[panel].views)
      for (const row of view) if (!values.has(row[1])) values.set(row[1], values.size + 1);
    numbers.set(panel, values);
  }
  const bandColor = (number) => `var(--band-${((number - 1) % 6) + 1})`;

  // ---- Lanes ------------------------------------------------------------------------------------

  // A lane for every machine that does or gets something; a row of a track panel that bears a
  // machine's name is drawn as the band of its lane, others get columns of their own.
  const lanes = [];
  const laneOf = new Map(); // machine -> lane
  (() => {
    const isActive = machines.map(() => false);
    steps.forEach((step) => {
      isActive[step.m] = true;
    });
    arrows.forEach(([from, to]) => {
      isActive[from] = isActive[to] = true;
    });
    const isMachine = new Set(machines);
    for (const panel of tracks) {
      const seen = new Set();
      for (const view of panels[panel].views) {
        for (const row of view) {
          if (isMachine.has(row[0]) || seen.has(row[0])) continue;
          seen.add(row[0]);
          lanes.push({
            title: `${panels[panel].name.replace(/ state$/, '')} ${row[0]}`,
            panel,
            name: row[0],
          });
        }
      }
    }
    machines.forEach((name, machine) => {
      if (!isActive[machine]) return;
      const panel = tracks.find((p) =>
        panels[p].views.some((v) => v.some((row) => row[0] === name)),
      );
      laneOf.set(machine, lanes.length);
      lanes.push({ title: name, machine, panel, name });
    });
  })();

  const laneWidth = () => (window.innerWidth <= 900 ? 19 : 32);
  const indexWidth = () => (window.innerWidth <= 900 ? 38 : 46);
  const laneX = (lane) => (lane + (lanes[lane].machine === undefined ? 0.5 : 0.62)) * laneWidth();

  function valueAt(lane, index) {
    const row = viewAt(lane.panel, index).find((cells) => cells[0] === lane.name);
    return row ? row[1] : null;
  }

  // Arrows by where they begin, so that those in sight are found quickly.
  const longArrows = [],
    shortArrows = new Map();
  for (const arrow of arrows) {
    const [from, to, sent, taken] = arrow;
    if (from === to || taken < 0) continue;
    if (taken !== sent) longArrows.push(arrow);
    else if (shortArrows.has(sent)) shortArrows.get(sent).push(arrow);
    else shortArrows.set(sent, [arrow]);
  }

  function drawBands(drawing, first, end) {
    lanes.forEach((lane, l) => {
      if (lane.panel === undefined) return;
      let begin = first,
        value = valueAt(lane, first);
      for (let i = first + 1; i <= end; i++) {
        const next = i < end ? valueAt(lane, i) : undefined;
        if (next === value) continue;
        if (value !== null) {
          const number = numbers.get(lane.panel).get(value);
          const isAlone = lane.machine === undefined;
          const width = isAlone ? laneWidth() - 6 : laneWidth() / 3;
          const x = isAlone ? laneX(l) - width / 2 : laneX(l) - laneWidth() / 2 + 1;
          drawing.append(
            svg('rect', {
              x,
              y: (begin - first) * ROW,
              width,
              height: (i - begin) * ROW,
              fill: bandColor(number),
            }),
          );
          for (let row = begin; row < i; row++)
            if (row === begin || row % 4 === 0)
              drawing.append(
                svg('text', { x: x + width / 2, y: (row - first) * ROW + 16 }, String(number)),
              );
        }
        begin = i;
        value = next;
      }
    });
  }

  function drawArrow(drawing, x1, y1, x2, y2, isMine) {
    const side = x2 > x1 ? -1 : 1,
      end = x2 + side * 5;
    const mine = isMine ? ' mine' : '';
    drawing.append(svg('line', { x1, y1, x2: end, y2, class: 'arrow' + mine }));
    drawing.append(
      svg('path', {
        d: `M${end} ${y2}l${side * 6} -3.5v7z`,
        class: 'head' + mine,
      }),
    );
  }

  function drawArrows(drawing, first, end) {
    const y = (index) => (index - first) * ROW + ROW / 2;
    const draw = ([from, to, sent, taken]) =>
      drawArrow(
        drawing,
        laneX(laneOf.get(from)),
        y(sent),
        laneX(laneOf.get(to)),
        y(taken),
        sent === selected || taken === selected,
      );
    for (let i = first; i < end; i++) (shortArrows.get(i) || []).forEach(draw);
    for (const arrow of longArrows) if (arrow[2] < end && arrow[3] >= first) draw(arrow);
  }

  function drawDot(drawing, index, first) {
    const step = steps[index],
      lane = laneOf.get(step.m);
    const x = laneX(lane),
      y = (index - first) * ROW + ROW / 2;
    if (isViolation(index)) {
      drawing.append(svg('path', { d: `M${x - 6} ${y - 6}l12 12m0 -12l-12 12`, class: 'bad' }));
    } else if (step.i.some((item) => item.k === 'point')) {
      drawing.append(svg('path', { d: `M${x} ${y - 8}l8 8l-8 8l-8 -8z`, class: 'point' }));
    } else {
      drawing.append(svg('circle', { cx: x, cy: y, r: 4.5, class: 'dot' }));
    }
  }

  function drawWindow(first, end) {
    const height = (end - first) * ROW,
      width = lanes.length * laneWidth();
    const drawing = svg('svg', { width, height, 'aria-hidden': 'true' });
    drawing.style.left = indexWidth() + 'px';
    drawBands(drawing, first, end);
    lanes.forEach((lane, l) => {
      if (lane.machine !== undefined)
        drawing.append(
          svg('line', { x1: laneX(l), y1: 0, x2: laneX(l), y2: height, class: 'lane' }),
        );
    });
    drawArrows(drawing, first, end);
    for (let i = first; i < end; i++) drawDot(drawing, i, first);
    return drawing;
  }

  // ---- The list of steps ------------------------------------------------------------------------

  const scroller = byId('scroller'),
    view = byId('window');

  function tagsOf(index) {
    const step = steps[index],
      kinds = new Set(step.i.map((item) => item.k));
    const tags = ['call', 'return', 'point', 'state', 'fault']
      .filter((kind) => kinds.has(kind))
      .map((kind) => tag(kind, words[kind]));
    if (step.b && story.bug) tags.push(tag('bugline', 'bug\u2019s line'));
    if (isViolation(index)) tags.push(tag('violation', '\u2715 violation'));
    return tags;
  }

  function drawRow(index) {
    const row = h('div', {
      class: 'row' + (isFound.has(index) ? ' found' : ''),
      role: 'option',
      id: 'row-' + index,
      'aria-selected': index === selected,
      'aria-setsize': steps.length,
      'aria-posinset': index + 1,
    });
    row.append(
      h('span', { class: 'index' }, String(index)),
      h('span', { class: 'gap' }),
      h(
        'span',
        { class: 'line' },
        ...tagsOf(index),
        h('b', {}, machines[steps[index].m]),
        ' ',
        summary(steps[index]),
      ),
    );
    row.children[1].style.width = lanes.length * laneWidth() + 8 + 'px';
    return row;
  }

  function drawSteps() {
    const top = scroller.scrollTop,
      height = scroller.clientHeight || 400;
    const first = Math.max(0, Math.floor(top / ROW) - OVERSCAN);
    const end = Math.min(steps.length, Math.ceil((top + height) / ROW) + OVERSCAN);
    const rows = [];
    for (let i = first; i < end; i++) rows.push(drawRow(i));
    view.replaceChildren(...rows, drawWindow(first, end));
    view.style.transform = `translateY(${first * ROW}px)`;
    scroller.setAttribute('aria-activedescendant', 'row-' + selected);
  }

  // Keeps the selected step in the upper half: the list's end may lie below the window's.
  function scrollToSelected() {
    const y = selected * ROW,
      height = scroller.clientHeight;
    const highest = height * 0.15,
      lowest = height * 0.5;
    if (y < scroller.scrollTop + highest) scroller.scrollTop = Math.max(0, y - highest);
    else if (y > scroller.scrollTop + lowest) scroller.scrollTop = y - lowest;
  }

  function drawLaneTitles() {
    const titles = byId('lanes');
    titles.replaceChildren(
      ...lanes.map((lane, l) => {
        const title = h(
          'span',
          { class: lane.machine === undefined ? 'track' : 'machine' },
          lane.title,
        );
        title.style.left = indexWidth() + laneX(l) - 7 + 'px';
        return title;
      }),
    );
    const note = h('p', {}, 'what happens, a line for each step');
    note.style.left = indexWidth() + lanes.length * laneWidth() + 10 + 'px';
    titles.append(note);
  }

  function drawLegend() {
    const legend = byId('legend');
    legend.append(
      '\u25cf step  \u25c6 a call takes effect  \u2715 violation  \u2192 call or message. ',
    );
    for (const panel of tracks) {
      legend.append(h('b', {}, panels[panel].name + ': '));
      for (const [value, number] of numbers.get(panel)) {
        const swatch = h('span', { class: 'swatch' }, String(number));
        swatch.style.background = bandColor(number);
        legend.append(h('span', { class: 'band' }, swatch, ' ' + value));
      }
    }
  }

  // ---- The selected step ------------------------------------------------------------------------

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

  // ---- What went wrong, and how it came to this -------------------------------------------------

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

  // ---- The rest of the page ---------------------------------------------------------------------

  function drawHead() {
    const title = violation
      ? `${violation.kind} in ${violation.machine}`
      : `${story.model}: ${story.outcome}`;
    document.title = title + ' \u2014 mtcheck';
    byId('title').textContent = title;
    byId('title').classList.toggle('bad', violation !== null);
    byId('message').textContent = violation ? violation.message : story.model_summary;
    byId('run').textContent = [
      story.model,
      'test ' + story.test,
      story.bug ? `bug ${story.bug.id} ${story.bug.name}` : 'no bug injected',
      story.strategy,
      'seed ' + story.seed,
      'iteration ' + story.iteration,
      `${steps.length + story.skipped_steps} steps, ${story.decisions} decisions` +
        (story.is_minimized ? ' (minimized)' : ''),
    ].join(' \u00b7 ');
  }

  function drawPlaces() {
    const rows = story.places.map((place) => {
      const doing = place.was_running
        ? 'was running'
        : place.is_idle
          ? 'waits for messages'
          : place.waits_for
            ? 'waits for ' + place.waits_for
            : 'could go on with ' + (place.label || 'its step');
      return h(
        'tr',
        {},
        h('td', {}, h('b', {}, place.machine)),
        h('td', {}, place.name),
        h(
          'td',
          {},
          doing,
          place.where && !place.was_running
            ? h('span', { class: 'hint' }, ' at ' + place.where)
            : null,
          place.calls ? h('div', { class: 'hint mono' }, place.calls) : null,
        ),
      );
    });
    byId('places').append(
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...['machine', 'task', 'what it does'].map((name) => h('th', { scope: 'col' }, name)),
        ),
      ),
      h('tbody', {}, ...rows),
    );
  }

  function drawWords() {
    for (const [word, meaning] of story.terms)
      byId('words').append(h('dt', {}, word), h('dd', {}, meaning));
    if (story.terms.length === 0) byId('words').append(h('dd', {}, 'none'));
  }

  function drawCommands() {
    for (const command of story.commands) {
      const copy = h('button', { type: 'button' }, 'Copy');
      copy.addEventListener('click', () => {
        navigator.clipboard.writeText(command).then(
          () => {
            copy.textContent = 'Copied';
          },
          () => {
            copy.textContent = 'Select it';
          },
        );
      });
      byId('again').append(h('div', { class: 'command' }, h('code', {}, command), copy));
    }
  }

  // ---- Search -----------------------------------------------------------------------------------

  const haystack = new Array(steps.length);
  function textOf(index) {
    const step = steps[index];
    if (haystack[index] === undefined)
      haystack[index] = [
        machines[step.m],
        step.l,
        step.w || '',
        'step ' + index,
        'decision ' + step.d,
        ...step.i.map((item) => item.t),
      ]
        .join('\n')
        .toLowerCase();
    return haystack[index];
  }

  function showMatches() {
    const at = found.indexOf(selected);
    byId('matches').textContent =
      byId('search').value === ''
        ? ''
        : found.length === 0
          ? 'no match'
          : at < 0
            ? `${found.length} found`
            : `${at + 1} of ${found.length}`;
  }

  function search() {
    const needle = byId('search').value.toLowerCase();
    found = [];
    for (let i = 0; needle !== '' && i < steps.length; i++)
      if (textOf(i).includes(needle)) found.push(i);
    isFound = new Set(found);
    drawSteps();
    showMatches();
  }

  // The next match behind (or before) the selected step, around the end.
  function goToMatch(direction) {
    if (found.length === 0) return;
    const next =
      direction > 0
        ? (found.find((index) => index > selected) ?? found[0])
        : ([...found].reverse().find((index) => index < selected) ?? found[found.length - 1]);
    select(next);
    showMatches();
  }

  // ---- Keys and the like ------------------------------------------------------------------------

  const page = () => Math.max(1, Math.floor(scroller.clientHeight / ROW) - 1);
  const moves = {
    ArrowLeft: () => select(selected - 1),
    ArrowRight: () => select(selected + 1),
    Home: () => select(0),
    End: () => select(lastStep),
    n: () => goToKey(1),
    p: () => goToKey(-1),
    '/': () => {
      byId('search').focus();
      byId('search').select();
    },
  };
  // In the list and on the slider also these; elsewhere they scroll the page.
  const listMoves = {
    ArrowUp: () => select(selected - 1),
    ArrowDown: () => select(selected + 1),
    PageUp: () => select(selected - page()),
    PageDown: () => select(selected + page()),
  };

  document.addEventListener('keydown', (event) => {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target === byId('search')) {
      if (event.key === 'Enter') goToMatch(event.shiftKey ? -1 : 1);
      else if (event.key === 'Escape') {
        byId('search').value = '';
        search();
        scroller.focus();
      } else return;
      event.preventDefault();
      return;
    }
    const inList = target === scroller || target === byId('slider');
    const move = moves[event.key] || (inList ? listMoves[event.key] : undefined);
    if (!move) return;
    event.preventDefault();
    move();
  });
  byId('search').addEventListener('input', search);
  byId('slider').addEventListener('input', () => select(Number(byId('slider').value)));
  byId('first').addEventListener('click', () => select(0));
  byId('previous').addEventListener('click', () => select(selected - 1));
  byId('next').addEventListener('click', () => select(selected + 1));
  byId('last').addEventListener('click', () => select(lastStep));
  view.addEventListener('click', (event) => {
    const row = event.target.closest('.row');
    if (row) select(Number(row.id.slice(4)));
  });
  let isDrawing = false;
  scroller.addEventListener('scroll', () => {
    if (isDrawing) return;
    isDrawing = true;
    requestAnimationFrame(() => {
      isDrawing = false;
      drawSteps();
    });
  });
  window.addEventListener('resize', () => {
    drawLaneTitles();
    drawSteps();
  });

  const themes = ['system', 'light', 'dark'];
  function setTheme(theme) {
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    byId('theme').textContent = 'Theme: ' + theme;
    byId('theme').dataset.theme = theme;
  }
  byId('theme').addEventListener('click', () =>
    setTheme(themes[(themes.indexOf(byId('theme').dataset.theme) + 1) % themes.length]),
  );

  // ---- The beginning ----------------------------------------------------------------------------

  setTheme('system');
  drawHead();
  drawWrong();
  drawCame();
  drawLaneTitles();
  drawLegend();
  drawPlaces();
  drawWords();
  drawCommands();
  byId('slider').max = String(lastStep);
  byId('extent').style.height = `calc(${steps.length * ROW}px + (100vh - 260px) / 2)`;
  select(lastStep, true);
  byId('came').scrollTop = byId('came').scrollHeight;
})();
