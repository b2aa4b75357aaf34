// Writing an object so that it is there whole or not at all, and stays after a power cut.
//
// Written under a hidden name, synced, renamed, folder synced. The hidden name is the same for every attempt and the file behind
// it always new: a put that was killed leaves one file that the next attempt removes, and a put that hangs in the kernel and comes
// back later writes into a file that has no name any more. That the name still belongs to this put is checked before the rename.
//
// A sync that failed is never tried again (the kernel may have dropped the pages and would then say yes): the put fails. If that
// happens to the folder, after the rename, what was there before is put back: a replaced object is kept by a second link until its
// successor is safe. On a file system without hard links that last step is impossible; there the new object stays visible although
// the put reports the failure.
//
// Cost: about twelve calls into the host per object, whatever its size, and two syncs.

import type { Descriptor } from 'wasi:filesystem/types@0.2.12';
import type { OutputStream } from '../contract.ts';
import { AlreadyExists, Failed } from '../errors.ts';
import { isHostError, use } from '../host.ts';
import * as log from '../log.ts';
import * as names from '../names.ts';
import { attempt, attemptIfThere, codeOf } from './failure.ts';
import { NO_FOLLOW, remove, shown } from './folders.ts';

/** Makes or replaces the object with what `fill` writes, which says how many bytes that are. */
export function write(parent: Descriptor, folder: string, name: string, fill: (sink: OutputStream) => bigint): bigint {
  const part = names.part(name);
  attempt(() => remove(parent, part), `clear away an unfinished put of ${shown(folder, name)}`);
  try {
    const written = writePart(parent, part, shown(folder, name), fill);
    publish(parent, part, folder, name);
    return written;
  } catch (thrown) {
    removeOrWarn(parent, part, `the unfinished file ${part} stays in ${folder}`);
    throw thrown;
  }
}

/** Writes and syncs the hidden file, and makes sure that it is whole and still the one under its name. */
function writePart(parent: Descriptor, part: string, object: string, fill: (sink: OutputStream) => bigint): bigint {
  const open = () => parent.openAt(NO_FOLLOW, part, { create: true, exclusive: true }, { write: true });
  return use(attempt(open, `make a file for ${object}`), (file) => {
    const written = use(attempt(() => file.writeViaStream(0n), `write ${object}`), fill);
    const { size } = attempt(() => file.stat(), `look at ${object} after writing`);
    if (size !== written) throw new Failed(`${object}: ${written} bytes were written, the file has ${size}`);
    attempt(() => file.sync(), `sync ${object}`);
    const ours = attempt(() => file.metadataHash(), `identify ${object}`);
    const there = attemptIfThere(() => parent.metadataHashAt(NO_FOLLOW, part), `identify ${object}`);
    if (there?.lower !== ours.lower || there.upper !== ours.upper) {
      throw new Failed(`another put or delete of ${object} came in between`);
    }
    return written;
  });
}

/** Gives the whole and synced file its name, for good. */
function publish(parent: Descriptor, part: string, folder: string, name: string): void {
  const object = shown(folder, name);
  const before = attemptIfThere(() => parent.statAt(NO_FOLLOW, name), `look at ${object}`);
  if (before?.type === 'directory') throw new AlreadyExists(`a folder stands in the place of ${object}`);
  const kept = before === undefined ? undefined : keep(parent, name);
  try {
    attempt(() => parent.renameAt(part, parent, name), `rename the finished file to ${object}`);
    try {
      attempt(() => parent.sync(), `sync the folder ${folder}`);
    } catch (thrown) {
      putBack(parent, name, object, before !== undefined, kept);
      throw thrown;
    }
  } finally {
    if (kept !== undefined) removeOrWarn(parent, kept, `the replaced object's file ${kept} stays in ${folder}`);
  }
}

/** A second link to the object, or undefined where there are no hard links. */
function keep(parent: Descriptor, name: string): string | undefined {
  const kept = names.kept(name);
  try {
    remove(parent, kept);
    parent.linkAt(NO_FOLLOW, name, parent, kept);
    return kept;
  } catch (thrown) {
    if (!isHostError(thrown)) throw thrown;
    return undefined;
  }
}

function putBack(parent: Descriptor, name: string, object: string, wasThere: boolean, kept: string | undefined): void {
  try {
    if (!wasThere) parent.unlinkFileAt(name);
    else if (kept !== undefined) parent.renameAt(kept, parent, name);
    else log.error(`${object} could not be put back: there are no hard links here`);
  } catch (thrown) {
    log.error(`${object} could not be put back: ${codeOf(thrown)}`);
  }
}

function removeOrWarn(parent: Descriptor, file: string, what: string): void {
  try {
    remove(parent, file);
  } catch (thrown) {
    log.warn(`${what}: ${codeOf(thrown)}`);
  }
}
