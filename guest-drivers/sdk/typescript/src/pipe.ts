// Moving an object's bytes: one call into the host for all of them, which never enter the guest.
//
// The host says only in words why a sink failed. A full storage has its own case in the contract, so `isFull` knows the operating
// system's words for it.

import * as host from 'cofferdam:backup/host@0.1.0';
import type { PipeError as HostError } from 'cofferdam:backup/host@0.1.0';
import type { BodyInfo, BodyNeeds, InputStream, OutputStream } from './contract.ts';
import { Corrupted, Failed, OutOfSpace, Unavailable } from './errors.ts';
import { payload } from './host.ts';

/** Bytes could not be moved: the source ended in an error, the sink refused them, or the source closed too early. */
export class PipeError extends Error {
  constructor(
    readonly kind: HostError['tag'],
    message: string,
    /** Bytes that were moved before an early end. */
    readonly moved: bigint = 0n,
  ) {
    super(message);
  }
}

/** Moves bytes inside the host, until the source closes or `length` bytes are through, and flushes the sink. Says how many. One
 * crossing for a whole object, whatever its size. Throws `PipeError`. */
export function pipe(source: InputStream, sink: OutputStream, length?: bigint): bigint {
  return told(() => host.pipe(source, sink, length));
}

/** The same, and digests what went through: so a driver can compare what the storage says it got with what was sent, without
 * the bytes. */
export function pipeDigested(source: InputStream, sink: OutputStream, length: bigint | undefined, wanted: BodyNeeds): BodyInfo {
  return told(() => host.pipeDigested(source, sink, length, wanted));
}

/** Moves the whole body of a put into the storage's stream; says how many bytes. Any error means: discard them. */
export function store(body: InputStream, sink: OutputStream, info: BodyInfo): bigint {
  const stored = told(
    () => host.pipe(body, sink, undefined),
    (error) => {
      if (error.kind !== 'sink-failed') return new Failed(`the object's body broke off: ${error.message}`);
      if (isFull(error.message)) return new OutOfSpace(`the storage took no more of the object: ${error.message}`);
      return new Failed(`the storage refused the object's bytes: ${error.message}`);
    },
  );
  if (info.size !== undefined && info.size !== stored) {
    throw new Failed(`the object's body had ${stored} bytes, but ${info.size} were announced`);
  }
  return stored;
}

/** Moves exactly `length` bytes of a stored object into the sink of a get. */
export function fetch(object: InputStream, sink: OutputStream, length: bigint): bigint {
  return told(
    () => host.pipe(object, sink, length),
    (error) => {
      if (error.kind === 'source-failed') return new Unavailable(`the storage failed in the middle: ${error.message}`);
      if (error.kind === 'sink-failed') return new Failed(`the receiver took no more bytes: ${error.message}`);
      return new Corrupted(
        `the object ended after ${error.moved} bytes of ${length}: it became shorter while it was read`,
      );
    },
  );
}

/** Whether an operating system's text says that the storage is full or a quota used up. */
export function isFull(text: string): boolean {
  const lower = text.toLowerCase();
  return ['no space left', 'quota exceeded', 'insufficient-space', '(os error 28)', '(os error 122)'].some((words) =>
    lower.includes(words),
  );
}

/** True once nobody waits for this call any more: a driver that computes for long may stop early. */
export function isCancelled(): boolean {
  return host.isCancelled();
}

function told<T>(call: () => T, make: (error: PipeError) => Error = (error) => error): T {
  try {
    return call();
  } catch (thrown) {
    const error = payload<HostError>(thrown);
    throw make(
      error.tag === 'early-end'
        ? new PipeError(error.tag, `the source ended after ${error.val} bytes`, error.val)
        : new PipeError(error.tag, error.val),
    );
  }
}
