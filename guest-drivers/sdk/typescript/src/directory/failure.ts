// From WASI's file system codes to the contract's errors: what was attempted, what was found, what to do.
//
// The code decides the retry class. Wasmtime folds what it has no code for into `io`, among it a file system that turned read-only,
// a used-up quota and a stale NFS handle, so the text for `io` names them.

import type { ErrorCode } from 'wasi:filesystem/types@0.2.12';
import {
  AlreadyExists,
  type DriverError,
  Failed,
  NotFound,
  OutOfSpace,
  Unauthorized,
  Unavailable,
  Unsupported,
} from '../errors.ts';
import { payload } from '../host.ts';

type ErrorClass = new (text: string) => DriverError;

const DENIED =
  "permission denied; give the service's user the right, and see that the directory is granted for writing and that no " +
  'symbolic link leads out of it';
const RULES: Partial<Record<ErrorCode, [ErrorClass, string]>> = {
  access: [Unauthorized, DENIED],
  'not-permitted': [Unauthorized, DENIED],
  'read-only': [Unauthorized, 'it is read-only'],
  'no-entry': [NotFound, 'it is not there'],
  exist: [AlreadyExists, 'it is there already'],
  'insufficient-space': [OutOfSpace, 'no space is left'],
  quota: [OutOfSpace, 'the quota is used up'],
  'file-too-large': [Unsupported, "it is larger than the file system or the process's limit allows"],
  'name-too-long': [Unsupported, 'the name is too long'],
  'illegal-byte-sequence': [Unsupported, 'the name is not UTF-8'],
  io: [Unavailable, 'input/output error, a file system that is read-only or stale, or a quota that is used up'],
  busy: [Unavailable, 'busy'],
  'no-device': [Unavailable, 'no-device'],
  'no-such-device': [Unavailable, 'no-such-device'],
  'insufficient-memory': [Unavailable, 'insufficient-memory'],
  'not-directory': [Failed, 'a file stands where a folder should be'],
  'is-directory': [Failed, 'a folder stands where a file should be'],
  loop: [Failed, 'a symbolic link stands there'],
};

/** Makes the call; an error says that we could not do what `what` tells. */
export function attempt<T>(call: () => T, what: string): T {
  try {
    return call();
  } catch (thrown) {
    throw error(codeOf(thrown), what);
  }
}

/** Makes the call; undefined when it fails because what it wants is not there. */
export function attemptIfThere<T>(call: () => T, what: string): T | undefined {
  try {
    return call();
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === 'no-entry') return undefined;
    throw error(code, what);
  }
}

/** The contract's error for a code; `what` completes "cannot ...". */
export function error(code: ErrorCode, what: string): DriverError {
  const [kind, text] = RULES[code] ?? [Failed, code];
  return new kind(`cannot ${what}: ${text}`);
}

/** The code with which an imported function failed. */
export function codeOf(thrown: unknown): ErrorCode {
  return payload<ErrorCode>(thrown);
}
