// ---- The rest of the page -----------------------------------------------------------------------

function drawHead() {
  const title = violation
    ? `${violation.kind} in ${violation.machine}`
    : `${story.model}: ${story.outcome}`;
  document.title = title + ' \u2014 mtcheck';
  byId('title').textContent = title;
  byId('title').classList.toggle('bad', violation !== null);
  byId('message').replaceChildren(...unbroken(violation?.message ?? story.model_summary));
  byId('gloss').replaceChildren(...(violation ? glossOf(violation.message) : []));
  byId('gloss').hidden = byId('gloss').children.length === 0;
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
          : 'could have gone on: ' + (wordsOfStep(place.label || 'its step', false));
    return h(
      'tr',
      {},
      h('td', {}, h('b', {}, place.machine)),
      h('td', { class: 'short' }, place.name),
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
  const values = tracks.flatMap((panel) => panels[panel].values);
  const terms = [...values, ...story.terms].map(([word, meaning]) => ({ word, meaning }));
  byId('words').append(...drawTerms(terms));
}

// What this story has nothing of is not there.
function hideEmpty() {
  byId('tables-card').hidden = tables.length === 0;
  byId('states-card').hidden = tracks.length === 0;
  byId('words-card').hidden = byId('words').children.length === 0;
  byId('guide-tables').hidden = byId('guide-tables').children.length === 0;
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

// ---- Search -------------------------------------------------------------------------------------

const haystack = new Array(steps.length);
function textOf(index) {
  const step = steps[index];
  if (haystack[index] === undefined)
    haystack[index] = [
      machines[step.m],
      step.k || '',
      step.l,
      untold(step),
      step.w || '',
      'step ' + numberOf(index),
      'decision ' + step.d,
      ...step.i.flatMap((item) => [item.t, item.r || '']),
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

// ---- Keys and the like --------------------------------------------------------------------------

const page = () => {
  const top = scroller.scrollTop;
  return Math.max(1, indexAt(top + scroller.clientHeight) - indexAt(top) - 1);
};
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
    if (event.key === 'Enter') {
      goToMatch(event.shiftKey ? -1 : 1);
      reveal(window.innerHeight / 2);
    } else if (event.key === 'Escape') {
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
  if (event.key !== '/' && !inList) reveal(window.innerHeight / 2);
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
  sizeRows();
  drawLaneTitles();
  scrollToSelected();
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

// ---- The beginning ------------------------------------------------------------------------------

setTheme('system');
drawHead();
drawWrong();
drawSentences();
drawGuide();
drawCame();
drawLaneTitles();
drawLegend();
drawPlaces();
drawWords();
drawCommands();
hideEmpty();
byId('slider').max = String(lastStep);
sizeRows();
select(lastStep, true);
