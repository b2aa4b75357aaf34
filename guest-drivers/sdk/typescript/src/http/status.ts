// What a status means for the contract. Pure, but for the clock that a pause told as a date is compared with.
//
// | Status | Error |
// |---|---|
// | 401, 403 | Unauthorized |
// | 404, 410 | NotFound |
// | 413, 507 | OutOfSpace |
// | 429, and 503 with `Retry-After` | Throttled |
// | 408, other 5xx | Unavailable |
// | all else that is not 2xx | Failed |
//
// 409 and 412 mean something else with every storage: a driver that expects them looks at them first.

import { now } from 'wasi:clocks/wall-clock@0.2.12';
import { type DriverError, Failed, NotFound, OutOfSpace, Throttled, Unauthorized, Unavailable } from '../errors.ts';
import type { Headers } from './headers.ts';
import { shown } from './text.ts';

/** The longest pause that a storage may ask for: an hour. Who asks for more is asked again after it. */
const LONGEST_PAUSE_SECONDS = 3600;

/** Whether the status says that all went well. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** The error for an answer that is no success. `what` completes "cannot ...", `detail` is what the server said of it. */
export function error(
  status: number,
  headers: Headers,
  what: string,
  detail = '',
  clock: () => number = seconds,
): DriverError {
  const said = shown(detail);
  const text = `cannot ${what}: the server answered ${status}${said === '' ? '' : `: ${said}`}`;
  if (status === 401 || status === 403) return new Unauthorized(text);
  if (status === 404 || status === 410) return new NotFound(text);
  if (status === 413 || status === 507) return new OutOfSpace(text);
  if (status === 429 || (status === 503 && headers.get('retry-after') !== undefined)) {
    return new Throttled(retryAfter(headers, clock), text);
  }
  if (status === 408 || (status >= 500 && status < 600)) return new Unavailable(text);
  if (status >= 300 && status < 400) return new Failed(`${text}; redirects are not followed`);
  return new Failed(text);
}

/** The pause that an answer asks for by `Retry-After`, in milliseconds: seconds or a date, at most an hour. */
export function retryAfter(headers: Headers, clock: () => number = seconds): number | undefined {
  const text = headers.get('retry-after');
  if (text === undefined || text === '') return undefined;
  const asked = /^[0-9]+$/.test(text) ? Number(text) : untilDate(text, clock);
  return asked === undefined ? undefined : Math.min(asked, LONGEST_PAUSE_SECONDS) * 1000;
}

function untilDate(text: string, clock: () => number): number | undefined {
  // HTTP's dates name a month; what else the engine takes for a date is none here.
  const moment = /[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(moment) ? undefined : Math.max(Math.floor(moment / 1000) - clock(), 0);
}

function seconds(): number {
  return Number(now().seconds);
}
