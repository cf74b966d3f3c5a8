// The report's page for those who do not know the system: what went wrong, how it came to this, in
// words that are explained, and nothing hidden, cut off or empty.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countComings, takersOf } from './comings.js';
import { findSilent } from './steps.js';
import { data, isAt, open, openChanged, select, text, widths } from './support.js';

// What stands in #wrong, in order: the classes of its children.
const orderOfWrong = (page) =>
  page.locator('#wrong > *').evaluateAll((all) => all.map((element) => element.className));

test('what went wrong begins with the difference; a second opinion is told', async () => {
  const page = await openChanged('bug.html', (story) => {
    story.violation.remark = 'no <order> explains it';
  });
  assert.deepEqual(await orderOfWrong(page), ['diff', 'kind', 'remark', 'bug', 'system']);
  assert.equal(await text(page, '#wrong .remark'), 'A second check: no <order> explains it');
  assert.doesNotMatch(await text(page, '#wrong'), /MigratingTable moves/);
  await page.locator('#wrong .system summary').click();
  assert.match(await text(page, '#wrong .system'), /MigratingTable moves/);
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
  const page = await openChanged('rich.html', (story) => {
    made = makeLateDifference(story);
  });
  const marks = await page.locator('.diff mark').allInnerTexts();
  assert.deepEqual(marks, [made.often, made.once, 'other-1']);
  const traces = await page.locator('#came li', { hasText: 'brings what differs' }).allInnerTexts();
  assert.equal(traces.length, 1);
  assert.match(traces[0], new RegExp(`^step ${made.step + 1}\n`));
  assert.ok(traces[0].endsWith(`brings what differs: ${made.once}`));
  await page.close();
});

test('how it came: at its end when opened, with the states, and what others announce', async () => {
  for (const size of widths) {
    const page = await open('min.html', size);
    const { list, button } = await page.evaluate(() => ({
      list: document.getElementById('came').getBoundingClientRect().toJSON(),
      button: document.querySelector('#came li:last-child').getBoundingClientRect().toJSON(),
    }));
    assert.ok(button.bottom <= list.bottom + 2, 'the violation is seen');
    const lines = await page.locator('#came li').allInnerTexts();
    const begins = lines.findIndex((line) => line.includes('begins to stream'));
    assert.match(lines[begins], /At this moment . migration state: [A-Z_]+ \(.*service-0/);
    assert.match(lines[begins], /; partition state: /);
    assert.ok(lines.some((line) => /migrator\s+.*announces USE_NEW_WITH_TOMBSTONES/s.test(line)));
    // What one machine after the other does in the same words is one line.
    const takers = takersOf(await data(page), 'USE_NEW_WITH_TOMBSTONES');
    const merged = lines.filter((line) => line.includes('takes the configuration USE_NEW_WITH'));
    assert.equal(merged.length, 1);
    assert.equal([...merged[0].matchAll(/then [a-z0-9-]+ \(step \d+\)/g)].length, takers - 1);
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
  const waits = findSilent(story, 'the machines to take a new configuration');
  assert.match(await text(page, `#row-${waits}`), /migrator goes on after waiting for the mac/);
  await select(page, findSilent(story, 'main'));
  assert.match(await text(page, '#items'), /^begins: main$/);
  await select(page, findSilent(story, 'lock'));
  assert.match(await text(page, '#items'), /^takes a lock$/);
  assert.match(await text(page, '#step-terms'), /lock: keeps the tasks of one machine apart/);
  // Those of the bug's line, and last whose step it is.
  await select(page, story.steps.findIndex((step) => step.b));
  assert.match(await text(page, '#step-terms'), /stream: a query that hands out/);
  const last = page.locator('#step-terms > div').last();
  assert.match(await last.innerText(), /^service-\d: an application process/);
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
  assert.match(await text(page, '#recorded'), /^Decision \d+ of \d+: .* Instead could have run/);
  assert.match(await text(page, '#recorded'), /reference\.is-valid -> no .*\.c:\d+/);
  await page.close();
});

const sign = (panel, at) => panel.signs?.[at] ?? String(at + 1);

test('states have the same signs on every page, and say what they mean', async () => {
  const page = await openChanged('min.html', (story) => {
    for (const panel of story.panels) if (panel.kind === 'track') panel.values.reverse();
  });
  const story = await data(page);
  for (const panel of story.panels.filter(({ kind }) => kind === 'track')) {
    const rows = page.locator(`#states table[data-panel="${panel.name}"] tr`);
    const value = panel.views.at(-1)[0][1];
    const at = panel.values.findIndex(([word]) => word === value);
    assert.ok(at >= 0);
    assert.equal(await rows.first().locator('.swatch').innerText(), sign(panel, at));
    assert.ok((await rows.first().innerText()).includes(`${value}: ${panel.values[at][1]}`));
    assert.match(await text(page, '#legend-text'), new RegExp(`\\b${sign(panel, at)}\\s*${value}`));
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
    'since',
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

test('streams: who reads which table, where each stands, and since when', async () => {
  const page = await open('min.html');
  const story = await data(page);
  const bugStep = story.steps.findIndex((step) => step.b);
  await select(page, bugStep);
  const rows = page.locator('#tables table[data-panel="open streams"] tbody tr');
  // The old table's is closed in that step; the new table's is the one of before, at its end.
  const removed = rows.filter({ hasText: 'old table' });
  assert.match(await removed.getAttribute('class'), /removed/);
  const kept = rows.filter({ hasText: 'new table' });
  assert.match(await kept.innerText(), /service-\d\s+new table\s+everything\s+at its end/);
  const read = story.steps.findIndex((step) =>
    step.i.some((item) => item.t.startsWith('new.read-stream -> end')),
  );
  assert.equal(await kept.locator('.since').innerText(), String(read + 1));
  await kept.locator('.since button').click();
  assert.ok(await isAt(page, read));
  assert.match(await kept.getAttribute('class'), /changed/);
  assert.deepEqual(await kept.locator('del').allInnerTexts(), ['before the first row']);
  await page.close();
});

test('why the reference changes without a write, and a stream takes everything', async () => {
  const page = await open('min.html');
  const story = await data(page);
  const copies = story.steps.findIndex((step) =>
    step.i.some((item) => item.t.includes('the ETag of')),
  );
  await select(page, copies);
  const told = /tells the checker that without a visible change the ETag of '0' is now new-/;
  assert.match(await text(page, '#items'), told);
  assert.match(await text(page, '#step-terms'), /tells the checker: copying a row gives it/);
  const opens = story.steps.findIndex((step) =>
    step.i.some((item) => item.t.startsWith('new.open-stream everything')),
  );
  await select(page, opens);
  assert.match(await text(page, '#step-terms'), /everything: no filter\. .* hide its old version/);
  await page.close();
});

test('no sign contradicts a word beside it', async () => {
  const page = await open('min.html');
  assert.deepEqual(
    (await page.locator('.diff b').allInnerTexts()).filter((word) => !/^[a-z]+$/.test(word)),
    [],
  );
  const story = await data(page);
  const partition = story.panels.find(({ name }) => name === 'partition state');
  const swatches = page.locator('#states table[data-panel="partition state"] .swatch');
  for (const sign of await swatches.allInnerTexts()) assert.match(sign, /^[NPS]$/);
  for (const [at, [value]] of partition.values.entries())
    assert.equal(partition.signs[at], value[0].toUpperCase());
  await page.close();
});

test('keys in quotes are explained where they first stand', async () => {
  const page = await openChanged('min.html', (story) => {
    story.violation.message = "it stands at '' ''";
    story.violation.remark = "no order explains '' '' and 'p' '7'";
  });
  assert.match(await text(page, '#gloss'), /^'' '': the place before the first row/);
  assert.match(await text(page, '.remark .gloss'), /^'p' '7': a key: .* partition.* the row/);
  await page.close();
});

test('how it came has who was stopped, before what, and the line of the bug', async () => {
  const page = await open('min.html');
  const story = await data(page);
  const lines = await page.locator('#came li').allInnerTexts();
  const stops = lines.filter((line) => line.includes('stopped'));
  assert.ok(stops.length > 0);
  for (const line of stops)
    assert.match(line, /could have gone on; it is stopped here, before it [a-z]+s /);
  const bugStep = story.steps.findIndex((step) => step.b);
  const bugLine = lines.find((line) => line.startsWith(`step ${bugStep + 1}\n`));
  assert.match(bugLine, /apply configuration\s/);
  assert.ok(bugLine.includes(story.bug.summary));
  await page.locator('#sentences summary').click();
  const sentences = await text(page, '#sentences-text');
  assert.ok(sentences.includes(`passes the line of bug 3 (${story.bug.summary})`));
  await page.close();
  // Where everything is as the random choices made it, nearly every step is a stop.
  const whole = await open('bug.html');
  assert.equal(await whole.locator('.tag.stop').count(), 0);
  await whole.close();
});

test('a task that is not the main one is named, also among the alternatives', async () => {
  const page = await open('min.html');
  const story = await data(page);
  const bugStep = story.steps.findIndex((step) => step.b);
  await select(page, bugStep);
  assert.match(await text(page, '#step-title'), /^Step \d+: service-\d, task .apply config/);
  assert.match(await text(page, `#row-${bugStep}`), /\d \(apply configuration\) takes a lock/);
  const other = story.steps.findIndex((step) => /\tnew configuration\t/.test(step.o || ''));
  await select(page, other);
  await page.locator('#recorded-title').click();
  assert.match(await text(page, '#recorded'), /Instead could have run . .*task new configuration/);
  await page.close();
});

test('when opened the lists stand at the violation, in sight', async () => {
  for (const [size, name] of [
    [widths[0], 'min.html'],
    [widths[0], 'bug.html'],
    [widths[1], 'min.html'],
  ]) {
    const page = await open(name, size);
    const { row, list, height } = await page.evaluate(() => ({
      row: document.querySelector('.row[aria-selected="true"]').getBoundingClientRect().toJSON(),
      list: document.getElementById('scroller').getBoundingClientRect().toJSON(),
      height: innerHeight,
    }));
    assert.ok(row.top >= list.top && row.bottom <= list.bottom, `${name} at ${size[0]}`);
    if (size === widths[0] && name === 'min.html') assert.ok(row.bottom <= height);
    await page.close();
  }
});

test('lines end in their result, whole', async () => {
  for (const size of widths) {
    const page = await open('min.html', size);
    const story = await data(page);
    const reads = story.steps.flatMap((step, i) =>
      step.i.some((item) => /^(old|new)\.read-stream -> /.test(item.t)) ? [i] : [],
    );
    for (const index of reads) {
      await select(page, index);
      const item = story.steps[index].i.find(({ t }) => /read-stream/.test(t));
      const line = page.locator(`#row-${index} .line`);
      assert.ok((await line.innerText()).includes(item.r.split(', gets ')[1].slice(-12)));
      const isCut = await line.evaluate((e) => e.scrollHeight > e.clientHeight + 2);
      assert.equal(isCut, false, `row ${index} at ${size[0]}`);
    }
    await page.close();
  }
});

test('the legend has the signs that occur; help about keys is for keyboards', async () => {
  const page = await open('min.html');
  for (const [kind, sign] of [
    ['call', '\u2192'],
    ['return', '\u2190'],
    ['state', '\u2691'],
    ['point', '\u25c6'],
    ['fault', '\u26a1'],
  ]) {
    const { steps } = await data(page);
    const occurs = steps.some((step) => step.i.some((item) => item.k === kind));
    assert.equal((await text(page, '#legend-text')).includes(sign), occurs, kind);
  }
  for (const sign of ['\u2731', '\u2194', '\u2016'])
    assert.ok((await text(page, '#legend-text')).includes(sign));
  assert.ok(await page.locator('#keys').isVisible());
  await page.close();
  const narrow = await open('min.html', widths[1]);
  assert.ok(await narrow.locator('#legend-text').isVisible());
  assert.equal(await narrow.locator('#keys').isVisible(), false);
  await narrow.close();
});
