// A driver's settings with typed getters.
//
// The host has checked each value against the option's kind before the driver sees it. The getters check again, because the same
// component may run on another host, and say which option is wrong and what was found, never the value.

import type { Setting } from './contract.ts';
import { Directory } from './directory/index.ts';
import { InvalidConfiguration } from './errors.ts';
import { Url } from './http/url.ts';
import { Secret } from './secrets.ts';

/** A text, a whole number, or true or false. */
export type Value = string | bigint | boolean;

const KINDS = { string: 'a text', bigint: 'a whole number', boolean: 'true or false' };

/** The settings of one set-up. */
export class Settings {
  readonly #values: Map<string, Value>;

  constructor(values: Iterable<[string, Value]>) {
    this.#values = new Map(values);
  }

  /** Takes the settings as the contract passes them. */
  static fromContract(settings: Setting[]): Settings {
    return new Settings(settings.map(({ name, value }) => [name, value.val]));
  }

  /** A text; undefined when the option is absent. */
  text(name: string): string | undefined {
    return this.#of(name, 'string') as string | undefined;
  }

  /** A text that must be there and not be empty. */
  requiredText(name: string): string {
    const text = this.text(name);
    if (text === undefined) throw new InvalidConfiguration(name, 'the option is required and absent');
    if (text === '') throw new InvalidConfiguration(name, 'the text is empty');
    return text;
  }

  /** A whole number; undefined when the option is absent. */
  integer(name: string): bigint | undefined {
    return this.#of(name, 'bigint') as bigint | undefined;
  }

  /** A number of bytes; undefined when the option is absent. */
  size(name: string): bigint | undefined {
    return this.#unsigned(name, 'bytes');
  }

  /** A span of time in milliseconds; undefined when the option is absent. */
  duration(name: string): bigint | undefined {
    return this.#unsigned(name, 'milliseconds');
  }

  /** True or false; undefined when the option is absent. */
  boolean(name: string): boolean | undefined {
    return this.#of(name, 'boolean') as boolean | undefined;
  }

  /** The granted directory that the option names; it must be there. Opens nothing. */
  requiredDirectory(name: string): Directory {
    const found = Directory.granted(this.requiredText(name));
    if (typeof found === 'string') throw new InvalidConfiguration(name, found);
    return found;
  }

  /** The URL that the option names; undefined when the option is absent. Its error does not show it. */
  url(name: string): Url | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : parseUrl(name, text);
  }

  /** The URL that the option names; it must be there. Its error does not show it: it might hold a password. */
  requiredUrl(name: string): Url {
    return parseUrl(name, this.requiredText(name));
  }

  /** The secret of that option; undefined when the option is absent. The value stays with the host. */
  secret(name: string): Secret | undefined {
    return this.text(name) === undefined ? undefined : new Secret(name);
  }

  /** The secret of an option that must be there. */
  requiredSecret(name: string): Secret {
    this.requiredText(name);
    return new Secret(name);
  }

  #of(name: string, kind: keyof typeof KINDS): Value | undefined {
    const value = this.#values.get(name);
    if (value === undefined || typeof value === kind) return value;
    const found = KINDS[typeof value as keyof typeof KINDS];
    throw new InvalidConfiguration(name, `expected ${KINDS[kind]}, found ${found}`);
  }

  #unsigned(name: string, unit: string): bigint | undefined {
    const number = this.integer(name);
    if (number !== undefined && number < 0n) {
      throw new InvalidConfiguration(name, `expected a number of ${unit}, found ${number}`);
    }
    return number;
  }
}

function parseUrl(name: string, text: string): Url {
  const url = Url.parse(text);
  if (typeof url === 'string') throw new InvalidConfiguration(name, `the URL cannot be used: ${url}`);
  return url;
}
