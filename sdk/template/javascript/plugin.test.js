/** Native tests: node --test */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Host } from '#quantum-sdk/testing';

import { actions } from './plugin.js';

test('words are counted and it is logged', () => {
  const host = new Host();
  const counted = host.run(actions, '{{name}}', { text: 'to be, or not to be', letters_min: 3 });
  assert.deepEqual(counted, { words: 1, longest: 'not' });
  assert.deepEqual(host.logs[0].fields, { words: 1 });
});

test('an empty text is refused', () => {
  assert.throws(() => new Host().run(actions, '{{name}}', { text: ' ' }), { code: 'no-text' });
});
