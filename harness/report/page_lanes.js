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

// ---- The list of steps --------------------------------------------------------------------------

const scroller = byId('scroller'),
  view = byId('window');

function tagsOf(index) {
  const step = steps[index],
    kinds = new Set(step.i.map((item) => item.k));
  const tags = ['call', 'return', 'point', 'state', 'fault']
    .filter((kind) => kinds.has(kind))
    .map((kind) => tag(kind));
  if (step.b && story.bug) tags.push(tag('bugline'));
  if (isViolation(index)) tags.push(tag('violation'));
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
  const legend = byId('legend-text');
  legend.append(
    '\u25cf step  \u25c6 a call takes effect  \u2715 violation  \u2192 call or message. ',
  );
  for (const panel of tracks) {
    legend.append(h('b', {}, panels[panel].name + ': '));
    const used = new Set(panels[panel].views.flatMap((rows) => rows.map((row) => row[1])));
    for (const [value, number] of numbers.get(panel)) {
      if (!used.has(value)) continue;
      const swatch = h('span', { class: 'swatch' }, String(number));
      swatch.style.background = bandColor(number);
      legend.append(h('span', { class: 'band' }, swatch, ' ' + value));
    }
  }
}
