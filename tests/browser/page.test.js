// The report's page in a real browser: what it shows, how it answers keys, how fast. Run by
// scripts/test-browser, which names the browser (CHROMIUM) and a folder with pages (PAGES):
//   bug.html     the first violation of bug 3
//   min.html     the same, minimized
//   schema.html  the first violation of the schema upgrade's bug 2
//   long.html    bug.html's story drawn out to 5,000 steps
// Screenshots go to that folder too.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

const folder = process.env.PAGES;
const widths = [
  [1280, 900],
  [390, 844],
];
let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
});
after(() => browser.close());

// Opens a page; what the console said and what was requested is collected.
async function open(name, [width, height] = widths[0], colorScheme = 'light') {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  page.problems = [];
  page.requests = [];
  page.on('console', (message) => page.problems.push(message.text()));
  page.on('pageerror', (error) => page.problems.push(error.message));
  page.on('request', (request) => page.requests.push(request.url()));
  await page.goto(`file://${folder}/${name}`);
  return page;
}

// Opens the page [name] with its story changed by [change].
async function openChanged(name, change, size, colorScheme) {
  const [, before, json, after] = /^(.*id="data">)(.*?)(<\/script>.*)$/s.exec(
    readFileSync(`${folder}/${name}`, 'utf8'),
  );
  const story = JSON.parse(json);
  change(story);
  const data = JSON.stringify(story).replaceAll('<', '\\u003c');
  writeFileSync(`${folder}/changed.html`, before + data + after);
  return open('changed.html', size, colorScheme);
}

const text = (page, selector) => page.locator(selector).innerText();
const position = (page) => text(page, '#position');
const data = (page) => page.evaluate(() => JSON.parse(document.getElementById('data').textContent));

// What the tables show, as lines "table|mark|cells".
const tables = (page) =>
  page
    .locator('#tables tbody tr')
    .evaluateAll((rows) =>
      rows.map((row) =>
        [
          row.closest('table').dataset.panel,
          ...[...row.cells].map((cell) => cell.innerText.trim()),
        ].join('|'),
      ),
    );

async function select(page, step) {
  await page.locator('#slider').evaluate((slider, value) => {
    slider.value = value;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  }, String(step));
}

test('the page says what went wrong, and how to see it again', async () => {
  const page = await open('bug.html');
  assert.match(await text(page, 'h1'), /^stream-read-invalid in service-\d$/);
  assert.match(await text(page, '#wrong'), /expected\s+\{.*actual\s+the end/s);
  assert.match(await text(page, '#wrong'), /stream-read-invalid: each answer of a stream/);
  assert.match(await text(page, '#wrong'), /Injected bug 3, QueryStreamedBackUpNewStream/);
  assert.match(await text(page, '#again'), /mtcheck --replay '.*\.trace' --verbose/);
  assert.match(await text(page, '#again'), /--bug 3 --only-iteration \d+/);
  assert.match(await text(page, '#places'), /was running/);
  assert.doesNotMatch(await text(page, '#words-card'), /tombstone/);
  await page.locator('#words-card summary').click();
  assert.match(await text(page, '#words'), /tombstone: a row/);
  // The last line of the explanation is the violation, and the bug's line comes before it.
  const lines = await page.locator('#came li').allInnerTexts();
  assert.match(lines.at(-1), /stream-read-invalid/);
  assert.ok(lines.some((line) => line.includes('passes the line of the injected bug')));
  const { beginning } = await data(page);
  assert.match(await text(page, `#came [data-step="${beginning}"]`), /begins to stream/);
  await page.close();
});

test('nothing is loaded and nothing is complained of', async () => {
  for (const name of ['bug.html', 'min.html', 'schema.html', 'long.html']) {
    const page = await open(name);
    for (const key of ['Home', 'ArrowRight', 'End', 'ArrowLeft']) await page.keyboard.press(key);
    assert.deepEqual(page.problems, []);
    assert.deepEqual(page.requests, [`file://${folder}/${name}`]);
    await page.close();
  }
});

// What stands in #wrong, in order: the classes of its children.
const orderOfWrong = (page) =>
  page.locator('#wrong > *').evaluateAll((all) => all.map((element) => element.className));

test('what went wrong begins with the difference; a second opinion is told', async () => {
  const page = await openChanged('bug.html', (story) => {
    story.violation.remark = 'no <order> explains it';
  });
  assert.deepEqual(await orderOfWrong(page), ['diff', 'kind', 'remark', 'bug', '']);
  assert.equal(await text(page, '#wrong .remark'), 'A second check: no <order> explains it');
  assert.match(await text(page, '#wrong p:last-child'), /^The system: MigratingTable moves/);
  await page.close();
  const plain = await openChanged('bug.html', (story) => {
    story.violation.remark = '';
  });
  assert.equal(await plain.locator('.remark').filter({ hasText: 'second' }).count(), 0);
  await plain.close();
});

test('an execution that passed, or was cut off, says so', async () => {
  for (const [outcome, words] of [
    ['passed', /Nothing: this execution passed/],
    ['step-limit', /there is no verdict/],
  ]) {
    const page = await openChanged('bug.html', (story) => {
      story.violation = null;
      story.outcome = outcome;
      story.beginning = 0;
    });
    assert.match(await text(page, '#wrong'), words);
    assert.deepEqual(page.problems, []);
    assert.equal(await page.locator('.tag.violation').count(), 0);
    await page.close();
  }
});

// In how many steps each word comes into a table.
function countComings(story) {
  const counts = new Map();
  const wordsOf = (panel, i) =>
    new Set(panel.view(i).flatMap((row) => row.flatMap((cell) => cell.split(', '))));
  const tablePanels = story.panels
    .map((panel, p) => ({ ...panel, view: (i) => panel.views[story.steps[i].v[p]] }))
    .filter(({ kind }) => kind === 'table');
  for (let i = 1; i < story.steps.length; i++) {
    const come = new Set();
    for (const panel of tablePanels)
      for (const word of wordsOf(panel, i)) if (!wordsOf(panel, i - 1).has(word)) come.add(word);
    for (const word of come) counts.set(word, [...(counts.get(word) || []), i]);
  }
  return counts;
}

// Lets the failed call be the last step alone, and the expected line have a word that came once
// before and one that came more often. Returns the two, and the step where the first came.
function makeLateDifference(story) {
  const last = story.steps.length - 1;
  const comings = [...countComings(story)].filter(([word]) => /^[\w='-]+$/.test(word));
  const [once, [step]] = comings.find(([, at]) => at.length === 1 && at[0] < last);
  const [often] = comings.find(([, at]) => at.length > 1);
  story.beginning = last;
  story.steps[last].i = [
    { k: 'expected', m: story.steps[last].m, t: `{'k' ${often} same ${once}}` },
    { k: 'actual', m: story.steps[last].m, t: "{'k' same other-1}" },
  ];
  return { once, often, step };
}

test('words that differ are marked, and traced to where they come from', async () => {
  let made;
  const page = await openChanged('bug.html', (story) => {
    made = makeLateDifference(story);
  });
  const marks = await page.locator('.diff mark').allInnerTexts();
  assert.deepEqual(marks, [made.often, made.once, 'other-1']);
  const traces = await page.locator('#came li', { hasText: 'brings what differs' }).allInnerTexts();
  assert.equal(traces.length, 1);
  assert.match(traces[0], new RegExp(`^step ${made.step}\n`));
  assert.ok(traces[0].endsWith(`brings what differs: ${made.once}`));
  await page.close();
});

test('how it came begins at its top, with the states, and with what others announce', async () => {
  for (const size of widths) {
    const page = await open('min.html', size);
    const { list, button } = await page.evaluate(() => ({
      list: document.getElementById('came').getBoundingClientRect().toJSON(),
      button: document.querySelector('#came button').getBoundingClientRect().toJSON(),
    }));
    assert.ok(button.top >= list.top - 1 && button.bottom <= list.bottom, 'the first line is seen');
    const lines = await page.locator('#came li').allInnerTexts();
    assert.match(lines[0], /begins to stream/);
    assert.match(lines[0], /At this moment . migration state: [A-Z_]+ \(.*service-0.*partition/);
    assert.ok(lines.some((line) => /migrator\s+.*announces USE_NEW_WITH_TOMBSTONES/s.test(line)));
    // What one machine after the other does in the same words is one line.
    const merged = lines.filter((line) => line.includes('takes the configuration USE_NEW_WITH'));
    assert.equal(merged.length, 1);
    assert.match(merged[0], /then [a-z0-9-]+ \(step \d+\), then [a-z0-9-]+ \(step \d+\)/);
    assert.match(await text(page, '#came-count'), /^\d+ of \d+ steps, in a list that scrolls\./);
    await page.close();
  }
});

test('how to read it: folded, opened by keyboard, tells who and what everything is', async () => {
  const page = await open('min.html');
  assert.equal(await page.locator('#guide-machines').isVisible(), false);
  assert.equal(await page.locator('#sentences-text').isVisible(), false);
  await page.locator('#guide summary').focus();
  await page.keyboard.press('Enter');
  const guide = await text(page, '#guide');
  const machines = await page.locator('#lanes .machine').allInnerTexts();
  assert.ok(machines.length >= 4);
  for (const machine of machines)
    assert.match(guide, new RegExp(`(^|, )${machine}(, [^:]+)?: \\w`, 'm'), machine);
  for (const name of ['old table', 'new table', 'reference', 'row', 'tombstone', 'partition state'])
    assert.match(guide, new RegExp(`^${name}: \\w`, 'm'), name);
  assert.match(guide, /meta row: a row that MigratingTable itself keeps/);
  assert.match(guide, /linearization point.*: the linearization point of a call is the instant/);
  await page.locator('#sentences summary').focus();
  await page.keyboard.press('Enter');
  assert.match(await text(page, '#sentences-text'), /That is the violation/);
  await page.close();
});

test('a step is told in words, and its words are explained', async () => {
  const page = await open('min.html');
  const story = await data(page);
  const takes = story.steps.findIndex((step) =>
    step.i.some((item) => item.k === 'state' && item.t.startsWith('receives PREFER_NEW')),
  );
  await select(page, takes);
  assert.match(await text(page, '#items'), /takes the configuration PREFER_NEW/);
  assert.match(await text(page, '#step-terms'), /PREFER_NEW: writes go to the new table/);
  const reads = story.steps.findIndex((step) =>
    step.i.some((item) => item.t.startsWith('new.read-stream')),
  );
  await select(page, reads);
  assert.match(await text(page, '#items'), /reads on in the new table's stream, gets/);
  assert.match(await text(page, `#row-${reads}`), /reads on in the new table's stream/);
  assert.match(await text(page, '#step-terms'), /stream: a query that hands out/);
  // A step that begins after a wait, one of a task's beginning, one at a call.
  const silent = (label) =>
    story.steps.findIndex(
      (step) => step.l === label && step.i.every((item) => item.k === 'value') && !step.b,
    );
  const waits = silent('the machines to take a new configuration');
  assert.match(await text(page, `#row-${waits}`), /migrator has waited for: the machines/);
  await select(page, silent('main'));
  assert.match(await text(page, '#items'), /^begins: main$/);
  await select(page, silent('lock'));
  assert.match(await text(page, '#items'), /^goes on: lock$/);
  assert.match(await text(page, '#step-terms'), /lock: the moment before taking a lock/);
  await page.close();
});

test('random choices and raw records are folded, and stay open once opened', async () => {
  const page = await open('min.html');
  const story = await data(page);
  await select(page, 0);
  const drawn = story.steps[0].i.filter((item) => item.k === 'value');
  assert.ok(drawn.length > 3);
  assert.doesNotMatch(await text(page, '#step'), new RegExp(`${drawn[0].t}.: ${drawn[0].a} of`));
  assert.match(await text(page, '#recorded-title'), new RegExp(`${drawn.length} random choices`));
  await page.locator('#recorded-title').click();
  for (const item of drawn)
    assert.match(await text(page, '#recorded'), new RegExp(`drawn .${item.t}.: ${item.a} of`));
  await page.keyboard.press('End');
  assert.match(await text(page, '#recorded'), /^Decision \d+ of \d+: .* instead could have run/);
  assert.match(await text(page, '#recorded'), /reference\.is-valid -> no .*\.c:\d+/);
  await page.close();
});

test('states have the same numbers on every page, and say what they mean', async () => {
  const page = await openChanged('min.html', (story) => {
    for (const panel of story.panels) if (panel.kind === 'track') panel.values.reverse();
  });
  const story = await data(page);
  for (const panel of story.panels.filter(({ kind }) => kind === 'track')) {
    const rows = page.locator(`#states table[data-panel="${panel.name}"] tr`);
    const value = panel.views.at(-1)[0][1];
    const at = panel.values.findIndex(([word]) => word === value);
    assert.ok(at >= 0);
    assert.equal(await rows.first().locator('.swatch').innerText(), String(at + 1));
    assert.ok((await rows.first().innerText()).includes(`${value}: ${panel.values[at][1]}`));
    assert.match(await text(page, '#legend-text'), new RegExp(`\\b${at + 1}\\s*${value}`));
  }
  await page.close();
});

test('a row says what it is beside its key; a key that all rows share is said once', async () => {
  const page = await open('min.html');
  const meta = page.locator('#tables tr', { hasText: '_mtable_partition_meta' }).first();
  const remark = meta.locator('td').nth(1).locator('.remark');
  assert.equal(await remark.innerText(), 'meta row: SWITCHED');
  assert.match(await text(page, '#tables caption >> nth=0'), /\(partition ''\)$/);
  assert.deepEqual(await page.locator('#tables table').first().locator('th').allInnerTexts(), [
    'change',
    'row',
    'properties',
    'ETag',
  ]);
  await page.close();
  const other = await openChanged('min.html', (story) => {
    for (const panel of story.panels.filter(({ kind }) => kind === 'table'))
      panel.views.at(-1)[0][0] = "'other'";
  });
  assert.match(await text(other, '#tables thead >> nth=0'), /partition/);
  await other.close();
});

test('of a list of properties only what changed is marked', async () => {
  const page = await open('schema.html');
  const story = await data(page);
  const panel = story.panels.findIndex(({ kind }) => kind === 'table');
  const { views } = story.panels[panel];
  const view = (i) => views[story.steps[i].v[panel]];
  const step = story.steps.findIndex(
    (_, i) =>
      i > 0 &&
      view(i).some((row) => view(i - 1).some((old) => old[1] === row[1] && old[2] !== row[2])),
  );
  assert.ok(step > 0);
  await select(page, step);
  const cell = page.locator('#tables tr.changed td.long').first();
  const key = await page.locator('#tables tr.changed td >> nth=1').innerText();
  const parts = (rows) => rows.find((row) => row[1] === key)[2].split(', ');
  const before = parts(view(step - 1)),
    after = parts(view(step));
  assert.deepEqual(
    await cell.locator('del').allInnerTexts(),
    before.filter((part) => !after.includes(part)),
  );
  assert.deepEqual(
    await cell.locator('ins').allInnerTexts(),
    after.filter((part) => !before.includes(part)),
  );
  for (const part of after) assert.ok((await cell.innerText()).includes(part));
  await page.close();
});

test('nothing is shown empty, and no word of a heading or name is broken', async () => {
  for (const name of ['min.html', 'schema.html']) {
    for (const size of widths) {
      const page = await open(name, size);
      for (const key of ['Home', 'End']) {
        await page.keyboard.press(key);
        const cards = await page.locator('section.card:visible').evaluateAll((all) =>
          all.map((card) => ({
            title: card.querySelector('h2').innerText,
            length: card.innerText.length - card.querySelector('h2').innerText.length,
          })),
        );
        assert.ok(cards.length >= 7);
        for (const { title, length } of cards) assert.ok(length > 10, `${title} in ${name}`);
      }
      const broken = await page
        .locator('#places th, #places td:nth-child(-n+2), #tables th:not(.mark), .card .tag')
        .evaluateAll((all) =>
          all
            .filter((element) => !/\s/.test(element.innerText))
            .filter((element) => {
              const range = document.createRange();
              range.selectNodeContents(element);
              const tops = [...range.getClientRects()].map(({ bottom }) => Math.round(bottom / 6));
              return Math.max(...tops) - Math.min(...tops) > 1;
            })
            .map((element) => element.innerText),
        );
      assert.deepEqual(broken, [], `${name} at ${size[0]}`);
      await page.close();
    }
  }
  const bare = await openChanged('min.html', (story) => {
    story.panels = [];
    story.terms = [];
    story.explanation = [];
    for (const step of story.steps) step.v = [];
  });
  for (const id of ['tables-card', 'states-card', 'words-card', 'step-words', 'sentences'])
    assert.equal(await bare.locator(`#${id}`).isVisible(), false, id);
  assert.deepEqual(bare.problems, []);
  await bare.close();
});

// Whether the steps can be seen: the slider in the upper part, the step's title in the window.
const isInSight = (page) =>
  page.evaluate(() => {
    const slider = document.getElementById('slider').getBoundingClientRect();
    const title = document.getElementById('step-title').getBoundingClientRect();
    return slider.top >= 0 && slider.top < innerHeight / 2 && title.bottom < innerHeight;
  });

test('keys and lines of the explanation bring the steps into sight', async () => {
  for (const size of widths) {
    const page = await open('min.html', size);
    assert.equal(await isInSight(page), false);
    await page.keyboard.press('ArrowLeft');
    assert.ok(await isInSight(page), `ArrowLeft at ${size[0]}`);
    await page.evaluate(() => scrollTo(0, 0));
    await page.keyboard.press('/');
    await page.keyboard.type('stream');
    await page.evaluate(() => scrollTo(0, 0));
    await page.keyboard.press('Enter');
    assert.ok(await isInSight(page), `search at ${size[0]}`);
    await page.close();
  }
  const page = await open('min.html', widths[1]);
  await page.locator('#came button').first().click();
  assert.ok(await isInSight(page), 'a line of the explanation');
  await page.close();
});

test('the tables are those of the selected step, with what changed marked in signs', async () => {
  const page = await open('bug.html');
  const story = await data(page);
  const panel = story.panels.findIndex(({ name }) => name === 'new table');
  const inserts = story.steps.findIndex(
    (step, i) =>
      i > 0 &&
      story.panels[panel].views[step.v[panel]].length >
        story.panels[panel].views[story.steps[i - 1].v[panel]].length,
  );
  await select(page, inserts - 1);
  const earlier = await tables(page);
  assert.ok(!earlier.some((row) => /^new table\|\+/.test(row)));
  await select(page, inserts);
  const later = await tables(page);
  assert.notDeepEqual(earlier, later);
  assert.equal(later.filter((row) => /^new table\|\+\s*added/.test(row)).length, 1);
  // Every row of the story's view is shown, and only those (removed rows aside).
  const rows = later.filter((row) => row.startsWith('new table|') && !row.includes('removed'));
  assert.equal(rows.length, story.panels[panel].views[story.steps[inserts].v[panel]].length);
  await page.close();
});

test('a row that changes shows both values', async () => {
  const page = await open('bug.html');
  const story = await data(page);
  const panel = story.panels.findIndex(({ name }) => name === 'reference');
  const view = (i) => story.panels[panel].views[story.steps[i].v[panel]];
  const changes = story.steps.findIndex(
    (step, i) =>
      i > 0 &&
      view(i).some((row) =>
        view(i - 1).some((old) => old[0] === row[0] && old[1] === row[1] && old[3] !== row[3]),
      ),
  );
  await select(page, changes);
  const row = page.locator('#tables table[data-panel="reference"] tr.changed').first();
  assert.match(await row.innerText(), /~/);
  assert.notEqual(
    await row.locator('del').first().innerText(),
    await row.locator('ins').first().innerText(),
  );
  await page.close();
});

test('keys move through the steps', async () => {
  const page = await open('bug.html');
  const last = (await data(page)).steps.length - 1;
  assert.match(await position(page), new RegExp(`^step ${last} of ${last} `));
  const presses = [
    ['ArrowLeft', last - 1],
    ['ArrowLeft', last - 2],
    ['ArrowRight', last - 1],
    ['Home', 0],
    ['ArrowLeft', 0],
    ['ArrowRight', 1],
    ['End', last],
    ['ArrowRight', last],
  ];
  for (const [key, step] of presses) {
    await page.keyboard.press(key);
    assert.match(await position(page), new RegExp(`^step ${step} of `), key);
    assert.equal(await page.locator('#slider').inputValue(), String(step));
    assert.equal(
      await page.locator('.row[aria-selected="true"]').getAttribute('id'),
      `row-${step}`,
    );
    assert.match(await text(page, '#step-title'), new RegExp(`^Step ${step}: `));
  }
  // The same on the slider, once: its own keys do not add to the page's.
  await page.locator('#slider').focus();
  await page.keyboard.press('ArrowLeft');
  assert.match(await position(page), new RegExp(`^step ${last - 1} of `));
  // In the list also up, down and pages.
  await page.locator('#scroller').focus();
  await page.keyboard.press('ArrowUp');
  assert.match(await position(page), new RegExp(`^step ${last - 2} of `));
  // From line to line of the explanation.
  const steps = await page
    .locator('#came button')
    .evaluateAll((all) => all.map((b) => Number(b.dataset.step)));
  await page.keyboard.press('Home');
  await page.keyboard.press('n');
  assert.match(await position(page), new RegExp(`^step ${steps.find((step) => step > 0)} of `));
  await page.keyboard.press('End');
  await page.keyboard.press('p');
  assert.match(
    await position(page),
    new RegExp(`^step ${steps.filter((step) => step < last).at(-1)} of `),
  );
  await page.close();
});

test('search finds steps, goes round, and gives the keys back', async () => {
  const page = await open('bug.html');
  const story = await data(page);
  const wanted = story.steps.flatMap((step, i) =>
    step.i.some((item) => item.t.includes('LINEARIZATION POINT')) ? [i] : [],
  );
  await page.keyboard.press('/');
  await page.keyboard.type('linearization point');
  assert.equal(await text(page, '#matches'), `${wanted.length} found`);
  await page.keyboard.press('Enter'); // behind the last step: around
  assert.match(await position(page), new RegExp(`^step ${wanted[0]} of `));
  assert.ok(await page.locator(`#row-${wanted[0]}.found`).isVisible());
  assert.equal(await text(page, '#matches'), `1 of ${wanted.length}`);
  await page.keyboard.press('Shift+Enter');
  assert.match(await position(page), new RegExp(`^step ${wanted.at(-1)} of `));
  await page.locator('#search').fill('takes the configuration'); // as shown, not as recorded
  const takes = story.steps.filter((step) => step.i.some((i) => i.t.startsWith('receives ')));
  assert.match(await text(page, '#matches'), new RegExp(`^(\\d+ of )?${takes.length}( found)?$`));
  await page.locator('#search').fill('linearization point');
  await page.keyboard.press('Shift+Enter');
  const stays = Number((await position(page)).match(/\d+/)[0]);
  await page.keyboard.type(' no such text');
  assert.equal(await text(page, '#matches'), 'no match');
  await page.keyboard.press('Home'); // moves in the field, not in the story
  assert.match(await position(page), new RegExp(`^step ${stays} of `));
  await page.keyboard.press('Escape');
  await page.keyboard.press('Home');
  assert.match(await position(page), /^step 0 of /);
  await page.close();
});

test('clicks select: rows, lines of the explanation, buttons', async () => {
  const page = await open('bug.html');
  await page.locator('#came button').first().click();
  const step = Number(await page.locator('#came button').first().getAttribute('data-step'));
  assert.match(await position(page), new RegExp(`^step ${step} of `));
  assert.equal(await page.locator('#came button').first().getAttribute('aria-current'), 'step');
  await page.locator(`#row-${step + 2}`).click();
  assert.match(await position(page), new RegExp(`^step ${step + 2} of `));
  await page.getByRole('button', { name: 'Previous step' }).click();
  assert.match(await position(page), new RegExp(`^step ${step + 1} of `));
  await page.close();
});

test('it can be used without a mouse and without colours', async () => {
  const page = await open('bug.html');
  const seen = new Set();
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab');
    const { id, name, outline } = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      const { id, tagName } = document.activeElement;
      const outline = outlineStyle === 'none' ? 0 : parseFloat(outlineWidth);
      return { id, name: `${tagName} ${id}`, outline };
    });
    if (id) seen.add(id);
    assert.ok(outline >= 2 || name.startsWith('BODY'), `no visible focus on ${name}`);
  }
  for (const id of ['theme', 'first', 'previous', 'next', 'last', 'slider', 'search', 'scroller'])
    assert.ok(seen.has(id), `${id} cannot be reached by Tab`);
  assert.match(await page.locator('#slider').getAttribute('aria-valuetext'), /^step \d+ of \d+, /);
  const unnamed = await page
    .locator('button, input, [role]')
    .evaluateAll((all) =>
      all
        .filter(
          (element) =>
            !(
              element.getAttribute('aria-label') ||
              element.getAttribute('aria-labelledby') ||
              element.innerText.trim() ||
              element.id === 'matches'
            ),
        )
        .map((element) => element.outerHTML.slice(0, 80)),
    );
  assert.deepEqual(unnamed, []);
  assert.equal(
    await page.locator('#scroller').getAttribute('aria-activedescendant'),
    await page.locator('.row[aria-selected="true"]').getAttribute('id'),
  );
  await page.locator('#scroller').focus();
  await page.keyboard.press('Home');
  assert.match(await page.locator('#live').textContent(), /^Step 0, /);
  // States stand as numbers in the drawing and in the legend.
  await page.keyboard.press('End');
  assert.ok(
    (await page.locator('#window svg text').allTextContents()).some((number) => number === '3'),
  );
  assert.match(await text(page, '#legend-text'), /3\s*PREFER_NEW/);
  await page.close();
});

// WCAG's contrast of text with its background.
async function contrast(page, selector) {
  return page
    .locator(selector)
    .first()
    .evaluate((element) => {
      const parse = (color) => color.match(/[\d.]+/g).map(Number);
      const light = ([r, g, b]) =>
        [r, g, b]
          .map((c) => c / 255)
          .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
          .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
      let behind = element;
      while (behind && parse(getComputedStyle(behind).backgroundColor)[3] === 0)
        behind = behind.parentElement;
      const a = light(parse(getComputedStyle(element).color));
      const b = light(parse(getComputedStyle(behind || document.documentElement).backgroundColor));
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    });
}

test('dark and light, wide and narrow: readable, nothing cut off', async () => {
  for (const size of widths) {
    for (const scheme of ['light', 'dark']) {
      const page = await open('bug.html', size, scheme);
      for (const selector of [
        'h1',
        '#message',
        '.hint',
        '#came .text',
        '.diff .expected',
        '.diff .actual',
        '.tag.state',
        '.tag.return',
        '.row .line',
        '.bug',
        '#tables td',
        '#tables .remark',
        '#wrong .kind',
        '#step-terms dd',
        '#recorded-title',
        '#guide summary',
      ])
        assert.ok(
          (await contrast(page, selector)) >= 4.5,
          `${selector} in ${scheme} at ${size[0]}`,
        );
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - window.innerWidth,
      );
      assert.ok(overflow <= 0, `${overflow} pixels too wide at ${size[0]}`);
      const title = await page.locator('h1').boundingBox();
      assert.ok(title.x >= 0 && title.x + title.width <= size[0]);
      assert.ok(await page.locator('#slider').isVisible());
      await page.screenshot({ path: `${folder}/bug-${size[0]}-${scheme}.png`, fullPage: true });
      await page.close();
    }
  }
});

test('the theme can be chosen against the system', async () => {
  const page = await open('bug.html', widths[0], 'light');
  const back = () =>
    page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await back();
  await page.locator('#theme').click();
  assert.equal(await back(), light);
  await page.locator('#theme').click();
  assert.equal(await text(page, '#theme'), 'Theme: dark');
  assert.notEqual(await back(), light);
  await page.close();
});

test('5,000 steps: each key answered within a second, few elements at a time', async (context) => {
  for (const size of widths) {
    const start = performance.now();
    const page = await open('long.html', size);
    const loading = performance.now() - start;
    assert.ok(loading < 10000, `loading took ${loading} ms at ${size[0]}`);
    const { length } = (await data(page)).steps;
    const times = [];
    assert.ok(length >= 5000);
    for (const key of ['Home', 'ArrowRight', 'End', 'ArrowLeft', 'Home', 'End']) {
      const begin = performance.now();
      await page.keyboard.press(key);
      // Two frames later the browser has drawn it.
      await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
      );
      const elapsed = performance.now() - begin;
      times.push(Math.round(elapsed));
      assert.ok(elapsed < 1000, `${key} took ${elapsed} ms at ${size[0]}`);
    }
    assert.ok((await page.locator('.row').count()) < 200);
    context.diagnostic(`at ${size[0]}: loaded in ${Math.round(loading)} ms; keys ${times} ms`);
    await page.keyboard.press('/');
    const begin = performance.now();
    await page.keyboard.type('tombstones');
    assert.match(await text(page, '#matches'), /\d+ found/);
    assert.ok(performance.now() - begin < 2000);
    await page.keyboard.press('Enter');
    assert.match(await text(page, '#matches'), /^1 of \d+/);
    await page.close();
  }
});
