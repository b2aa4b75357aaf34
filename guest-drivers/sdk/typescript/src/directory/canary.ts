// Proof that the directory is usable: a folder and an object are made, read back, compared and deleted, each in the way of a real
// one, so that whatever would stop a backup stops the canary.
//
// Nothing stays behind, on failure neither. Only a check that is killed in the middle leaves its folder; the next check removes such
// folders once they are an hour old, so that they do not pile up while a storage hangs for days.

import { now } from 'wasi:clocks/wall-clock@0.2.12';
import { type Descriptor, filesystemErrorCode } from 'wasi:filesystem/types@0.2.12';
import type { StreamError } from 'wasi:io/streams@0.2.12';
import { getRandomU64 } from 'wasi:random/random@0.2.12';
import type { OutputStream } from '../contract.ts';
import { Corrupted, Failed } from '../errors.ts';
import { isHostError, payload, use } from '../host.ts';
import * as log from '../log.ts';
import * as names from '../names.ts';
import { attempt, codeOf, error } from './failure.ts';
import { NO_FOLLOW, makeFolders, openFolder, remove } from './folders.ts';
import { openFile } from './get.ts';
import { write } from './put.ts';

const FOLDER = '.cofferdam-canary-';
const OBJECT = 'canary';
const ABANDONED_AFTER_SECONDS = 3600n;

/** Makes a canary below the root, which errors call `path`, and removes it. */
export function check(root: Descriptor, path: string): void {
  sweep(root);
  const folder = FOLDER + random();
  try {
    fly(root, folder, path);
  } catch (thrown) {
    // The first failure is the cause; a second one would only be its echo.
    try {
      clear(root, folder);
    } catch (echo) {
      log.debug(`the canary ${folder} stays: ${codeOf(echo)}`);
    }
    throw thrown;
  }
  attempt(() => clear(root, folder), `delete the canary in ${path}`);
}

function fly(root: Descriptor, folder: string, path: string): void {
  const text = `cofferdam canary ${random()}\n`;
  makeFolders(root, folder);
  const found = use(openFolder(root, folder), (parent) => {
    write(parent, folder, OBJECT, (sink) => writeText(sink, text));
    return use(openFile(parent, folder, OBJECT), (file) => {
      const [bytes] = attempt(() => file.read(4096n, 0n), `read the canary back in ${path}`);
      return new TextDecoder().decode(bytes);
    });
  });
  if (found !== text) throw new Corrupted(`the canary in ${path} was read back with other bytes than were written`);
}

function writeText(sink: OutputStream, text: string): bigint {
  const bytes = new TextEncoder().encode(text);
  try {
    sink.blockingWriteAndFlush(bytes);
  } catch (thrown) {
    const failure = payload<StreamError>(thrown);
    if (failure.tag === 'closed') throw new Failed("cannot write the canary: the file's stream is closed");
    throw use(failure.val, (cause) => {
      const code = filesystemErrorCode(cause);
      if (code !== undefined) return error(code, 'write the canary');
      return new Failed(`cannot write the canary: ${cause.toDebugString()}`);
    });
  }
  return BigInt(bytes.length);
}

/** Removes a canary's folder and all that a check may have left in it. */
function clear(root: Descriptor, folder: string): void {
  for (const file of [OBJECT, names.part(OBJECT), names.kept(OBJECT)]) remove(root, `${folder}/${file}`);
  try {
    root.removeDirectoryAt(folder);
  } catch (thrown) {
    if (codeOf(thrown) === 'no-entry') return;
    throw thrown;
  }
  root.sync();
}

/** Removes what killed checks left. Whatever goes wrong here says nothing about the storage, so it is passed over. */
function sweep(root: Descriptor): void {
  try {
    for (const name of canaries(root)) {
      const changed = root.statAt(NO_FOLLOW, name).dataModificationTimestamp?.seconds;
      if (changed !== undefined && now().seconds - changed > ABANDONED_AFTER_SECONDS) {
        clear(root, name);
        log.info(`removed the abandoned canary ${name}`);
      }
    }
  } catch (thrown) {
    if (!isHostError(thrown)) throw thrown;
    log.warn(`an abandoned canary may stay: ${codeOf(thrown)}`);
  }
}

function canaries(root: Descriptor): string[] {
  return use(root.readDirectory(), (entries) => {
    const found: string[] = [];
    for (let entry = entries.readDirectoryEntry(); entry !== undefined; entry = entries.readDirectoryEntry()) {
      if (entry.type === 'directory' && entry.name.startsWith(FOLDER)) found.push(entry.name);
    }
    return found;
  });
}

function random(): string {
  return getRandomU64().toString(16).padStart(16, '0');
}
