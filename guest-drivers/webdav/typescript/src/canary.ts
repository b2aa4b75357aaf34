// Proof that the server is usable: a container and an object are made, read back, compared and deleted, each in the way of a real one, so
// that whatever would stop a backup stops the canary.
//
// Nothing stays behind, on failure neither; only a check that is killed in the middle leaves its collection, whose name begins with
// `.cofferdam-canary-` and which no listing of containers shows.

import { getRandomU64 } from 'wasi:random/random@0.2.12';
import { Corrupted, DriverError, Failed, NotFound, type ObjectAddress, log, use } from 'cofferdam-driver';
import * as containers from './containers.ts';
import type { Dav } from './dav.ts';
import * as objects from './objects.ts';

/** Bytes that are read of the canary at most. */
const LONGEST_TEXT = 4096;

/** Makes a canary and removes it. */
export function check(dav: Dav): void {
  containers.checkRoot(dav);
  const at = { container: `.cofferdam-canary-${random()}`, name: 'canary' };
  try {
    fly(dav, at);
  } catch (thrown) {
    // The first failure is the cause; a second one would only be its echo.
    try {
      clear(dav, at);
    } catch (echo) {
      if (!(echo instanceof DriverError)) throw echo;
      log.debug(`the canary stays: ${echo.message}`);
    }
    throw thrown;
  }
  clear(dav, at);
}

function clear(dav: Dav, at: ObjectAddress): void {
  objects.removeUrl(dav, dav.container(at.container), "delete the canary's container");
}

function fly(dav: Dav, at: ObjectAddress): void {
  const text = `cofferdam canary ${random()}\n`;
  containers.create(dav, at.container);
  objects.put(dav, at, (request) => request.sendBytes(new TextEncoder().encode(text)));
  const found = use(objects.fetch(dav, at, undefined), (response) => {
    if (!response.isSuccess) throw response.error('read the canary');
    return response.text(LONGEST_TEXT);
  });
  if (found !== text) throw new Corrupted('the canary was read back with other bytes than were written');
  objects.remove(dav, at);
  try {
    objects.size(dav, at);
  } catch (thrown) {
    if (thrown instanceof NotFound) return;
    throw thrown;
  }
  throw new Failed('the canary is still there after it was deleted');
}

function random(): string {
  return getRandomU64().toString(16).padStart(16, '0');
}
