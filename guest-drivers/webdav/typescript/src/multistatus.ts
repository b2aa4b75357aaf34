// What a server tells of resources (RFC 4918's `multistatus`), resource by resource, as it comes.
//
// A listing decides what is deleted and what is missing, so it must be whole: the root element must be closed, each resource must say
// what it is, and any status but success or "gone" ends the reading with an error.
//
// Hostile until checked: a document type, an unknown entity, a tree deeper than 16 or a resource of over a megabyte is an error.
// Namespaces are passed over: only two properties were asked for. Bound: one resource in memory.

import { type DriverError, Failed, Unauthorized, Unavailable } from 'cofferdam-driver';
import { type Handler, XmlError, XmlReader } from './xml.ts';

/** What stands under a URL; a number is the bytes of a plain resource. */
export type Found = 'nothing' | 'collection' | bigint;

const DEEPEST = 16;
/** Bytes that are read for one resource, and some more that are read ahead. */
const RATION = 1 << 20;

/** Reads an answer and tells `take` of each resource: its path as in a request line, still encoded, and what it is. */
export class MultistatusReader {
  readonly #what: string;
  readonly #tree: Tree;
  readonly #xml: XmlReader;
  #taken = 0;
  #ration = RATION;

  /** `what` completes "cannot ...". */
  constructor(what: string, take: (path: string, found: Found) => void) {
    this.#what = what;
    this.#tree = new Tree((response) => {
      const href = response.child('href');
      if (href === undefined) throw new XmlError('a resource without a name');
      take(pathOf(href.text.trim()), foundIn(response, what));
    });
    this.#xml = new XmlReader(this.#tree);
  }

  /** Takes the next bytes of the answer. */
  read(piece: Uint8Array): void {
    this.#within(() => this.#xml.read(piece));
    this.#ration = this.#tree.taken === this.#taken ? this.#ration - piece.length : RATION;
    this.#taken = this.#tree.taken;
    if (this.#ration < 0) throw senseless(this.#what);
  }

  /** The answer must be whole now. */
  finish(): void {
    this.#within(() => this.#xml.finish());
    if (!this.#tree.isWhole) throw senseless(this.#what);
  }

  #within(read: () => void): void {
    try {
      read();
    } catch (thrown) {
      throw thrown instanceof XmlError ? senseless(this.#what) : thrown;
    }
  }
}

/** An element: its name, the text directly in it, the elements in it. */
class Element {
  text = '';
  readonly children: Element[] = [];

  constructor(readonly name: string) {}

  child(name: string): Element | undefined {
    return this.children.find((child) => child.name === name);
  }
}

/** Grows from the reader's events and hands out each resource. */
class Tree implements Handler {
  readonly #take: (response: Element) => void;
  readonly #open: Element[] = [];
  /** Elements right below the root that were handed out or passed over; so the reader knows that it goes on. */
  taken = 0;
  isWhole = false;

  constructor(take: (response: Element) => void) {
    this.#take = take;
  }

  start(name: string): void {
    const isRoot = this.#open.length === 0;
    if (this.#open.length >= DEEPEST || (isRoot && (name !== 'multistatus' || this.isWhole))) {
      throw new XmlError('no multistatus');
    }
    this.#open.push(new Element(name));
  }

  end(): void {
    const element = this.#open.pop();
    const parent = this.#open.at(-1);
    if (element === undefined) throw new XmlError('no multistatus');
    if (parent === undefined) {
      this.isWhole = true;
    } else if (this.#open.length > 1) {
      parent.children.push(element);
    } else {
      this.taken += 1;
      if (element.name === 'response') this.#take(element);
    }
  }

  text(text: string): void {
    const element = this.#open.at(-1);
    if (element === undefined && text.trim() !== '') throw new XmlError('text outside of the root');
    // Of the root's own text nothing is kept: it would grow with the listing.
    if (element !== undefined && this.#open.length > 1) element.text += text;
  }
}

function foundIn(response: Element, what: string): Found {
  const status = response.child('status');
  if (status !== undefined) {
    // Told of as a whole: it went while the server read the collection, or cannot be read.
    const code = codeOf(status);
    if (code === 404 || code === 410) return 'nothing';
    throw refused(code, what);
  }
  let prop: Element | undefined;
  for (const propstat of response.children.filter((child) => child.name === 'propstat')) {
    const code = codeOf(propstat.child('status'));
    if (code === 200) prop = propstat.child('prop');
    // Collections have no length, and say so by 404.
    else if (code !== 404) throw refused(code, what);
  }
  const kind = prop?.child('resourcetype');
  if (kind === undefined) throw senseless(what);
  if (kind.child('collection') !== undefined) return 'collection';
  const length = prop?.child('getcontentlength')?.text.trim() ?? '';
  if (!/^[0-9]{1,20}$/.test(length)) throw new Failed(`cannot ${what}: the server does not tell a resource's length`);
  return BigInt(length);
}

/** An `href` is a path, or a whole URL. */
function pathOf(href: string): string {
  const [, rest] = /^[^/]*:\/\/[^/]*(.*)$/.exec(href) ?? [];
  return rest === undefined ? href : rest || '/';
}

/** 200 of `HTTP/1.1 200 OK`. */
function codeOf(status: Element | undefined): number | undefined {
  const [, code] = /^\s*\S+\s+([0-9]{1,9})(?:\s|$)/.exec(status?.text ?? '') ?? [];
  return code === undefined ? undefined : Number(code);
}

function refused(code: number | undefined, what: string): DriverError {
  if (code === undefined) return new Failed(`cannot ${what}: the server tells no status of a resource in it`);
  const text = `cannot ${what}: the server tells ${code} of a resource in it`;
  if (code === 401 || code === 403) return new Unauthorized(text);
  return code >= 500 && code < 600 ? new Unavailable(text) : new Failed(text);
}

function senseless(what: string): DriverError {
  return new Failed(`cannot ${what}: the server's answer is no whole multistatus`);
}
