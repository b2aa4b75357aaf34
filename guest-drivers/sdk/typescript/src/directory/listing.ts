// Listing the objects of one folder, and the folders that hold any: complete, or an error.
//
// An object is a plain file whose name is not one of the SDK's own; folders, links and the like are not. A name that is not UTF-8
// cannot be told to the host, and to leave it out would be a short success, so it is an error. What vanishes while a folder is read
// was deleted or renamed by someone else and is simply not there. Symbolic links are not followed, so that the walk for containers
// ends.
//
// Bound: the names of one page; of a walk also one open folder and its subfolders' names per level. Cost: each page reads the whole
// folder once and asks the size of each name on the page; a page of containers walks all folders that may hold names of it.

import type { Descriptor, DirectoryEntry, DirectoryEntryStream } from 'wasi:filesystem/types@0.2.12';
import type { ContainerPage, ObjectInfo, Page } from '../contract.ts';
import { DriverError } from '../errors.ts';
import { use } from '../host.ts';
import * as names from '../names.ts';
import { byBytes } from '../order.ts';
import { Picker } from '../page.ts';
import { attempt, attemptIfThere, codeOf, error } from './failure.ts';
import { NO_FOLLOW, isFile, isOwn, shown } from './folders.ts';

/** Vanished files that one reading of a folder puts up with; a host whose listing never ends is found out so. */
const VANISHED = 10_000;

/** The page of the folder's objects that begin with `prefix` and come after `after`. */
export function objects(
  parent: Descriptor,
  folder: string,
  prefix: string,
  after: string | undefined,
  limit: number,
): Page {
  for (let from = after; ; ) {
    const picker = new Picker<undefined>(prefix, from, limit);
    eachEntry(parent, `list the container ${folder}`, ({ name, type }) => {
      if (isOwn(name, type)) picker.take(name, undefined);
    });
    const { taken, more } = picker.finish();
    const found = taken.map(([name]) => name);
    const sized = withSizes(parent, folder, found);
    // All of the page vanished meanwhile: the caller could not go on from an empty page.
    if (sized.length > 0 || !more) return { objects: sized, more };
    from = found.at(-1);
  }
}

/** The page of the folders below the root, however deep, that hold objects. */
export function containers(root: Descriptor, after: string | undefined, limit: number): ContainerPage {
  const picker = new Picker<undefined>('', after, limit);
  walk(root, '', after ?? '', picker);
  const { taken, more } = picker.finish();
  return { containers: taken.map(([name]) => name), more };
}

/** Looks at the folders in `parent`, whose path is `path` (with a `/` at its end, but for the root). */
function walk(parent: Descriptor, path: string, after: string, picker: Picker<undefined>): boolean {
  let holdsObjects = false;
  const folders: string[] = [];
  eachEntry(parent, `list the folder ${path}`, ({ name, type }) => {
    if (type === 'directory') folders.push(name);
    else if (isOwn(name, type)) holdsObjects = true;
  });
  for (const name of folders) {
    const folder = path + name;
    const below = `${folder}/`;
    if (!mayBeContainer(folder) || (byBytes(below, after) < 0 && !after.startsWith(below))) continue;
    const open = () => parent.openAt(NO_FOLLOW, name, { directory: true }, { read: true });
    const opened = attemptIfThere(open, `open the folder ${folder}`);
    if (opened !== undefined && use(opened, (inner) => walk(inner, below, after, picker))) picker.take(folder, undefined);
  }
  return holdsObjects;
}

function mayBeContainer(folder: string): boolean {
  try {
    names.checkFolder(folder);
    return true;
  } catch (thrown) {
    // No backup was ever placed there.
    if (thrown instanceof DriverError) return false;
    throw thrown;
  }
}

function eachEntry(folder: Descriptor, what: string, take: (entry: DirectoryEntry) => void): void {
  use(attempt(() => folder.readDirectory(), what), (stream) => {
    for (let vanished = 0; ; ) {
      const entry = nextEntry(stream, what);
      if (entry === undefined) return;
      if (entry !== 'vanished') take(entry);
      else if (++vanished > VANISHED) throw error('no-entry', what);
    }
  });
}

function nextEntry(stream: DirectoryEntryStream, what: string): DirectoryEntry | 'vanished' | undefined {
  try {
    return stream.readDirectoryEntry();
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === 'no-entry') return 'vanished';
    throw error(code, what);
  }
}

function withSizes(parent: Descriptor, folder: string, found: string[]): ObjectInfo[] {
  const sized: ObjectInfo[] = [];
  for (const name of found) {
    const stat = attemptIfThere(() => parent.statAt(NO_FOLLOW, name), `look at ${shown(folder, name)}`);
    if (stat !== undefined && isFile(stat)) sized.push({ name, size: stat.size });
  }
  return sized;
}
