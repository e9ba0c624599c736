/**
 * A host for native tests: `node --test`, without a sandbox and without a component.
 *
 *     const host = new Host({ config: { region: 'north' } });
 *     assert.deepEqual(host.run(actions, 'greet', { name: 'Ada' }), { text: 'Hello, Ada!' });
 *     assert.deepEqual(host.logs[0].fields, { name: 'Ada' });
 */

import { call } from './call.js';
import { Context } from './context.js';

/** Everything is declared: what a manifest leaves out shows in the cases of the sandbox. */
export class Host {
  logs = [];
  progressed = [];
  stored = new Map();

  constructor({ config = {}, artifacts = {}, kv = {}, attempt = 1, dryRun = false, cancelled = false } = {}) {
    this.context = {
      config: () => JSON.stringify(config),
      execution: () => '0198c0de-0000-7000-8000-000000000000',
      step: () => 'test',
      attempt: () => attempt,
      idempotencyKey: () => 'test-key',
      deadline: () => undefined,
      dryRun: () => dryRun,
      traceParent: () => undefined,
      cancelled: () => cancelled,
    };
    this.log = {
      write: (level, message, pairs) => {
        const fields = Object.fromEntries(pairs.map(([name, text]) => [name, JSON.parse(text)]));
        this.logs.push({ level, message, fields });
      },
      progress: (percent, message) => this.progressed.push([percent, message]),
    };
    this.artifacts = fakeArtifacts(new Map(Object.entries(artifacts)), this.stored);
    this.kv = fakeKeyValues(Object.entries(kv));
    this.random = { getRandomBytes: (count) => new Uint8Array(count).fill(4) };
  }

  /** The whole way from JSON to JSON; what the action throws is a `Failure` or `Cancelled`. */
  run(actions, action, parameters) {
    return JSON.parse(call(actions, new Context(this), action, JSON.stringify(parameters)));
  }
}

/** Its digests are not those of the content: a native test compares names. */
function fakeArtifacts(known, stored) {
  const find = (reference) => stored.get(reference)?.bytes ?? known.get(reference);
  return {
    stat(reference) {
      const bytes = find(reference);
      return bytes && { digest: digest(reference), size: bytes.length, mediaType: undefined };
    },
    open(reference, offset) {
      const bytes = find(reference);
      if (!bytes) throw { code: 'missing', message: `there is no artifact "${reference}"`, retryable: false };
      let at = offset;
      return { read: (max) => bytes.slice(at, (at += max)) };
    },
    create(mediaType) {
      const written = [];
      return {
        write: (bytes) => written.push(...bytes),
        finish(name) {
          const bytes = Uint8Array.from(written);
          stored.set(name ?? digest(String(stored.size)), { bytes, mediaType });
          return { digest: digest(name ?? String(stored.size)), size: bytes.length, mediaType };
        },
      };
    },
  };
}

function digest(seed) {
  const hex = [...seed].map((character) => character.codePointAt(0).toString(16)).join('');
  return `sha256:${hex.padEnd(64, '0').slice(0, 64)}`;
}

function fakeKeyValues(known) {
  let revision = 0;
  const entries = new Map();
  const set = (key, value) => {
    revision += 1;
    entries.set(key, { value, revision });
    return revision;
  };
  for (const [key, value] of known) set(key, value);
  return {
    get: (key) => entries.get(key),
    set,
    compareAndSet: (key, expected, value) => (entries.get(key)?.revision === expected ? set(key, value) : undefined),
    delete: (key) => void entries.delete(key),
  };
}
