// The contract's errors as classes to throw. Which one is thrown decides what the host does next.
//
// The text is for the deployer: what was attempted, what was found. No secrets in it. Anything thrown that is none of these
// reaches the host as `Failed`, with its name and message and without its stack.
//
// Retry classes: repair is tried again at the slow interval only, retry soon, final never.

import type { Error as ContractError } from 'cofferdam:backup/types@0.1.0';

/** What all of the contract's errors have in common: a text for the deployer. */
export abstract class DriverError extends Error {
  /** As the contract has it. */
  abstract toContract(): ContractError;
}

/** The settings are wrong (repair). `option` is empty when the fault lies in how several work together. */
export class InvalidConfiguration extends DriverError {
  constructor(
    readonly option: string,
    readonly reason: string,
  ) {
    super(option === '' ? reason : `${option}: ${reason}`);
  }

  toContract(): ContractError {
    return { tag: 'invalid-configuration', val: { optionName: this.option, reason: this.reason } };
  }
}

/** The storage refused the credentials or the right (repair). */
export class Unauthorized extends DriverError {
  toContract(): ContractError {
    return { tag: 'unauthorized', val: this.message };
  }
}

/** The storage cannot be reached or used now (retry). */
export class Unavailable extends DriverError {
  toContract(): ContractError {
    return { tag: 'unavailable', val: this.message };
  }
}

/** The object or container is not there (final). */
export class NotFound extends DriverError {
  toContract(): ContractError {
    return { tag: 'not-found', val: this.message };
  }
}

/** It is there already and may not be replaced (final). */
export class AlreadyExists extends DriverError {
  toContract(): ContractError {
    return { tag: 'already-exists', val: this.message };
  }
}

/** The storage is full (repair). */
export class OutOfSpace extends DriverError {
  toContract(): ContractError {
    return { tag: 'out-of-space', val: this.message };
  }
}

/** The storage asks for a pause (retry, after the pause). `retryAfter`: milliseconds, or undefined if it did not say. */
export class Throttled extends DriverError {
  constructor(
    readonly retryAfter: number | undefined,
    reason: string,
  ) {
    super(reason);
  }

  toContract(): ContractError {
    return { tag: 'throttled', val: { retryAfter: this.retryAfter, reason: this.message } };
  }
}

/** What was read back is not what was written (final). */
export class Corrupted extends DriverError {
  toContract(): ContractError {
    return { tag: 'corrupted', val: this.message };
  }
}

/** This driver or storage cannot do that (final). */
export class Unsupported extends DriverError {
  toContract(): ContractError {
    return { tag: 'unsupported', val: this.message };
  }
}

/** Anything else (retry). */
export class Failed extends DriverError {
  toContract(): ContractError {
    return { tag: 'failed', val: this.message };
  }
}
