// node lengthen.js IN OUT STEPS: the page IN with its story repeated until it has so many steps.
import { readFileSync, writeFileSync } from 'node:fs';

const [, , from, to, count] = process.argv;
const page = readFileSync(from, 'utf8');
const [, before, data, after] = /^(.*id="data">)(.*?)(<\/script>.*)$/s.exec(page);
const story = JSON.parse(data);
const { steps, arrows } = story;
const length = steps.length;
const times = Math.ceil(Number(count) / length);
story.steps = Array.from({ length: times }, () => steps).flat();
story.arrows = Array.from({ length: times }, (_, i) =>
  arrows.map(([a, b, sent, taken, label]) => [
    a,
    b,
    sent + i * length,
    taken < 0 ? taken : taken + i * length,
    label,
  ]),
).flat();
story.beginning = (times - 1) * length;
writeFileSync(to, before + JSON.stringify(story).replaceAll('<', '\\u003c') + after);
