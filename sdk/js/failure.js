/** How an action ends without a result. */

/**
 * Ends the action with a code that programs rely on (kebab-case), and a message for people. A retryable failure may be
 * tried again, not before `afterMs` milliseconds. `details` is anything that JSON takes.
 */
export class Failure extends Error {
  constructor(code, message, { details, retryable = false, afterMs } = {}) {
    super(message);
    this.name = 'Failure';
    this.code = code;
    this.details = details;
    this.isRetryable = retryable;
    this.afterMs = afterMs;
  }

  /** Trying again is of no use. */
  static permanent(code, message, details) {
    return new Failure(code, message, { details });
  }

  /** Another attempt may help, when `afterMs` milliseconds have passed. */
  static retryable(code, message, { afterMs, details } = {}) {
    return new Failure(code, message, { details, retryable: true, afterMs });
  }
}

/** Ends the action because its execution is being cancelled. */
export class Cancelled extends Error {
  constructor() {
    super('the execution is being cancelled');
    this.name = 'Cancelled';
  }
}

/**
 * Calls the host. What it refuses is a failure with the code `kind` and then the host's own: the bindings throw the
 * host's record, alone or in `payload`.
 */
export function toldByHost(kind, call) {
  try {
    return call();
  } catch (error) {
    const record = error?.payload ?? error;
    if (error instanceof Failure || typeof record?.code !== 'string' || typeof record?.message !== 'string') {
      throw error;
    }
    const retryable = record.retryable ?? record.code === 'unavailable';
    throw new Failure(`${kind}-${record.code}`, record.message, { retryable });
  }
}
