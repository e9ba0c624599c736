/**
 * The host as a component sees it. `host` are the imported interfaces under the names that `Context` uses: an interface
 * that the manifest does not declare is not among them.
 */

import { call } from './call.js';
import { Context } from './context.js';
import { Cancelled, Failure } from './failure.js';

/** What the component exports as `quantum:plugin/actions`. `names` and `capabilities` are those of the manifest. */
export function exported(actions, host, names, capabilities) {
  checkNames(Object.keys(actions ?? {}), names);
  if (!capabilities.includes('clock')) stopClocks();
  return {
    run(action, parameters) {
      const ctx = new Context(host);
      globalThis.console = consoleOf(ctx.log);
      try {
        return call(actions, ctx, action, parameters);
      } catch (error) {
        throw told(error);
      }
    },
  };
}

/** Manifest and module name the same actions: a name that one of them lacks would be found by its first call. */
function checkNames(known, names) {
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new TypeError(
      `manifest.json has the action "${name}", and \`actions\` has none of that name; it has ${known.join(', ')}`,
    );
  }
  const further = known.find((name) => !names.includes(name));
  if (further === undefined) return;
  throw new TypeError(`\`actions\` has the action "${further}", which manifest.json does not have`);
}

/** The variant `failure` in the bindings' words. */
function told(error) {
  if (error instanceof Cancelled) return { tag: 'cancelled' };
  if (!(error instanceof Failure)) return told(Failure.permanent('exception', String(error)));
  const details = error.details === undefined ? undefined : JSON.stringify(error.details);
  const problem = { code: error.code, message: error.message, details };
  if (!error.isRetryable) return { tag: 'permanent', val: problem };
  const afterMs = error.afterMs === undefined ? undefined : Math.max(0, Math.trunc(error.afterMs));
  return { tag: 'retryable', val: [problem, afterMs] };
}

/** What is printed becomes lines of the log. */
function consoleOf(log) {
  const line = (write) => (...values) => write(values.map(shown).join(' '));
  return {
    debug: line((text) => log.debug(text)),
    log: line((text) => log.info(text)),
    info: line((text) => log.info(text)),
    warn: line((text) => log.warn(text)),
    error: line((text) => log.error(text)),
  };
}

function shown(value) {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

/** Without the capability there is no clock in the component: say so, rather than trap. */
function stopClocks() {
  const none = () => {
    throw new Error('the manifest\'s capabilities do not have "clock": true');
  };
  const Known = Date;
  globalThis.performance = { now: none };
  globalThis.Date = class Date extends Known {
    constructor(...parts) {
      if (parts.length === 0) none();
      super(...parts);
    }

    static now() {
      none();
    }
  };
}
