// Objects as files below one granted directory, in the format of the posix driver.
//
// Problem: paths come from settings, users and records, files must survive a power cut, and a listing must be complete. Solved by
// descriptor-relative WASI calls only: the root is opened anew for each call (so that what is mounted or mended meanwhile is seen),
// every folder and file is opened below it, and the sandbox lets no path and no symbolic link lead out of it. A folder may be
// reached through a symbolic link that stays below the root; an object is a plain file and never a link.
//
// Bound: a few descriptors per call, ended by `use`, and of a listing only the page; no object's byte enters the guest. Cost: one open
// of the root and one of the folder per call. Modes come from the host's umask: WASI has no chmod.
//
// One file per purpose: `grant` finds the preopen, `folders` opens and makes folders, `put` and `get` move objects, `listing`
// makes pages, `canary` proves that all of it works, `failure` turns WASI's codes into errors.

import { getDirectories } from 'wasi:filesystem/preopens@0.2.12';
import type { Descriptor } from 'wasi:filesystem/types@0.2.12';
import type { BodyInfo, ByteRange, ContainerPage, InputStream, OutputStream, Page } from '../contract.ts';
import { NotFound } from '../errors.ts';
import { use } from '../host.ts';
import * as names from '../names.ts';
import { store } from '../pipe.ts';
import * as canary from './canary.ts';
import { attempt, attemptIfThere } from './failure.ts';
import { NO_FOLLOW, isFile, makeFolders, notAnObject, openFolder, openRoot, remove, shown } from './folders.ts';
import { read } from './get.ts';
import { find } from './grant.ts';
import * as listing from './listing.ts';
import { write } from './put.ts';

/** What this instance is granted: asked for once, since it never changes and each asking would open it anew. */
let preopens: [Descriptor, string][] | undefined;

/** A directory that the deployer granted, or one below it. */
export class Directory {
  readonly #preopen: Descriptor;
  readonly #below: string;
  /** As the deployer wrote it. */
  readonly path: string;

  constructor(preopen: Descriptor, below: string, path: string) {
    this.#preopen = preopen;
    this.#below = below;
    this.path = path;
  }

  /** Finds the grant that covers the absolute path. Opens nothing: a directory that is missing is found out by the first call that
   * uses it, as `Unavailable`. A text is a reason fit for `InvalidConfiguration`. */
  static granted(path: string): Directory | string {
    preopens ??= getDirectories();
    const found = find(
      preopens.map(([, name]) => name),
      path,
    );
    if (typeof found === 'string') return found;
    const preopen = preopens[found.index];
    return preopen === undefined ? `the grant of ${path} is gone` : new Directory(preopen[0], found.below, path);
  }

  /** Whether the directory is still there and can be opened. Changes nothing. */
  probe(): void {
    this.#inRoot(() => {});
  }

  /** Writes a canary object under the root, reads it back, compares, deletes. Leaves nothing behind. */
  check(): void {
    this.#inRoot((root) => canary.check(root, this.path));
  }

  /** Makes the folder and whatever is missing on the way to it. After success all of it survives a power cut; therefore parents are
   * synced even of folders that are there, since who made them may have been cut off. */
  createDirAll(folder: string): void {
    names.checkFolder(folder);
    this.#inRoot((root) => makeFolders(root, folder));
  }

  /** Makes or replaces the object with what `fill` writes; `fill` says how many bytes it wrote, and so does this. The folder must be
   * there. After an error the object is what it was before. */
  writeAtomically(folder: string, name: string, fill: (sink: OutputStream) => bigint): bigint {
    names.checkObject(name);
    return this.#inFolder(folder, (parent) => write(parent, folder, name, fill));
  }

  /** Makes or replaces the object with the body of a put; says how many bytes. */
  store(folder: string, name: string, body: InputStream, info: BodyInfo): bigint {
    return this.writeAtomically(folder, name, (sink) => store(body, sink, info));
  }

  /** Writes the object, or the range of it, to the sink; says how many bytes. A range is cut at the object's end; one that begins past
   * it gives 0 bytes. */
  read(folder: string, name: string, range: ByteRange | undefined, sink: OutputStream): bigint {
    names.checkObject(name);
    return this.#inFolder(folder, (parent) => read(parent, folder, name, range, sink));
  }

  /** The size of the object, or `NotFound`. */
  stat(folder: string, name: string): bigint {
    names.checkObject(name);
    return this.#inFolder(folder, (parent) => {
      const stat = attempt(() => parent.statAt(NO_FOLLOW, name), `look at ${shown(folder, name)}`);
      if (!isFile(stat)) throw notAnObject(folder, name);
      return stat.size;
    });
  }

  /** Deletes the object for good, and what an unfinished put of it left. Succeeds when nothing is there; what stands under the name and
   * is no plain file is no object and stays. */
  delete(folder: string, name: string): void {
    names.checkObject(name);
    names.checkFolder(folder);
    const parent = this.#inRoot((root) => {
      try {
        return openFolder(root, folder);
      } catch (thrown) {
        if (thrown instanceof NotFound) return undefined;
        throw thrown;
      }
    });
    if (parent === undefined) return;
    use(parent, () => {
      for (const file of [name, names.part(name), names.kept(name)]) {
        const stat = attemptIfThere(() => parent.statAt(NO_FOLLOW, file), `look at ${shown(folder, file)}`);
        if (stat !== undefined && isFile(stat)) attempt(() => remove(parent, file), `delete ${shown(folder, file)}`);
      }
      // Also when nothing was there: an earlier delete may have been cut off before this.
      attempt(() => parent.sync(), `sync the folder ${folder}`);
    });
  }

  /** The page of the folder's objects that begin with `prefix` and come after `after`, at most `limit`. */
  list(folder: string, prefix: string, after: string | undefined, limit: number): Page {
    return this.#inFolder(folder, (parent) => listing.objects(parent, folder, prefix, after, limit));
  }

  /** The page of the folders with objects in them that come after `after`, at most `limit`. */
  listContainers(after: string | undefined, limit: number): ContainerPage {
    return this.#inRoot((root) => listing.containers(root, after, limit));
  }

  #inRoot<T>(body: (root: Descriptor) => T): T {
    return use(openRoot(this.#preopen, this.#below, this.path), body);
  }

  #inFolder<T>(folder: string, body: (parent: Descriptor) => T): T {
    names.checkFolder(folder);
    return use(
      this.#inRoot((root) => openFolder(root, folder)),
      body,
    );
  }
}
