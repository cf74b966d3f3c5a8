// A to-do application on the official client, unmodified, as many applications are: it knows one
// connection string and nothing of a migration. scripts/demo-migration moves its data meanwhile.
//
//   node todo.js work NOTES OVER     people use it until the file OVER is there (ten times each at
//                                    least); what they believe to have then goes to NOTES
//   node todo.js check NOTES         whether the account holds just that
//
// Each person has a list of their own and knows it by heart: after each action they compare what
// they see with what they did. Actions are conditional on the version that was read, and are made
// again from the reading on when somebody else was faster (412), as in any such application. The
// status is 1 if anybody saw something wrong: a task lost, doubled, old, or an error.
const fs = require('node:fs');
const { TableClient, odata } = require('@azure/data-tables');

const PEOPLE = ['ann', 'bob', 'cem', 'dora'];
const TASKS_MOST = 40;
const ROUNDS_LEAST = 10;
const table = TableClient.fromConnectionString(
  process.env.MTABLE_CONNECTION_STRING, 'Todo', { allowInsecureConnection: true },
);
let actions = 0;
let again = 0;

// What is on the list, by task.
async function listOf(person) {
  const found = new Map();
  const filter = odata`PartitionKey eq ${person}`;
  for await (const row of table.listEntities({ queryOptions: { filter } })) {
    if (found.has(row.rowKey)) throw new Error(`${person}: task ${row.rowKey} is listed twice`);
    found.set(row.rowKey, { title: row.title, done: row.done });
  }
  return found;
}

// Says which tasks differ.
function compare(person, seen, known) {
  const keys = new Set([...seen.keys(), ...known.keys()]);
  const text = (task) => (task ? JSON.stringify(task) : 'nothing');
  const wrong = [...keys].filter((key) => text(seen.get(key)) !== text(known.get(key)));
  if (wrong.length) {
    throw new Error(wrong.map((key) => `${person}: task ${key} is ${text(seen.get(key))} `
      + `instead of ${text(known.get(key))}`).join('\n'));
  }
}

// Reads the task and does [action] with its version, until nobody was faster.
async function change(person, rowKey, action) {
  for (;;) {
    const task = await table.getEntity(person, rowKey);
    try {
      return await action(task);
    } catch (error) {
      if (error.statusCode !== 412) throw error;
      again += 1;
    }
  }
}

const ACTIONS = {
  async add(person, list, rowKey) {
    const title = `task ${rowKey}`;
    await table.createEntity({ partitionKey: person, rowKey, title, done: false });
    list.set(rowKey, { title, done: false });
  },
  async tick(person, list, rowKey) {
    await change(person, rowKey, ({ title, done, etag }) => table.updateEntity(
      { partitionKey: person, rowKey, title, done: !done }, 'Replace', { etag },
    ));
    list.get(rowKey).done = !list.get(rowKey).done;
  },
  async rename(person, list, rowKey) {
    const title = `${list.get(rowKey).title}!`;
    await change(person, rowKey, ({ etag }) => table.updateEntity(
      { partitionKey: person, rowKey, title }, 'Merge', { etag },
    ));
    list.get(rowKey).title = title;
  },
  async remove(person, list, rowKey) {
    await change(person, rowKey, ({ etag }) => table.deleteEntity(person, rowKey, { etag }));
    list.delete(rowKey);
  },
  // Two tasks become one, in one transaction.
  async join(person, list, rowKey, other) {
    const title = `${list.get(rowKey).title} and ${list.get(other).title}`.slice(0, 200);
    await table.submitTransaction([
      ['update', { partitionKey: person, rowKey, title }, 'Merge'],
      ['delete', { partitionKey: person, rowKey: other }],
    ]);
    list.get(rowKey).title = title;
    list.delete(other);
  },
};

function any(list) {
  const keys = [...list.keys()];
  return keys[Math.floor(Math.random() * keys.length)];
}

async function act(person, list, rowKey) {
  const names = [...Object.keys(ACTIONS), 'add', 'add']; // there is always more to do
  let name = names[Math.floor(Math.random() * names.length)];
  if (list.size < 2) name = 'add';
  if (list.size > TASKS_MOST && name === 'add') name = 'remove';
  const task = name === 'add' ? rowKey : any(list);
  const other = any(new Map([...list].filter(([key]) => key !== task)));
  await ACTIONS[name](person, list, task, other);
  actions += 1;
}

async function use(person, over) {
  const list = await listOf(person);
  for (let number = 0; number < ROUNDS_LEAST || !fs.existsSync(over); number += 1) {
    await act(person, list, `${Date.now()}-${number}`);
    compare(person, await listOf(person), list);
  }
  return [person, [...list]];
}

async function work(notes, over) {
  await table.createTable();
  const lists = await Promise.all(PEOPLE.map((person) => use(person, over)));
  fs.writeFileSync(notes, JSON.stringify(lists));
  const tasks = lists.reduce((sum, [, list]) => sum + list.length, 0);
  console.log(`${PEOPLE.length} people did ${actions} things, ${again} of them twice because `
    + `somebody was faster; they have ${tasks} tasks and saw nothing wrong`);
}

async function check(notes) {
  for (const [person, list] of JSON.parse(fs.readFileSync(notes))) {
    compare(person, await listOf(person), new Map(list));
  }
  console.log('the account holds what they have, to the task');
}

const [command, ...files] = process.argv.slice(2);
({ work, check })[command](...files).catch((error) => {
  console.error(`something is wrong: ${error.message}`);
  process.exitCode = 1;
  process.exit();
});
