// The official client, unmodified, against an endpoint: MTABLE_CONNECTION_STRING names it. With
// MTABLE_TABLES, names of tables that migrate, tests use these, empty, in place of new ones; with
// MTABLE_MOVING they move meanwhile. Then a row that is copied has a new ETag although nobody wrote
// it.
const test = require('node:test');
const assert = require('node:assert');
const {
  TableClient, TableServiceClient, AzureNamedKeyCredential, AzureSASCredential, generateTableSas,
  odata,
} = require('@azure/data-tables');

const connection = process.env.MTABLE_CONNECTION_STRING;
const options = { allowInsecureConnection: true };
const migrating = (process.env.MTABLE_TABLES ?? '').split(' ').filter((name) => name);
const isMoving = Boolean(process.env.MTABLE_MOVING);
const batchMost = migrating.length ? 99 : 100;
let made = 0;

async function empty(client) {
  const rows = await all(client.listEntities());
  while (rows.length) {
    const { partitionKey } = rows[0];
    const next = rows.findIndex((row) => row.partitionKey !== partitionKey);
    const some = rows.splice(0, Math.min(next < 0 ? rows.length : next, batchMost));
    await client.submitTransaction(
      some.map(({ rowKey }) => ['delete', { partitionKey, rowKey }]),
    );
  }
}

// A table of its own for a test.
async function table() {
  made += 1;
  const name = migrating.length ? migrating[made % migrating.length] : `Test${process.pid}n${made}`;
  const client = TableClient.fromConnectionString(connection, name, options);
  await client.createTable(); // the client takes 409 for success
  await empty(client);
  return client;
}

// What a call is refused with.
async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return `${error.statusCode} ${error.code ?? error.details?.odataError?.code}`;
  }
  return 'nothing';
}

// What [call] gives under the ETag [etag] of the row p, [rowKey]. If it has moved: under the one
// that it has now, as often as it can move.
async function under(etag, client, rowKey, call) {
  let present = etag;
  for (let moves = isMoving ? 3 : 0; ; moves -= 1) {
    try {
      return await call(present);
    } catch (error) {
      if (moves === 0 || error.statusCode !== 412) throw error;
      present = (await client.getEntity('p', rowKey)).etag;
    }
  }
}

const assertSameEtag = (found, expected) => isMoving || assert.strictEqual(found, expected);

async function all(pages) {
  const list = [];
  for await (const item of pages) list.push(item);
  return list;
}

const p = (rowKey, properties) => ({ partitionKey: 'p', rowKey, ...properties });

test('tables are made, listed and deleted', async () => {
  const service = TableServiceClient.fromConnectionString(connection, options);
  const name = `Listed${process.pid}`;
  await service.createTable(`${name}a`);
  await service.createTable(`${name}b`);
  await service.createTable(`${name}a`); // the client takes 409 for success
  const queryOptions = { filter: odata`TableName ge ${name} and TableName lt ${`${name}z`}` };
  const names = (await all(service.listTables({ queryOptions }))).map((found) => found.name);
  assert.deepStrictEqual(names, [`${name}a`, `${name}b`]);
  const pages = await all(service.listTables({ queryOptions }).byPage({ maxPageSize: 1 }));
  assert.deepStrictEqual(pages.flat().map((found) => found.name), names);
  await service.deleteTable(`${name}a`);
  const gone = TableClient.fromConnectionString(connection, `${name}a`, options);
  assert.strictEqual(await refusal(gone.createEntity(p('r'))), '404 TableNotFound');
  assert.strictEqual(await refusal(service.createTable('no')), '400 OutOfRangeInput');
  assert.ok((await service.getProperties()).hourMetrics);
});

test('an entity is inserted, read, replaced, merged, deleted under its ETag', async () => {
  const client = await table();
  const first = await client.createEntity(p('r', { a: 1, s: 'x', b: true }));
  assert.match(first.etag, /^W\/".+"$/);
  const read = await client.getEntity('p', 'r');
  assert.deepStrictEqual([read.a, read.s, read.b], [1, 'x', true]);
  assertSameEtag(read.etag, first.etag);
  assert.ok(Math.abs(new Date(read.timestamp) - Date.now()) < 60000);
  assert.strictEqual(await refusal(client.createEntity(p('r'))), '409 EntityAlreadyExists');
  const merged = await under(first.etag, client, 'r', (etag) =>
    client.updateEntity(p('r', { a: 2 }), 'Merge', { etag }));
  assert.strictEqual((await client.getEntity('p', 'r')).s, 'x');
  const late = client.updateEntity(p('r', { a: 3 }), 'Replace', { etag: first.etag });
  assert.strictEqual(await refusal(late), '412 UpdateConditionNotSatisfied');
  await under(merged.etag, client, 'r', (etag) =>
    // The W may come back small.
    client.updateEntity(p('r', { a: 3 }), 'Replace', { etag: etag.replace('W/', 'w/') }));
  const replaced = await client.getEntity('p', 'r');
  assert.deepStrictEqual([replaced.a, replaced.s], [3, undefined]);
  const early = client.deleteEntity('p', 'r', { etag: first.etag });
  assert.strictEqual(await refusal(early), '412 UpdateConditionNotSatisfied');
  await client.deleteEntity('p', 'r');
  assert.strictEqual(await refusal(client.getEntity('p', 'r')), '404 ResourceNotFound');
  assert.strictEqual(await refusal(client.deleteEntity('p', 'r')), '404 ResourceNotFound');
  assert.strictEqual(await refusal(client.updateEntity(p('r'))), '404 ResourceNotFound');
});

test('upserts insert, merge and replace', async () => {
  const client = await table();
  await client.upsertEntity(p('r', { a: 1 }), 'Merge');
  await client.upsertEntity(p('r', { b: 2 }), 'Merge');
  let row = await client.getEntity('p', 'r');
  assert.deepStrictEqual([row.a, row.b], [1, 2]);
  await client.upsertEntity(p('r', { c: 3 }), 'Replace');
  row = await client.getEntity('p', 'r');
  assert.deepStrictEqual([row.a, row.b, row.c], [undefined, undefined, 3]);
});

test('keys and texts are any that the service allows', async () => {
  const client = await table();
  const keys = ['', "'", "''", ' ', '+', '%', '%25', '%2F', 'é', '汉', '😀', '.', '..', ' x ',
    '(),=&:;@!$*[]~^|<>"{}', 'a'.repeat(512), "a',b"];
  for (const key of keys) {
    const text = `${key}\n"\\`;
    await client.createEntity({ partitionKey: key, rowKey: key, text });
    const read = await client.getEntity(key, key);
    assert.deepStrictEqual([read.partitionKey, read.rowKey, read.text], [key, key, text]);
    const filter = odata`PartitionKey eq ${key} and RowKey eq ${key}`;
    const found = await all(client.listEntities({ queryOptions: { filter } }));
    assert.deepStrictEqual(found.map((row) => row.text), [text]);
    await client.deleteEntity(key, key, { etag: isMoving ? '*' : read.etag });
  }
  for (const key of ['a/b', 'a\\b', 'a#b', 'a?b', 'a\tb', 'a\u0081b'])
    assert.strictEqual(await refusal(client.createEntity(p(key))), '400 OutOfRangeInput');
  const long = client.createEntity(p('a'.repeat(513)));
  assert.strictEqual(await refusal(long), '400 KeyValueTooLarge');
});

test('every type comes back as it was, and filters find it', async () => {
  const client = await table();
  const typed = (type, value) => ({ type, value });
  const bytes = new Uint8Array([0, 127, 128, 255]);
  const guid = '00112233-4455-6677-8899-aabbccddeeff';
  const time = '2013-08-22T01:12:06.2608595Z';
  await client.createEntity(p('r', {
    yes: true, i: -7, d: 1.5, large: 3e9, l: -9223372036854775808n, when: new Date(0), bytes,
    ticks: typed('DateTime', time), whole: typed('Double', 2), nan: typed('Double', 'NaN'),
    inf: typed('Double', '-Infinity'), guid: typed('Guid', guid), s: 'a\u0000\u{1f422}',
    nothing: null,
  }));
  const row = await client.getEntity('p', 'r');
  assert.deepStrictEqual(
    [row.yes, row.i, row.d, row.large, row.l, row.when.getTime(), [...row.bytes], row.s],
    [true, -7, 1.5, 3e9, -9223372036854775808n, 0, [...bytes], 'a\u0000\u{1f422}'],
  );
  assert.deepStrictEqual([row.nan, row.inf, row.whole], ['NaN', '-Infinity', 2]);
  assert.deepStrictEqual(row.guid, typed('Guid', guid));
  assert.ok(!('nothing' in row));
  const exact = await client.getEntity('p', 'r', { disableTypeConversion: true });
  assert.deepStrictEqual([exact.ticks, exact.whole], [typed('DateTime', time), typed('Double', 2)]);
  const filters = ['yes eq true', 'not (yes eq false)', 'i lt 0 and i gt -8', 'd eq 1.5',
    'l eq -9223372036854775808L', `ticks eq datetime'${time}'`, `guid eq guid'${guid}'`,
    "bytes eq X'007f80ff'", 'large ge 3000000000L', 'i eq 1 or whole eq 2 and yes eq true'];
  for (const filter of filters)
    assert.strictEqual((await all(client.listEntities({ queryOptions: { filter } }))).length, 1);
  const none = ['yes ne true', 'missing eq 1', 'missing ne 1', "i eq '-7'"];
  for (const filter of none)
    assert.strictEqual((await all(client.listEntities({ queryOptions: { filter } }))).length, 0);
});

test('rows come in the order of UTF-16', async () => {
  const client = await table();
  const keys = ['\u{1f422}', '\ufffd', '', 'a', 'B', '10', '9', '\u00e9', '\ue000', '_'];
  for (const key of keys) await client.createEntity(p(key));
  const rows = await all(client.listEntities());
  assert.deepStrictEqual(rows.map((row) => row.rowKey), [...keys].sort());
});

test('a shared access signature opens one table for what it says', async () => {
  const owner = await table();
  const [, endpoint] = /TableEndpoint=([^;]*)/.exec(connection);
  const [, account] = /AccountName=([^;]*)/.exec(connection);
  const [, key] = /AccountKey=([^;]*)/.exec(connection);
  const credential = new AzureNamedKeyCredential(account, key);
  const sas = generateTableSas(owner.tableName, credential,
    { permissions: { query: true, add: true }, expiresOn: new Date(Date.now() + 60000) });
  const client = new TableClient(endpoint, owner.tableName, new AzureSASCredential(sas), options);
  await client.createEntity(p("it's", { a: 1 }));
  assert.strictEqual((await client.getEntity('p', "it's")).a, 1);
  await client.submitTransaction([['create', p('b')], ['create', p('c')]]);
  assert.strictEqual((await all(client.listEntities())).length, 3);
  assert.match(await refusal(client.deleteEntity('p', "it's")), /^403 Auth/);
  const other = await table();
  const wrong = new TableClient(endpoint, other.tableName, new AzureSASCredential(sas), options);
  assert.match(await refusal(wrong.createEntity(p('r'))), /^403 Auth/);
});

test('pages, selection and top', async () => {
  const client = await table();
  for (let i = 0; i < 1100; i += batchMost) {
    const actions = [];
    for (let n = i; n < Math.min(i + batchMost, 1100); n += 1)
      actions.push(['create', p(String(n).padStart(5, '0'), { n, m: -n })]);
    await client.submitTransaction(actions);
  }
  await client.createEntity({ partitionKey: 'q', rowKey: '' });
  const rows = await all(client.listEntities());
  assert.strictEqual(rows.length, 1101);
  assert.deepStrictEqual(rows.slice(0, 1100).map((row) => row.n), [...Array(1100).keys()]);
  const list = (queryOptions, page) => all(client.listEntities({ queryOptions }).byPage(page));
  const pages = await list({ filter: "PartitionKey eq 'p'" }, { maxPageSize: 400 });
  assert.deepStrictEqual(pages.map((page) => page.length), [400, 400, 300]);
  const filter = "PartitionKey eq 'p' and RowKey eq '00007'";
  const [page] = await list({ filter, select: ['n', 'none'] });
  assert.deepStrictEqual([page[0].n, page[0].m, page[0].partitionKey], [7, undefined, undefined]);
  assert.strictEqual(await refusal(list({ filter: 'n eq' })), '400 InvalidInput');
});

test('a transaction is all or nothing', async () => {
  const client = await table();
  await client.createEntity(p('old', { a: 1 }));
  const old = await client.getEntity('p', 'old');
  const done = await under(old.etag, client, 'old', (etag) => client.submitTransaction([
    ['create', p('new', { a: 1 })],
    ['update', p('old', { b: 2 }), 'Merge', { etag }],
    ['upsert', p("it's", { a: 3 }), 'Replace'],
  ]));
  assert.deepStrictEqual(done.subResponses.map((part) => part.status), [204, 204, 204]);
  const inserted = await client.getEntity('p', 'new');
  assertSameEtag(done.getResponseForEntity('new').etag, inserted.etag);
  assert.strictEqual((await client.getEntity('p', 'old')).b, 2);
  const failures = [
    [['create', p('new')], '409 EntityAlreadyExists'],
    [['delete', p('none')], '404 ResourceNotFound'],
    [['update', p('old'), 'Replace', { etag: old.etag }], '412 UpdateConditionNotSatisfied'],
    [['upsert', p('first')], '400 InvalidDuplicateRow'],
  ];
  for (const [action, expected] of failures) {
    const both = [['upsert', p('first')], action];
    const error = await client.submitTransaction(both).catch((caught) => caught);
    assert.strictEqual(`${error.statusCode} ${error.code}`, expected);
    assert.match(error.message, /^1:/);
    assert.strictEqual(await refusal(client.getEntity('p', 'first')), '404 ResourceNotFound');
  }
  await client.submitTransaction([['delete', p('new')], ['delete', p("it's")]]);
  assert.strictEqual((await all(client.listEntities())).length, 1);
  const many = [...Array(101).keys()].map((i) => ['upsert', p(String(i))]);
  assert.strictEqual(await refusal(client.submitTransaction(many)), '400 InvalidInput');
  assert.strictEqual((await all(client.listEntities())).length, 1);
});

test('a wrong key is refused', async () => {
  const [, endpoint] = /TableEndpoint=([^;]*)/.exec(connection);
  const [, account] = /AccountName=([^;]*)/.exec(connection);
  const wrong = new AzureNamedKeyCredential(account, Buffer.from('wrong').toString('base64'));
  const client = new TableClient(endpoint, 'Any', wrong, options);
  assert.match(await refusal(client.getEntity('p', 'r')), /^403 Auth/);
});

test('a table that migrates is there for good', { skip: !migrating.length }, async () => {
  const service = TableServiceClient.fromConnectionString(connection, options);
  const names = (await all(service.listTables())).map((found) => found.name);
  assert.deepStrictEqual(migrating.filter((name) => names.includes(name)), migrating);
  assert.strictEqual(await refusal(service.deleteTable(migrating[0])), '501 NotImplemented');
  const client = await table();
  const many = [...Array(100).keys()].map((i) => ['upsert', p(String(i))]);
  assert.strictEqual(await refusal(client.submitTransaction(many)), '400 InvalidInput');
  const hidden = client.createEntity(p('_mtable_r'));
  assert.strictEqual(await refusal(hidden), '400 InvalidInput');
  assert.deepStrictEqual(await all(client.listEntities()), []);
});
