// What is asked of a get by HTTP, and whether the answer is that. Pure.
//
// The answer is believed only as far as it fits the question: a range must begin where it was asked for, and may be shorter only
// at the object's end.

import type { ByteRange } from '../contract.ts';
import type { Headers } from './headers.ts';

/** The greatest place in an object that every server knows: those that count in signed numbers pass over a range with a greater
 * one. */
const GREATEST_PLACE = 0x7fff_ffff_ffff_ffffn;
const GREATEST = 0xffff_ffff_ffff_ffffn;

/** The `Range` header; undefined for the whole object. The range must not be empty. */
export function header(range: ByteRange | undefined): string | undefined {
  if (range === undefined) return undefined;
  const last = lastOf(range);
  return `bytes=${range.offset}-${last === undefined || last >= GREATEST_PLACE ? '' : last}`;
}

/** The bytes of the answer's body that are to be moved, for the statuses 200, 206 and 416; a text is the reason why the answer cannot
 * be taken. */
export function length(status: number, headers: Headers, range: ByteRange | undefined): bigint | string {
  const announced = headers.number('content-length');
  if (status === 416 && range !== undefined) return refused(headers, range);
  if (status !== 200 && (status !== 206 || range === undefined)) return `the status ${status} was not expected`;
  if (announced === undefined) return 'its length was not announced';
  if (range === undefined) return announced;
  if (status === 206) return part(headers, announced, range);
  // The whole object in answer to a range: its beginning may be what is wanted, or it has nothing of the range.
  if (announced <= range.offset) return 0n;
  if (range.offset !== 0n) return 'the whole object came in place of a range';
  return range.length !== undefined && range.length < announced ? range.length : announced;
}

function part(headers: Headers, announced: bigint, range: ByteRange): bigint | string {
  const told = /^bytes ([0-9]{1,20})-([0-9]{1,20})\/([0-9]{1,20})$/.exec(headers.get('content-range') ?? '');
  if (told === null) return 'the range that came is not told';
  const [first = 0n, last = 0n, total = 0n] = told.slice(1).map(BigInt);
  const wanted = lastOf(range);
  // What ends early must end where the object ends.
  const whole = last === wanted || ((wanted === undefined || last < wanted) && last + 1n === total);
  const sound = first <= last && last < total && announced === last - first + 1n;
  return first === range.offset && whole && sound ? announced : 'another range came than was asked for';
}

function refused(headers: Headers, range: ByteRange): bigint | string {
  const total = /^bytes \*\/([0-9]{1,20})$/.exec(headers.get('content-range') ?? '')?.[1];
  return total !== undefined && BigInt(total) > range.offset ? 'a range within the object was refused' : 0n;
}

/** The last byte that the range asks for; undefined for the end of the object. */
function lastOf(range: ByteRange): bigint | undefined {
  if (range.length === undefined) return undefined;
  const last = range.offset + range.length - 1n;
  return last < GREATEST ? last : GREATEST;
}
