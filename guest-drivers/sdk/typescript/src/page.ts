// The names of one page of a listing, picked out of a folder's names as they come, in no order. Pure.
//
// Bound: twice the page and one name, however many the folder has.

import { byBytes } from '../order.ts';

/** Picks the first `limit` names, in byte order, that begin with a prefix and come after a name. */
export class Picker {
  readonly #prefix: string;
  readonly #after: string | undefined;
  readonly #limit: number;
  #names: string[] = [];

  constructor(prefix: string, after: string | undefined, limit: number) {
    this.#prefix = prefix;
    this.#after = after;
    this.#limit = limit;
  }

  /** Offers a name. */
  take(name: string): void {
    if (!name.startsWith(this.#prefix)) return;
    if (this.#after !== undefined && byBytes(name, this.#after) <= 0) return;
    this.#names.push(name);
    if (this.#names.length > 2 * this.#limit + 1) this.#cut();
  }

  /** The page's names in ascending order, and whether more follow. */
  finish(): { names: string[]; more: boolean } {
    this.#cut();
    return { names: this.#names.slice(0, this.#limit), more: this.#names.length > this.#limit };
  }

  #cut(): void {
    // One more than the page, to know whether more follow.
    this.#names.sort(byBytes);
    this.#names.length = Math.min(this.#names.length, this.#limit + 1);
  }
}
