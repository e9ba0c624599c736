/**
 * Write actions for Quantum in JavaScript.
 *
 * An action is a function from a context and parameters (what JSON gives) to a result (what JSON takes). A module
 * exports its actions by name:
 *
 *     import { Failure } from '#quantum-sdk';
 *
 *     export const actions = {
 *       greet(ctx, p) {
 *         if (p.name === '') throw Failure.permanent('no-name', 'the name is empty');
 *         ctx.log.info('greeting', { name: p.name });
 *         return { text: `Hello, ${p.name}!` };
 *       },
 *     };
 */

export { Context } from './context.js';
export { Cancelled, Failure } from './failure.js';
export { toBytes, toText } from './text.js';
