// As much of XML as a server's answer needs, read as it comes: elements, texts, the five entities and characters by number.
//
// Problem: the engine has no parser, and an answer is hostile until checked and may be long. Solved by a scanner that gives each tag and
// text to a handler once it is whole, and keeps only the piece that is not. A document type (and with it any other entity), markup that
// is not closed rightly, and what is not UTF-8 are refused; attributes are passed over, for none matters here.

/** What is told of a document, in its order. Names are without prefix. */
export interface Handler {
  start(name: string): void;
  end(): void;
  text(text: string): void;
}

/** The document is not what the reader takes. */
export class XmlError extends Error {}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const CDATA = '<![CDATA[';
/** How markup begins that is not a tag, and how it ends. */
const SECTIONS: [begin: string, end: string][] = [
  ['<!--', '-->'],
  [CDATA, ']]>'],
  ['<?', '?>'],
];
const TAG = /^<(\/?)([^\s/<>="'!?&]+)(?:\s+[^\s/<>="']+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(\/?)>$/;

export class XmlReader {
  readonly #handler: Handler;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  readonly #open: string[] = [];
  #rest = '';

  constructor(handler: Handler) {
    this.#handler = handler;
  }

  /** Characters that are kept until what they begin is whole. */
  get kept(): number {
    return this.#rest.length;
  }

  /** Takes the next bytes of the document. */
  read(piece: Uint8Array): void {
    this.#take(this.#decode(piece, true));
  }

  /** The document must be whole now. */
  finish(): void {
    this.#take(this.#decode(new Uint8Array(), false));
    if (this.#rest.trim() !== '' || this.#open.length > 0) throw new XmlError('the document is not whole');
  }

  #decode(piece: Uint8Array, stream: boolean): string {
    try {
      return this.#decoder.decode(piece, { stream });
    } catch {
      throw new XmlError('the document is not UTF-8');
    }
  }

  #take(text: string): void {
    const all = this.#rest + text;
    let at = 0;
    while (at < all.length) {
      const next = all[at] === '<' ? this.#markup(all, at) : this.#text(all, at);
      if (next === undefined) break;
      at = next;
    }
    this.#rest = all.slice(at);
  }

  /** Reads the markup that begins there; says where it ends, or undefined when that has not come yet. */
  #markup(all: string, at: number): number | undefined {
    const second = all[at + 1];
    if (second === '!' || second === '?') return this.#section(all, at);
    const last = endOfTag(all, at);
    if (last === undefined) return undefined;
    this.#tag(all.slice(at, last));
    return last;
  }

  #section(all: string, at: number): number | undefined {
    for (const [begin, end] of SECTIONS) {
      if (!all.startsWith(begin, at)) continue;
      const last = all.indexOf(end, at + begin.length);
      if (last < 0) return undefined;
      if (begin === CDATA) this.#handler.text(all.slice(at + begin.length, last));
      return last + end.length;
    }
    // The beginning may have come in part.
    const soFar = all.slice(at, at + CDATA.length);
    if (SECTIONS.some(([begin]) => begin.startsWith(soFar))) return undefined;
    throw new XmlError('a document type');
  }

  #tag(tag: string): void {
    const [, closing, name = '', empty] = TAG.exec(tag) ?? [];
    if (name === '' || (closing === '/' && empty === '/')) throw new XmlError('a tag is malformed');
    if (closing === '/') {
      if (this.#open.pop() !== name) throw new XmlError('an element is not closed by its own tag');
      this.#handler.end();
      return;
    }
    this.#handler.start(name.slice(name.indexOf(':') + 1));
    if (empty === '/') this.#handler.end();
    else this.#open.push(name);
  }

  #text(all: string, at: number): number | undefined {
    const end = all.indexOf('<', at);
    if (end < 0) return undefined;
    const text = all.slice(at, end);
    this.#handler.text(text.includes('&') ? text.replace(/&([^;]*)(;?)/g, (_, name, last) => resolve(name, last)) : text);
    return end;
  }
}

/** Where the tag that begins there ends; a `>` within quotes is none. */
function endOfTag(all: string, at: number): number | undefined {
  const first = all.indexOf('>', at);
  if (first < 0) return undefined;
  if (!/["']/.test(all.slice(at, first))) return first + 1;
  const quoted = /[^"'>]*(?:"[^"]*"[^"'>]*|'[^']*'[^"'>]*)*>/y;
  quoted.lastIndex = at;
  return quoted.test(all) ? quoted.lastIndex : undefined;
}

function resolve(name: string, last: string): string {
  const [, hex, decimal] = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name) ?? [];
  const code = hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal ?? Number.NaN);
  const character = code <= 0x10ffff ? String.fromCodePoint(code) : ENTITIES[name];
  if (character === undefined || last !== ';') throw new XmlError('an entity is not known');
  return character;
}
