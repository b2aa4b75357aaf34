// Which names are safe to use as paths below a root, and which names the SDK keeps for itself. Pure rules.
//
// Safe: not empty, at most 1024 bytes, no control characters, relative, and no component that is empty, `.`, `..` or over 255
// bytes. A refusal is `Unsupported`, whose retry class is final: the same name will never be taken. Kept for the SDK: the names of
// `part` and `kept`, and folders beginning with `.cofferdam-`. Listings never show them, and no object or container may be
// called so.

import { Unsupported } from './errors.ts';
import { byteLength } from './order.ts';

/** Bytes that a whole name may have. */
export const LONGEST_NAME = 1024;
/** Bytes that one component may have: the limit of Linux file systems. */
export const LONGEST_COMPONENT = 255;

const PART = '.cofferdam-part';
const KEPT = '.cofferdam-kept';
const OWN_FOLDERS = '.cofferdam-';
const SHOWN = 80;
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Refuses a folder (a container) whose path would leave the root, or is kept for the SDK. */
export function checkFolder(folder: string): void {
  checkPath(folder);
  if (folder.startsWith(OWN_FOLDERS)) {
    throw refusal(folder, 'names beginning with `.cofferdam-` are kept for the driver');
  }
}

/** Refuses an object's name that is not one safe component, or is kept for the SDK. */
export function checkObject(name: string): void {
  checkPath(name);
  if (name.includes('/')) throw refusal(name, "an object's name holds no `/` here");
  if (isReserved(name)) throw refusal(name, "names of this form are kept for the driver's unfinished objects");
}

/** Refuses a path that is not relative, plain and within the lengths. */
export function checkPath(path: string): void {
  const reason = fault(path);
  if (reason !== undefined) throw refusal(path, reason);
}

/** The name under which an object is written until it is whole. The same for every attempt, so that a retry clears away what a
 * killed put left. */
export function part(object: string): string {
  return hidden(object, PART);
}

/** The name under which a replaced object is kept until its successor is safe. */
export function kept(object: string): string {
  return hidden(object, KEPT);
}

/** Whether a file of this name is the SDK's own, and so never an object. */
export function isReserved(name: string): boolean {
  return name.startsWith('.') && (name.endsWith(PART) || name.endsWith(KEPT));
}

function fault(path: string): string | undefined {
  const components = path.split('/');
  if (path === '') return 'it is empty';
  if (byteLength(path) > LONGEST_NAME) return 'it is longer than 1024 bytes';
  if (path.startsWith('/')) return 'it is absolute';
  if (CONTROL.test(path)) return 'it holds a control character';
  if (components.includes('')) return 'it holds an empty component';
  if (components.includes('.') || components.includes('..')) return 'it holds the component `.` or `..`';
  if (components.some((component) => byteLength(component) > LONGEST_COMPONENT)) {
    return 'it holds a component longer than 255 bytes';
  }
  return undefined;
}

/** `.<object><suffix>`, or with a digest in place of a name that leaves no room for both. */
function hidden(object: string, suffix: string): string {
  const name = `.${object}${suffix}`;
  if (byteLength(name) <= LONGEST_COMPONENT) return name;
  return `.${fnv1a(new TextEncoder().encode(object)).toString(16).padStart(16, '0')}${suffix}`;
}

function fnv1a(data: Uint8Array): bigint {
  let digest = 0xcbf29ce484222325n;
  for (const byte of data) digest = BigInt.asUintN(64, (digest ^ BigInt(byte)) * 0x100000001b3n);
  return digest;
}

function refusal(name: string, reason: string): Unsupported {
  const shown = name.slice(0, SHOWN);
  return new Unsupported(`the name ${JSON.stringify(shown)}${shown === name ? '' : '...'} is refused: ${reason}`);
}
