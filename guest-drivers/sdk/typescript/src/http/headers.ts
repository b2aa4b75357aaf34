// Header fields of an answer: looked up by name in any case, the first of several. Pure.

import { isDigits } from './text.ts';

/** The header fields that came with an answer. */
export class Headers {
  readonly #fields: [string, Uint8Array][];

  constructor(fields: [string, Uint8Array][] = []) {
    this.#fields = fields;
  }

  /** The value of the first field of that name, when it is text; spaces around it are cut. */
  get(name: string): string | undefined {
    const wanted = name.toLowerCase();
    const field = this.#fields.find(([found]) => found.toLowerCase() === wanted);
    if (field === undefined) return undefined;
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(field[1]).trim();
    } catch {
      return undefined;
    }
  }

  /** The value as a whole number of bytes or seconds; undefined also when it is none. */
  number(name: string): bigint | undefined {
    const text = this.get(name);
    return text !== undefined && isDigits(text) ? BigInt(text) : undefined;
  }
}
