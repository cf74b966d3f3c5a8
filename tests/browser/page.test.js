// The report's page in a real browser: what it shows, how it answers keys, how fast. Screenshots go
// to the folder of the pages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { data, folder, isAt, open, position, select, tables, text, widths } from './support.js';

test('the page says what went wrong, and how to see it again', async () => {
  const page = await open('bug.html');
  assert.match(await text(page, 'h1'), /^stream-read-invalid in service-\d$/);
  assert.match(await text(page, '#wrong'), /^expected\s+\{.*actual\s+the end/s);
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
  const end = new RegExp(`^step ${last + 1} of ${last + 1} . decision \\d+$`);
  assert.match(await position(page), end);
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
    assert.ok(await isAt(page, step), key);
    assert.equal(await page.locator('#slider').inputValue(), String(step));
    assert.equal(
      await page.locator('.row[aria-selected="true"]').getAttribute('id'),
      `row-${step}`,
    );
    assert.match(await text(page, '#step-title'), new RegExp(`^Step ${step + 1}: `));
  }
  // The same on the slider, once: its own keys do not add to the page's.
  await page.locator('#slider').focus();
  await page.keyboard.press('ArrowLeft');
  assert.ok(await isAt(page, last - 1));
  // In the list also up, down and pages.
  await page.locator('#scroller').focus();
  await page.keyboard.press('ArrowUp');
  assert.ok(await isAt(page, last - 2));
  // From line to line of the explanation.
  const steps = await page
    .locator('#came button')
    .evaluateAll((all) => all.map((b) => Number(b.dataset.step)));
  await page.keyboard.press('Home');
  await page.keyboard.press('n');
  assert.ok(await isAt(page, steps.find((step) => step > 0)));
  await page.keyboard.press('End');
  await page.keyboard.press('p');
  assert.ok(await isAt(page, steps.filter((step) => step < last).at(-1)));
  await page.close();
});

test('search finds steps, goes round, and gives the keys back', async () => {
  const page = await open('rich.html');
  const story = await data(page);
  const wanted = story.steps.flatMap((step, i) =>
    step.i.some((item) => item.t.includes('LINEARIZATION POINT')) ? [i] : [],
  );
  await page.keyboard.press('/');
  await page.keyboard.type('linearization point');
  assert.equal(await text(page, '#matches'), `${wanted.length} found`);
  await page.keyboard.press('Enter'); // behind the last step: around
  assert.ok(await isAt(page, wanted[0]));
  assert.ok(await page.locator(`#row-${wanted[0]}.found`).isVisible());
  assert.equal(await text(page, '#matches'), `1 of ${wanted.length}`);
  await page.keyboard.press('Shift+Enter');
  assert.ok(await isAt(page, wanted.at(-1)));
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
  assert.ok(await isAt(page, 0));
  await page.close();
});

test('clicks select: rows, lines of the explanation, buttons', async () => {
  const page = await open('bug.html');
  await page.locator('#came button').first().click();
  const step = Number(await page.locator('#came button').first().getAttribute('data-step'));
  assert.ok(await isAt(page, step));
  assert.equal(await page.locator('#came button').first().getAttribute('aria-current'), 'step');
  await page.locator(`#row-${step + 2}`).click();
  assert.ok(await isAt(page, step + 2));
  await page.getByRole('button', { name: 'Previous step' }).click();
  assert.ok(await isAt(page, step + 1));
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
  assert.match(await page.locator('#live').textContent(), /^Step 1, /);
  // States stand as numbers in the drawing and in the legend.
  await page.keyboard.press('End');
  const drawn = await page.locator('#window svg text').allTextContents();
  const number = drawn.find((word) => /^[1-5]$/.test(word));
  assert.ok(number, 'no state is drawn');
  assert.match(await text(page, '#legend-text'), new RegExp(`${number}\\s*[A-Z]+_[A-Z]`));
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

// How long each of some keys takes until the browser has drawn what it does, in milliseconds.
async function timeKeys(page) {
  const times = [];
  for (const key of ['Home', 'ArrowRight', 'End', 'ArrowLeft', 'Home', 'End']) {
    const begin = performance.now();
    await page.keyboard.press(key);
    // Two frames later the browser has drawn it.
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    times.push(performance.now() - begin);
  }
  return times;
}

// By ratios, for a machine may be busy.
test('5,000 steps: keys as quick as in a short story, few elements at a time', async (context) => {
  for (const size of widths) {
    const short = await open('bug.html', size);
    const least = Math.min(...(await timeKeys(short)));
    await short.close();
    const page = await open('long.html', size);
    assert.ok((await data(page)).steps.length >= 5000);
    const times = await timeKeys(page);
    assert.ok((await page.locator('.row').count()) < 200);
    context.diagnostic(`at ${size[0]}: keys ${times.map(Math.round)} ms, of the short ${least}`);
    assert.ok(Math.min(...times) < 5 * least, `${times} ms, and ${least} in the short story`);
    await page.keyboard.press('/');
    await page.keyboard.type('tombstones');
    assert.match(await text(page, '#matches'), /\d+ found/);
    await page.keyboard.press('Enter');
    assert.match(await text(page, '#matches'), /^1 of \d+/);
    await page.close();
  }
});
