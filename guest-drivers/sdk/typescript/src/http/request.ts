// A request, sent once.
//
// The host moves a streamed body. A server may answer before it has all of the body: "no right", "no space". It then stops reading, and
// what the driver sees first is a body that cannot be written. So a broken body is no verdict: the answer is waited for, briefly, and
// only when none comes the break itself is told.

import { subscribeDuration } from 'wasi:clocks/monotonic-clock@0.2.12';
import { handle } from 'wasi:http/outgoing-handler@0.2.12';
import {
  type ErrorCode,
  Fields,
  type FutureIncomingResponse,
  type IncomingResponse,
  type Method,
  OutgoingBody,
  OutgoingRequest,
  RequestOptions,
} from 'wasi:http/types@0.2.12';
import { poll } from 'wasi:io/poll@0.2.12';
import type { StreamError } from 'wasi:io/streams@0.2.12';
import type { InputStream, OutputStream } from '../contract.ts';
import { type DriverError, Failed, Unavailable } from '../errors.ts';
import { end, isHostError, payload, use } from '../host.ts';
import { PipeError, pipe } from '../pipe.ts';
import * as failure from './failure.ts';
import { Response } from './response.ts';
import { shown } from './text.ts';
import type { Url } from './url.ts';

/** How long the answer to a request is waited for whose body could not be written, in nanoseconds. */
const PATIENCE = 5_000_000_000n;
const METHODS = ['get', 'head', 'post', 'put', 'delete', 'connect', 'options', 'trace', 'patch'] as const;

/** A request to be sent. Header values may hold the placeholders of secrets; the host adds `host`. */
export class Request {
  constructor(
    readonly method: string,
    readonly url: Url,
    readonly headers: Record<string, string> = {},
    /** Milliseconds for each of: connecting, the first byte of the answer, between any two pieces of it. The host has limits of its own
     * beside it. */
    readonly timeout?: number,
  ) {}

  /** Sends it without a body. */
  send(): Response {
    // Servers refuse a POST or PUT that does not say that it has none.
    const length: Record<string, string> =
      this.method === 'POST' || this.method === 'PUT' ? { 'content-length': '0' } : {};
    return use(this.#start(length, false).future, (future) => receive(future, this.url.origin));
  }

  /** Sends it with a small body. */
  sendBytes(body: Uint8Array): Response {
    return this.#sendWith(BigInt(body.length), (sink) => write(sink, body));
  }

  /** Sends it with a streamed body: of exactly `length` bytes, or of as many as come, in chunks. Whether the body is whole shows only
   * behind its last byte; so with a length that one is held back until then, and in chunks the end is: of a body that breaks the
   * server never has all. */
  sendStream(body: InputStream, length: bigint | undefined): Response {
    if (length === undefined) return this.#sendWith(undefined, (sink) => pipe(body, sink));
    if (length === 0n) {
      try {
        expectEnd(body);
      } catch (thrown) {
        throw brokenBody(thrown, length);
      }
      return this.sendBytes(new Uint8Array());
    }
    return this.#sendWith(length, (sink) => {
      pipe(body, sink, length - 1n);
      const last = readByte(body);
      if (last === undefined) throw new PipeError('early-end', '', length - 1n);
      expectEnd(body);
      write(sink, last);
      return length;
    });
  }

  /** Sends head and body; `fill` says how many bytes it wrote. */
  #sendWith(length: bigint | undefined, fill: (sink: OutputStream) => bigint): Response {
    const { origin } = this.url;
    const { future, body } = this.#start(length === undefined ? {} : { 'content-length': `${length}` }, true);
    if (body === undefined) throw noBody(origin);
    // The body is ended unfinished only after the answer came, so that the host does not cut it off.
    return use(future, () => {
      const outgoing = new Body(body);
      return use(outgoing, () => {
        const sent = send(outgoing, fill, length, origin);
        return typeof sent === 'bigint' ? receive(future, origin, sent) : earlyAnswer(future, origin, sent);
      });
    });
  }

  #start(
    headers: Record<string, string>,
    withBody: boolean,
  ): { future: FutureIncomingResponse; body: OutgoingBody | undefined } {
    const { origin } = this.url;
    const encoder = new TextEncoder();
    const all = Object.entries({ 'user-agent': 'cofferdam', ...this.headers, ...headers });
    let request: OutgoingRequest;
    try {
      request = new OutgoingRequest(Fields.fromList(all.map(([name, value]) => [name, encoder.encode(value)])));
      request.setMethod(methodOf(this.method));
      request.setScheme({ tag: this.url.scheme === 'http' ? 'HTTP' : 'HTTPS' });
      request.setAuthority(this.url.authority);
      request.setPathWithQuery(this.url.pathAndQuery);
    } catch (thrown) {
      payload(thrown);
      throw new Failed(`the host refused a part of a request to ${origin}`);
    }
    try {
      const body = withBody ? request.body() : undefined;
      return { future: handle(request, optionsOf(this.timeout)), body };
    } catch (thrown) {
      const code = payload<ErrorCode | undefined>(thrown);
      throw code === undefined ? noBody(origin) : failure.error(code, origin);
    }
  }
}

function methodOf(name: string): Method {
  const tag = METHODS.find((known) => known === name.toLowerCase());
  return tag === undefined ? { tag: 'other', val: name } : { tag };
}

/** None without a time limit: wasmtime 48 keeps each request's options until the instance ends. A host may not know one of the
 * limits; its own then hold. */
function optionsOf(timeout: number | undefined): RequestOptions | undefined {
  if (timeout === undefined) return undefined;
  const options = new RequestOptions();
  const nanoseconds = BigInt(Math.max(timeout, 1)) * 1_000_000n;
  for (const set of [options.setConnectTimeout, options.setFirstByteTimeout, options.setBetweenBytesTimeout]) {
    try {
      set.call(options, nanoseconds);
    } catch (thrown) {
      if (!isHostError(thrown)) throw thrown;
    }
  }
  return options;
}

/** A body that is ended at the end unless it was finished, which gives it away. */
class Body implements Disposable {
  #body: OutgoingBody | undefined;

  constructor(body: OutgoingBody) {
    this.#body = body;
  }

  [Symbol.dispose](): void {
    if (this.#body !== undefined) end(this.#body);
  }

  write(origin: string): OutputStream {
    try {
      if (this.#body !== undefined) return this.#body.write();
    } catch (thrown) {
      payload(thrown);
    }
    throw noBody(origin);
  }

  finish(): void {
    const body = this.#body;
    this.#body = undefined;
    if (body !== undefined) OutgoingBody.finish(body, undefined);
  }
}

/** Sends the body and says how many bytes it had, or gives the error to be told when the server's answer does not tell a better one. */
function send(
  body: Body,
  fill: (sink: OutputStream) => bigint,
  length: bigint | undefined,
  origin: string,
): bigint | DriverError {
  let sent: bigint;
  try {
    sent = use(body.write(origin), fill);
  } catch (thrown) {
    if (thrown instanceof PipeError && thrown.kind === 'sink-failed') {
      return new Unavailable(`${origin} took no more of the body: ${shown(thrown.message)}`);
    }
    throw brokenBody(thrown, length);
  }
  try {
    body.finish();
  } catch (thrown) {
    return failure.error(payload<ErrorCode>(thrown), origin);
  }
  return sent;
}

/** Writes the bytes. No flush: once all announced bytes are written, the host may have closed the stream already. */
function write(sink: OutputStream, data: Uint8Array): bigint {
  for (let at = 0; at < data.length; ) {
    try {
      use(sink.subscribe(), (ready) => ready.block());
      const room = sink.checkWrite();
      const piece = data.subarray(at, room < BigInt(data.length - at) ? at + Number(room) : data.length);
      if (piece.length > 0) sink.write(piece);
      at += piece.length;
    } catch (thrown) {
      const error = payload<StreamError>(thrown);
      const text = error.tag === 'closed' ? 'the connection was closed' : use(error.val, (cause) => cause.toDebugString());
      throw new PipeError('sink-failed', text);
    }
  }
  return BigInt(data.length);
}

/** One byte of the body; undefined at its end. */
function readByte(body: InputStream): Uint8Array | undefined {
  try {
    return body.blockingRead(1n);
  } catch (thrown) {
    const error = payload<StreamError>(thrown);
    if (error.tag === 'closed') return undefined;
    throw new PipeError(
      'source-failed',
      use(error.val, (cause) => cause.toDebugString()),
    );
  }
}

function expectEnd(body: InputStream): void {
  if (readByte(body) !== undefined) throw new PipeError('source-failed', 'it goes on behind its announced size');
}

/** What a body that is not what was announced means for the put. */
function brokenBody(thrown: unknown, length: bigint | undefined): unknown {
  if (!(thrown instanceof PipeError)) return thrown;
  if (thrown.kind === 'early-end') return new Failed(`the object's body ended after ${thrown.moved} bytes of ${length}`);
  return new Failed(`the object's body broke off: ${shown(thrown.message)}`);
}

function receive(future: FutureIncomingResponse, origin: string, sent?: bigint): Response {
  use(future.subscribe(), (ready) => ready.block());
  const answer = take(future);
  if ('code' in answer) throw failure.error(answer.code, origin);
  return new Response(answer.incoming, origin, sent);
}

/** The answer to a request whose body could not be sent: waited for briefly. Without one, why there is none is the error, if the host
 * knows more than that the connection broke. One that claims success for a body that the server cannot have is no answer. */
function earlyAnswer(future: FutureIncomingResponse, origin: string, broken: DriverError): Response {
  const isReady = use(future.subscribe(), (ready) =>
    use(subscribeDuration(PATIENCE), (timer) => poll([ready, timer]).includes(0)),
  );
  if (!isReady) throw broken;
  const answer = take(future);
  if ('code' in answer) throw failure.isMeaningless(answer.code) ? broken : failure.error(answer.code, origin);
  const response = new Response(answer.incoming, origin);
  if (!response.isSuccess) return response;
  end(response);
  throw broken;
}

function take(future: FutureIncomingResponse): { incoming: IncomingResponse } | { code: ErrorCode } {
  const got = future.get();
  // Not ready, or taken already: no host does that after `block`.
  if (got?.tag !== 'ok') return { code: { tag: 'internal-error', val: undefined } };
  return got.val.tag === 'ok' ? { incoming: got.val.val } : { code: got.val.val };
}

function noBody(origin: string): DriverError {
  return new Failed(`the host gave no body for a request to ${origin}`);
}
