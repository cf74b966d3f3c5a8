// ---- Lanes --------------------------------------------------------------------------------------

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

const isNarrow = () => window.innerWidth <= 900; // as in the style
const laneWidth = () => (isNarrow() ? 19 : 32);
const indexWidth = () => (isNarrow() ? 38 : 46);
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
        const sign = signOf(lane.panel, value);
        const isAlone = lane.machine === undefined;
        const width = isAlone ? laneWidth() - 6 : laneWidth() / 3;
        const x = isAlone ? laneX(l) - width / 2 : laneX(l) - laneWidth() / 2 + 1;
        const textX = isAlone ? x + width / 2 - 3 : x;
        drawing.append(
          svg('rect', {
            x,
            y: tops[begin] - tops[first],
            width,
            height: tops[i] - tops[begin],
            fill: bandColor(numbers.get(lane.panel).get(value)),
          }),
        );
        for (let row = begin; row < i; row++)
          if (row === begin || row % 4 === 0)
            drawing.append(
              svg('text', { x: textX, y: middle(row) - tops[first] + 4 }, sign),
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
  const y = (index) => middle(index) - tops[first];
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
    y = middle(index) - tops[first];
  if (isViolation(index)) {
    const r = isNarrow() ? 4 : 6;
    const d = `M${x - r} ${y - r}l${2 * r} ${2 * r}m0 -${2 * r}l-${2 * r} ${2 * r}`;
    drawing.append(svg('path', { d, class: 'bad' }));
  } else if (step.i.some((item) => item.k === 'point')) {
    const r = isNarrow() ? 5 : 7;
    drawing.append(
      svg('path', { d: `M${x} ${y - r}l${r} ${r}l-${r} ${r}l-${r} -${r}z`, class: 'point' }),
    );
  } else {
    drawing.append(svg('circle', { cx: x, cy: y, r: isNarrow() ? 3.5 : 4.5, class: 'dot' }));
  }
}

function drawWindow(first, end) {
  const height = tops[end] - tops[first],
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

// ---- The list of steps --------------------------------------------------------------------------

const scroller = byId('scroller'),
  view = byId('window');

function tagsOf(index) {
  const step = steps[index],
    kinds = new Set(step.i.map((item) => item.k));
  const tags = ['call', 'return', 'point', 'state', 'fault']
    .filter((kind) => kinds.has(kind))
    .map((kind) => tag(kind));
  if (stopLine(index)) tags.unshift(tag('stop'));
  if (step.b && story.bug) tags.push(tag('bugline'));
  if (isViolation(index)) tags.push(tag('violation'));
  return tags;
}

// What stands in the line of a step behind its tags and the machine's name.
function lineText(index) {
  const step = steps[index],
    side = sideTask(step.m, step.k),
    said = summary(step);
  return (side && said !== `begins: ${side}` ? `(${side}) ` : '') + said;
}

// Lines of the list are as many as their texts need, up to LINES_MAX: [tops] says where each step
// begins, in pixels, and last where the list ends.
const FIRST_LINE = 24,
  MORE_LINE = 17; // heights, as in the style
let tops = [];
const middle = (index) => tops[index] + FIRST_LINE / 2;
const linesMax = () => (isNarrow() ? 5 : 3);
const waste = () => (isNarrow() ? 1.35 : 1.15); // what the breaks between long words cost

// The last step that begins at or above [y].
function indexAt(y) {
  let low = 0,
    high = steps.length;
  while (high - low > 1) {
    const at = (low + high) >> 1;
    if (tops[at] <= y) low = at;
    else high = at;
  }
  return low;
}

// Text that does not fit is cut where its result begins: that is what one looks for.
let texts = [];
function fitted(text, share) {
  if (share >= 1) return text;
  const [, head, result = ''] = /^(.*?)((?:, gets | -> ).*)?$/s.exec(text);
  const left = Math.max(12, Math.floor(text.length * share) - result.length - 1);
  return left < head.length ? head.slice(0, left) + '\u2026' + result : text;
}

function sizeRows() {
  const pen = document.createElement('canvas').getContext('2d');
  const room = scroller.clientWidth - indexWidth() - lanes.length * laneWidth() - 24;
  pen.font = '13.1px system-ui, sans-serif';
  tops = [0];
  texts = steps.map((step, index) => {
    const tags = tagsOf(index).map((tag) => (isNarrow() ? '\u25a0' : tag.textContent));
    const ofTags = pen.measureText(tags.join('')).width * 0.9 + tags.length * 17;
    const before = ofTags + pen.measureText(machines[step.m]).width * 1.12 + 4;
    const text = lineText(index),
      width = pen.measureText(text).width;
    const isShort = before + width < room;
    const lines = isShort ? 1 : Math.ceil((before + width * waste()) / room);
    tops.push(tops[index] + FIRST_LINE + (Math.min(lines, linesMax()) - 1) * MORE_LINE);
    return fitted(text, (room * linesMax() - before) / (width * waste()));
  });
  // Below the last there is room for it to stand at the top, should no more of the list be seen.
  byId('extent').style.height = `${tops[steps.length] + scroller.clientHeight * 0.9}px`;
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
    h('span', { class: 'index' }, String(numberOf(index))),
    h('span', { class: 'gap' }),
    h(
      'span',
      { class: 'line' },
      ...tagsOf(index),
      h('b', {}, machines[steps[index].m]),
      ' ',
      ...unbroken(texts[index]),
    ),
  );
  row.style.height = tops[index + 1] - tops[index] + 'px';
  row.children[1].style.width = lanes.length * laneWidth() + 8 + 'px';
  return row;
}

function drawSteps() {
  const top = scroller.scrollTop,
    height = scroller.clientHeight || 400;
  const first = Math.max(0, indexAt(top) - OVERSCAN);
  const end = Math.min(steps.length, indexAt(top + height) + 1 + OVERSCAN);
  const rows = [];
  for (let i = first; i < end; i++) rows.push(drawRow(i));
  view.replaceChildren(...rows, drawWindow(first, end));
  view.style.transform = `translateY(${tops[first]}px)`;
  scroller.setAttribute('aria-activedescendant', 'row-' + selected);
}

// Keeps the selected step in what can be seen of the list, whose end may lie below the window's.
function scrollToSelected() {
  const y = tops[selected],
    seen = window.innerHeight - scroller.getBoundingClientRect().top;
  const height = seen > 60 ? Math.min(scroller.clientHeight, seen) : scroller.clientHeight;
  const highest = height * 0.15,
    lowest = height * 0.6;
  if (y < scroller.scrollTop + highest) scroller.scrollTop = Math.max(0, y - highest);
  else if (y > scroller.scrollTop + lowest) scroller.scrollTop = y - lowest;
  const end = tops[steps.length] - scroller.clientHeight + 8;
  if (height === scroller.clientHeight && scroller.scrollTop > end) scroller.scrollTop = end;
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
  byId('keys').style.left = note.style.left;
}

// The signs that occur in this story, each with what it means.
function signsUsed() {
  const has = (kind) => steps.some((step) => step.i.some((item) => item.k === kind));
  const isOnItsWay = ([from, to, sent, taken]) => from !== to && sent !== taken;
  return [
    ['\u25cf step', true],
    ['\u25c6 a call takes effect', has('point')],
    ['\u2715 violation', violation !== null],
    ['\u27f6 a call, or a message to where it is taken', shortArrows.size + longArrows.length > 0],
    ['\u2192 begins a call', has('call')],
    ['\u2190 its result', has('return')],
    ['\u2691 a state is announced or taken', has('state')],
    ['\u26a1 something fails', has('fault')],
    ['\u2016 somebody who could go on is stopped', steps.some((_, i) => stopLine(i))],
    ['\u2731 passes the line of the bug', story.bug && steps.some((step) => step.b)],
    ['\u2194 a message is sent or taken', arrows.some(isOnItsWay)],
  ]
    .filter(([, occurs]) => occurs)
    .map(([text]) => text);
}

function drawLegend() {
  const legend = byId('legend-text');
  for (const text of signsUsed()) legend.append(h('span', { class: 'band' }, text), ' ');
  for (const panel of tracks) {
    legend.append(h('br'), h('b', {}, panels[panel].name + ': '));
    const used = new Set(panels[panel].views.flatMap((rows) => rows.map((row) => row[1])));
    for (const [value, number] of numbers.get(panel)) {
      if (!used.has(value)) continue;
      const swatch = h('span', { class: 'swatch' }, signOf(panel, value));
      swatch.style.background = bandColor(number);
      legend.append(h('span', { class: 'band' }, swatch, ' ' + value));
    }
  }
}
