// The first step of a story with that label, of that task, in which nothing is told but values that
// were chosen; -1 if there is none.
export const findSilent = ({ steps }, label, task = 'main') =>
  steps.findIndex(
    ({ l, k, b, i }) => l === label && k === task && !b && i.every((item) => item.k === 'value'),
  );
