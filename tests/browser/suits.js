// Whether the pages named have what the tests look at; says of the first that has not what is
// missing: node suits.js PAGE...
//
// Which story a seed gives changes with every change of the workload; what the tests say of a page
// must hold of any, but some of it wants something to be there.
import { readFileSync } from 'node:fs';
import { countComings } from './comings.js';
import { findSilent } from './steps.js';

// Somebody who could have gone on is not chosen as a step begins.
const hasStop = ({ machines, steps }) =>
  steps.some(({ m, k, n, o }, index) => {
    const before = steps[index - 1];
    if (!before || !n || !o || (before.m === m && before.k === k)) return false;
    return o.split('\n').some((line) => {
      const [name, task, , wait] = line.split('\t');
      return name === machines[before.m] && task === before.k && wait === '';
    });
  });

const wanted = {
  'min.html': {
    'somebody who is stopped': hasStop,
    'a step that only begins': (story) => findSilent(story, 'main') >= 0,
    'a step that only takes a lock': (story) => findSilent(story, 'lock') >= 0,
    'a step that only goes on after waiting': (story) =>
      findSilent(story, 'the machines to take a new configuration') >= 0,
  },
  'rich.html': {
    'a linearization point': ({ steps }) =>
      steps.some(({ i }) => i.some(({ t }) => t.includes('LINEARIZATION POINT'))),
    'a word that comes once into a table': (story) =>
      [...countComings(story).values()].some(
        (at) => at.length === 1 && at[0] < story.steps.length - 1,
      ),
    'a word that comes more often': (story) =>
      [...countComings(story).values()].some((at) => at.length > 1),
  },
};

for (const name of process.argv.slice(2)) {
  const [, json] = /id="data">(.*?)<\/script>/s.exec(readFileSync(name, 'utf8'));
  const story = JSON.parse(json);
  for (const [what, has] of Object.entries(wanted[name]))
    if (!has(story)) {
      console.log(`${name} lacks ${what}`);
      process.exit(1);
    }
}
