/** One call of an action, from JSON text to JSON text. Only `Failure` and `Cancelled` come out of it. */

import { Cancelled, Failure } from './failure.js';

/** Lines of a stack in a failure's details: its innermost calls. */
const STACK_LINES = 8;

export function call(actions, ctx, action, parameters) {
  if (!Object.hasOwn(actions, action)) {
    const known = Object.keys(actions).join(', ');
    throw Failure.permanent('unknown-action', `the plugin has no action "${action}"; its module has ${known}`);
  }
  let result;
  try {
    result = actions[action](ctx, JSON.parse(parameters));
  } catch (error) {
    throw error instanceof Failure || error instanceof Cancelled ? error : unexpected(error);
  }
  if (typeof result?.then === 'function') {
    throw Failure.permanent('exception', `the action "${action}" gives a promise; nothing here is waited for`);
  }
  return text(result);
}

function text(result) {
  let text;
  try {
    text = JSON.stringify(result);
  } catch (error) {
    throw unexpected(error);
  }
  if (text === undefined) {
    throw Failure.permanent('exception', 'the action gives nothing that JSON takes; return null for no result');
  }
  return text;
}

/** What nobody caught is a mistake in the plugin; the stack says where. */
function unexpected(error) {
  const stack = String(error?.stack ?? '').split('\n');
  const places = stack.map((line) => line.trim()).filter((line) => line.startsWith('at '));
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const place = places.length > 0 ? ` (${places[0]})` : '';
  return Failure.permanent('exception', `${message}${place}`, { stack: places.slice(0, STACK_LINES) });
}
