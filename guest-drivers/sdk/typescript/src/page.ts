// The names of one page of a listing, picked out of all names as they come, in no order. Pure.
//
// Bound: twice the page and one name, however many there are.

import { byBytes } from './order.ts';

/** Picks the first `limit` names, in byte order, that begin with a prefix and come after a name, each with a value. */
export class Picker<T> {
  readonly #prefix: string;
  readonly #after: string | undefined;
  readonly #limit: number;
  #taken = new Map<string, T>();

  constructor(prefix: string, after: string | undefined, limit: number) {
    this.#prefix = prefix;
    this.#after = after;
    this.#limit = limit;
  }

  /** Offers a name. */
  take(name: string, value: T): void {
    if (!name.startsWith(this.#prefix)) return;
    if (this.#after !== undefined && byBytes(name, this.#after) <= 0) return;
    this.#taken.set(name, value);
    if (this.#taken.size > 2 * this.#limit + 1) this.#cut();
  }

  /** The page's names and values in ascending order, and whether more follow. */
  finish(): { taken: [string, T][]; more: boolean } {
    this.#cut();
    const taken = [...this.#taken];
    return { taken: taken.slice(0, this.#limit), more: taken.length > this.#limit };
  }

  #cut(): void {
    // One more than the page, to know whether more follow.
    const least = [...this.#taken].sort(([one], [other]) => byBytes(one, other)).slice(0, this.#limit + 1);
    this.#taken = new Map(least);
  }
}
