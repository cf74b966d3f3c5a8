// What comes about in a page's story.

// In how many steps each word comes into a table.
export function countComings(story) {
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

// How many machines take the configuration [state].
export const takersOf = ({ steps }, state) =>
  steps.filter(({ i }) => i.some(({ t }) => t === `receives ${state}`)).length;
