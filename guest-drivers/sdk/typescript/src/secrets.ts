// Secrets as a driver may use them: by name, never by value. See `wit/0.1.0/secrets.wit` for what each use promises.

import * as host from 'cofferdam:backup/secrets@0.1.0';
import type { Algorithm, Encoding, SecretError } from 'cofferdam:backup/secrets@0.1.0';
import { type DriverError, Failed, InvalidConfiguration, Unavailable } from './errors.ts';
import { payload } from './host.ts';

export type { Algorithm, Encoding };

/** A secret that the host keeps. Made by `Settings.secret`. */
export class Secret {
  /** `name`: the option's name, by which the host knows the secret. */
  constructor(readonly name: string) {}

  /** Signs a message with `prefix` and the secret as key; with rs256 the prefix must be empty. */
  sign(algorithm: Algorithm, prefix: Uint8Array, message: Uint8Array): Uint8Array {
    return this.#ask(() => host.sign(this.name, algorithm, prefix, message));
  }

  /** The MD5 of the secret, or of what it is when decoded from base64. */
  md5(decodeBase64 = false): Uint8Array {
    return this.#ask(() => host.md5(this.name, decodeBase64));
  }

  /** A text that the host replaces by `prefix` and the value when a request leaves for a granted authority. For the value of a
   * header or a small body; not for URLs, errors or logs. Valid as long as the instance. */
  placeholder(prefix = '', encoding: Encoding = 'plain'): string {
    return this.#ask(() => host.placeholder(this.name, prefix, encoding));
  }

  /** The value itself, if the deployer granted that. */
  reveal(): string {
    return this.#ask(() => host.reveal(this.name));
  }

  #ask<T>(call: () => T): T {
    try {
      return call();
    } catch (thrown) {
      throw this.#error(payload<SecretError>(thrown));
    }
  }

  // A source that cannot be read now may come back; all else is for the deployer to mend.
  #error(error: SecretError): DriverError {
    switch (error.tag) {
      case 'unavailable':
        return new Unavailable(`the secret ${this.name} cannot be read now: ${error.val}`);
      case 'unknown':
        return new InvalidConfiguration(this.name, 'the host has no such secret');
      case 'denied':
        return new InvalidConfiguration(this.name, `this use of the secret is not granted: ${error.val}`);
      case 'unsuitable':
        return new InvalidConfiguration(this.name, `the secret cannot be used so: ${error.val}`);
    }
  }
}

/** The SHA-256 of a message as it will be when it leaves: with the values in the place of placeholders. */
export function sha256(message: Uint8Array): Uint8Array {
  try {
    return host.sha256(message);
  } catch (thrown) {
    const error = payload<SecretError>(thrown);
    if (error.tag === 'unavailable') throw new Unavailable(`a secret cannot be read now: ${error.val}`);
    throw new Failed(`the host made no digest: ${error.val}`);
  }
}
