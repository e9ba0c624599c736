/** The helper as plugins use it, without a component. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { exported } from './guest.js';
import { Cancelled, Context, Failure, toBytes, toText } from './index.js';
import { Host } from './testing.js';

const actions = {
  'echo-twice': (ctx, p) => {
    ctx.log.info('echo', { text: p.text });
    ctx.progress(250, 'done');
    return { text: p.text + p.text, region: ctx.config.region };
  },
  wrong: (_, p) => p.missing.length,
  strange: () => undefined,
  late: async () => 1,
  busy: () => {
    throw Failure.retryable('busy', 'come back', { afterMs: 1500, details: { queue: 3 } });
  },
  stop: (ctx) => ctx.stopIfCancelled(),
};

test('an action goes from JSON to JSON and is logged', () => {
  const host = new Host({ config: { region: 'north' } });
  assert.deepEqual(host.run(actions, 'echo-twice', { text: 'é' }), { text: 'éé', region: 'north' });
  assert.deepEqual(host.logs, [{ level: 'info', message: 'echo', fields: { text: 'é' } }]);
  assert.deepEqual(host.progressed, [[100, 'done']]);
});

test('whatever is thrown is a failure', () => {
  const code = (action) => (error) => error instanceof Failure && error.code === action;
  assert.throws(() => new Host().run(actions, 'wrong', {}), (error) => {
    assert.match(error.message, /^TypeError: Cannot read .* \(at .*sdk\.test\.js:\d+:\d+\)+$/);
    return error.code === 'exception' && !error.isRetryable && error.details.stack.length > 1;
  });
  assert.throws(() => new Host().run(actions, 'strange', {}), code('exception'));
  assert.throws(() => new Host().run(actions, 'late', {}), /gives a promise/);
  assert.throws(() => new Host().run(actions, 'toString', {}), code('unknown-action'));
  assert.throws(() => new Host({ cancelled: true }).run(actions, 'stop', {}), Cancelled);
});

test('failures are told in the words of the bindings', () => {
  const run = (action, cancelled) => {
    try {
      return exported(actions, new Host({ cancelled }), Object.keys(actions), ['clock']).run(action, '{}');
    } catch (error) {
      return error;
    }
  };
  const busy = { code: 'busy', message: 'come back', details: '{"queue":3}' };
  assert.deepEqual(run('busy'), { tag: 'retryable', val: [busy, 1500] });
  assert.equal(run('wrong').tag, 'permanent');
  assert.deepEqual(run('stop', true), { tag: 'cancelled' });
});

test('artifacts are read in pieces and stored with a name', () => {
  const host = new Host({ artifacts: { names: toBytes('Ada Grace') } });
  const { artifacts } = new Context(host);
  assert.equal(toText(artifacts.read('names')), 'Ada Grace');
  assert.equal([...artifacts.pieces('names', 4)].length, 1);
  assert.equal(artifacts.put(new Uint8Array([104, 105]), { name: 'note', mediaType: 'text/plain' }).size, 2);
  assert.deepEqual(host.stored.get('note'), { bytes: new Uint8Array([104, 105]), mediaType: 'text/plain' });
  assert.equal(artifacts.stat('none'), undefined);
  assert.throws(() => artifacts.read('none'), { code: 'artifact-missing', message: 'there is no artifact "none"' });
});

test('a value is written when the revision is the expected one', () => {
  const { kv } = new Context(new Host({ kv: { seen: new Uint8Array([1]) } }));
  const { revision } = kv.get('seen');
  assert.equal(kv.compareAndSet('seen', undefined, new Uint8Array([2])), undefined);
  assert.equal(kv.compareAndSet('seen', revision, new Uint8Array([2])), revision + 1);
  kv.delete('seen');
  assert.equal(kv.get('seen'), undefined);
});

test('what the manifest does not declare is named', () => {
  const host = new Host();
  host.kv = undefined;
  assert.throws(() => new Context(host).kv, { code: 'capability-undeclared', message: /"kv": true/ });
});

test('texts are the bytes that everybody else reads', () => {
  const text = 'aé€😀'.repeat(3000);
  assert.deepEqual(toBytes(text), new Uint8Array(new TextEncoder().encode(text)));
  assert.equal(toText(toBytes(text)), text);
  for (const bytes of [[0x80], [0xc3], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]]) {
    assert.throws(() => toText(Uint8Array.from(bytes)), { code: 'not-utf-8' }, String(bytes));
  }
});
