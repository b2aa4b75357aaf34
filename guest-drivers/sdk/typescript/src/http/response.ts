// An answer: status, headers, and a body that is read up to a limit or moved to a sink by the host.

import { type IncomingBody, type IncomingResponse, httpErrorCode } from 'wasi:http/types@0.2.12';
import type { Error as StreamCause, StreamError } from 'wasi:io/streams@0.2.12';
import type { InputStream, OutputStream } from '../contract.ts';
import { type DriverError, Failed, Unavailable } from '../errors.ts';
import { end, payload, use } from '../host.ts';
import { PipeError, pipe } from '../pipe.ts';
import * as failure from './failure.ts';
import { Headers } from './headers.ts';
import * as statuses from './status.ts';
import { shown } from './text.ts';

const PIECE = 65536n;

/** An answer whose body was not read yet. Used in `use`, which lets go of its connection. */
export class Response implements Disposable {
  readonly #incoming: IncomingResponse;
  /** 200 and the like. Hostile: any number. */
  readonly status: number;
  readonly headers: Headers;

  constructor(
    incoming: IncomingResponse,
    /** Scheme and authority of who answered. */
    readonly origin: string,
    /** Bytes of the request's body; undefined when the server answered before it had all of it. */
    readonly sent: bigint | undefined = undefined,
  ) {
    this.#incoming = incoming;
    this.status = incoming.status();
    this.headers = use(incoming.headers(), (fields) => new Headers(fields.entries()));
  }

  [Symbol.dispose](): void {
    end(this.#incoming);
  }

  /** Whether the status is 2xx. */
  get isSuccess(): boolean {
    return statuses.isSuccess(this.status);
  }

  /** The error that the status means; see `status.error`. */
  error(what: string, detail?: string): DriverError {
    return statuses.error(this.status, this.headers, what, detail);
  }

  /** Tells `take` the body piece by piece, of at most 64 KiB each. A body that breaks off is an error. */
  eachPiece(take: (piece: Uint8Array) => void): void {
    this.#read((stream) => {
      for (let piece = this.#piece(stream); piece !== undefined; piece = this.#piece(stream)) take(piece);
    });
  }

  /** The whole body, of at most `limit` bytes. A longer one is an error. */
  bytes(limit: number): Uint8Array {
    const pieces: Uint8Array[] = [];
    let length = 0;
    this.eachPiece((piece) => {
      length += piece.length;
      if (length > limit) throw new Failed(`${this.origin} answered more than ${limit} bytes`);
      pieces.push(piece);
    });
    const all = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  /** The body as text, of at most `limit` bytes. */
  text(limit: number): string {
    const bytes = this.bytes(limit);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw new Failed(`${this.origin} answered a text that is not UTF-8`);
    }
  }

  /** Moves exactly `length` bytes of the body into the sink. A body that ends earlier is `Unavailable`: the storage announced more than
   * it sent, which a second try may mend. */
  pipeInto(sink: OutputStream, length: bigint): bigint {
    try {
      return this.#read((stream) => pipe(stream, sink, length));
    } catch (thrown) {
      if (!(thrown instanceof PipeError)) throw thrown;
      if (thrown.kind === 'early-end') {
        throw new Unavailable(`the answer of ${this.origin} ended after ${thrown.moved} bytes of ${length}`);
      }
      if (thrown.kind === 'sink-failed') throw new Failed(`the receiver took no more bytes: ${shown(thrown.message)}`);
      throw new Unavailable(`the answer of ${this.origin} broke off: ${shown(thrown.message)}`);
    }
  }

  #read<T>(read: (stream: InputStream) => T): T {
    let body: IncomingBody;
    try {
      body = this.#incoming.consume();
    } catch (thrown) {
      payload(thrown);
      throw new Failed(`the host gave no body for the answer of ${this.origin}`);
    }
    return use(body, () => use(body.stream(), read));
  }

  /** What came next; undefined at the end. */
  #piece(stream: InputStream): Uint8Array | undefined {
    try {
      return stream.blockingRead(PIECE);
    } catch (thrown) {
      const error = payload<StreamError>(thrown);
      if (error.tag === 'closed') return undefined;
      throw this.#broken(error.val);
    }
  }

  #broken(cause: StreamCause): DriverError {
    const code = use(cause, httpErrorCode);
    return code === undefined
      ? new Unavailable(`the answer of ${this.origin} broke off`)
      : failure.error(code, this.origin);
  }
}
