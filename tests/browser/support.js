// What the tests of the report's page share: the browser, and how to open and read pages. Run by
// scripts/test-browser, which names the browser (CHROMIUM) and a folder with pages (PAGES):
//   bug.html     the first violation of bug 3
//   min.html     the same, minimized
//   rich.html    one of bug 3 under the published workload that suits.js takes
//   schema.html  the first violation of the schema upgrade's bug 2
//   long.html    bug.html's story drawn out to 5,000 steps
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';

export const folder = process.env.PAGES;
export const widths = [
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
export async function open(name, [width, height] = widths[0], colorScheme = 'light') {
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
export async function openChanged(name, change, size, colorScheme) {
  const [, before, json, after] = /^(.*id="data">)(.*?)(<\/script>.*)$/s.exec(
    readFileSync(`${folder}/${name}`, 'utf8'),
  );
  const story = JSON.parse(json);
  change(story);
  const data = JSON.stringify(story).replaceAll('<', '\\u003c');
  writeFileSync(`${folder}/changed.html`, before + data + after);
  return open('changed.html', size, colorScheme);
}

export const text = (page, selector) => page.locator(selector).innerText();
export const position = (page) => text(page, '#position');
export const data = (page) =>
  page.evaluate(() => JSON.parse(document.getElementById('data').textContent));

// Steps are counted from 1 where people see them; [index] counts from 0.
export const isAt = async (page, index) =>
  new RegExp(`^step ${index + 1} of `).test(await position(page));

// What the tables show, as lines "table|mark|cells".
export const tables = (page) =>
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

export async function select(page, step) {
  await page.locator('#slider').evaluate((slider, value) => {
    slider.value = value;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  }, String(step));
}
