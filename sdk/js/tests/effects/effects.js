/** Every part of the helper, as a component uses it. */

import { Failure, toBytes, toText } from '#quantum-sdk';

export const actions = {
  exercise(ctx) {
    const seen = ctx.kv.get('seen');
    const count = Number(seen ? toText(seen.value) : 0) + 1;
    const revision = ctx.kv.compareAndSet('seen', seen?.revision, toBytes(String(count)), { ttlMs: 60_000 });
    if (revision === undefined) throw Failure.retryable('raced', 'somebody else wrote');
    const names = toText(ctx.artifacts.read('names')).trim().split('\n');
    const note = ctx.artifacts.put(toBytes(names.join(', ')), { name: 'note', mediaType: 'text/plain' });
    console.log('names:', ...names);
    ctx.progress(50, 'half');
    return {
      count,
      names,
      note,
      stat: ctx.artifacts.stat('note').size,
      none: ctx.artifacts.stat('none') ?? null,
      config: ctx.config,
      attempt: ctx.attempt,
      inTime: ctx.deadlineMs > Date.now() && ctx.deadlineMs < Date.now() + 60_000,
      random: ctx.random(8).length,
    };
  },

  mistake(ctx, p) {
    console.warn('before the mistake');
    return { value: p.missing.length };
  },

  forget(ctx, p) {
    ctx.kv.delete('seen');
    ctx.kv.set('other', toBytes('kept'));
    ctx.artifacts.read(p.artifact);
  },

  wait() {
    throw Failure.retryable('busy', 'come back', { afterMs: 1500, details: { queue: 3 } });
  },
};
