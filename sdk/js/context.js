/** What a running action knows about itself, and how it reaches the host. */

import { Cancelled, Failure, toldByHost } from './failure.js';

/** Bytes of one piece: what one call moves between the component and the host. */
const PIECE_BYTES = 256 * 1024;

/** The first argument of every action. */
export class Context {
  #host;

  constructor(host) {
    this.#host = host;
    this.log = new Log(host.log);
  }

  /** Tells how far the action is, in percent. */
  progress(percent, message = '') {
    this.#host.log.progress(Math.max(0, Math.min(100, Math.trunc(percent))), message);
  }

  /** The installation's configuration; it fits the manifest's `config`. */
  get config() {
    return JSON.parse(this.#host.context.config());
  }

  get execution() {
    return this.#host.context.execution();
  }

  get step() {
    return this.#host.context.step();
  }

  /** Which try of the step this is, from 1. */
  get attempt() {
    return this.#host.context.attempt();
  }

  /** The same for all attempts of the step: hand it to services that take one. */
  get idempotencyKey() {
    return this.#host.context.idempotencyKey();
  }

  /** Milliseconds since the Unix epoch, or undefined. */
  get deadlineMs() {
    const deadline = this.#host.context.deadline();
    return deadline === undefined || deadline === null ? undefined : deadline;
  }

  get dryRun() {
    return this.#host.context.dryRun();
  }

  /** W3C `traceparent`, or undefined. */
  get traceParent() {
    return this.#host.context.traceParent() ?? undefined;
  }

  /** True once the execution is being cancelled. */
  get cancelled() {
    return this.#host.context.cancelled();
  }

  /** Call it in long work: it ends the action when the execution is being cancelled. */
  stopIfCancelled() {
    if (this.cancelled) throw new Cancelled();
  }

  /** Needs `"artifacts": true` in the manifest's capabilities. */
  get artifacts() {
    return new Artifacts(declared(this.#host.artifacts, '"artifacts": true'));
  }

  /** Needs `"kv": true`. */
  get kv() {
    return new KeyValues(declared(this.#host.kv, '"kv": true'));
  }

  /** `bytes` random bytes. Needs `"random": true`. */
  random(bytes) {
    return declared(this.#host.random, '"random": true').getRandomBytes(bytes);
  }
}

function declared(part, declaration) {
  if (part === undefined) {
    throw Failure.permanent('capability-undeclared', `the manifest's capabilities do not have ${declaration}`);
  }
  return part;
}

/** Lines for whoever follows the execution. Fields are anything that JSON takes. */
class Log {
  #host;

  constructor(host) {
    this.#host = host;
  }

  debug(message, fields) {
    this.#line('debug', message, fields);
  }

  info(message, fields) {
    this.#line('info', message, fields);
  }

  warn(message, fields) {
    this.#line('warn', message, fields);
  }

  error(message, fields) {
    this.#line('error', message, fields);
  }

  #line(level, message, fields = {}) {
    const pairs = Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value) ?? 'null']);
    this.#host.write(level, String(message), pairs);
  }
}

/**
 * Bytes between steps and from outside. A reference is a digest, a name of this execution, or a name of the tenant,
 * looked for in this order. What the host refuses is a `Failure`: `artifact-missing`, `artifact-denied` and others.
 */
class Artifacts {
  #host;

  constructor(host) {
    this.#host = host;
  }

  /** `{ digest, size, mediaType }`, or undefined: there is no such artifact. */
  stat(reference) {
    const info = toldByHost('artifact', () => this.#host.stat(reference));
    return info === undefined || info === null ? undefined : infoOf(info);
  }

  /** Its bytes, piece by piece: an iterator of `Uint8Array`. */
  *pieces(reference, offset = 0) {
    const reader = toldByHost('artifact', () => this.#host.open(reference, offset));
    for (;;) {
      const piece = toldByHost('artifact', () => reader.read(PIECE_BYTES));
      if (piece.length === 0) return;
      yield piece;
    }
  }

  /** All its bytes, in memory. */
  read(reference) {
    const pieces = [...this.pieces(reference)];
    const all = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  /** Stores bytes. A name lives in the execution, where later steps find it. */
  put(bytes, { name, mediaType } = {}) {
    const writer = toldByHost('artifact', () => this.#host.create(mediaType));
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      toldByHost('artifact', () => writer.write(bytes.subarray(at, at + PIECE_BYTES)));
    }
    return infoOf(toldByHost('artifact', () => writer.finish(name)));
  }
}

function infoOf({ digest, size, mediaType }) {
  return { digest, size, mediaType: mediaType ?? undefined };
}

/** Small values that a plugin keeps between executions, of its own in each tenant. Values are `Uint8Array`s. */
class KeyValues {
  #host;

  constructor(host) {
    this.#host = host;
  }

  /** `{ value, revision }`, or undefined: never written, deleted, or over its time. */
  get(key) {
    return toldByHost('kv', () => this.#host.get(key)) ?? undefined;
  }

  /** Gives the new revision. After `ttlMs` milliseconds the value is gone. */
  set(key, value, { ttlMs } = {}) {
    return toldByHost('kv', () => this.#host.set(key, value, ttl(ttlMs)));
  }

  /** Writes only when the stored revision is `expected` (undefined: only when absent). Undefined: it was not. */
  compareAndSet(key, expected, value, { ttlMs } = {}) {
    return toldByHost('kv', () => this.#host.compareAndSet(key, expected, value, ttl(ttlMs))) ?? undefined;
  }

  delete(key) {
    toldByHost('kv', () => this.#host.delete(key));
  }
}

function ttl(milliseconds) {
  return milliseconds === undefined ? undefined : Math.max(0, Math.trunc(milliseconds));
}
