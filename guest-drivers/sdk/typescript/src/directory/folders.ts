// Opening and making folders, and the few rules that all of the directory's parts share.

import type { Descriptor, DescriptorStat, DescriptorType } from 'wasi:filesystem/types@0.2.12';
import { NotFound, Unavailable } from '../errors.ts';
import { end } from '../host.ts';
import * as names from '../names.ts';
import { attempt, codeOf, error } from './failure.ts';

const FOLLOW = { symlinkFollow: true };
/** No symbolic link is followed. */
export const NO_FOLLOW = {};
const CHANGE = { read: true, mutateDirectory: true };

/** Opens the root. A root that is gone is `Unavailable`, never `NotFound`: it may come back. */
export function openRoot(preopen: Descriptor, below: string, path: string): Descriptor {
  try {
    const root = preopen.openAt(FOLLOW, below, { directory: true }, CHANGE);
    if (isThere(root)) return root;
    end(root);
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === 'no-entry') throw new Unavailable(`the directory ${path} is missing`);
    if (code === 'not-directory') throw new Unavailable(`${path} is not a directory`);
    throw error(code, `open the directory ${path}`);
  }
  throw new Unavailable(`the directory ${path} was deleted`);
}

/** Opens a folder that must be there. */
export function openFolder(root: Descriptor, folder: string): Descriptor {
  try {
    return openAt(root, folder);
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === 'no-entry') throw new NotFound(`there is no container ${folder}`);
    throw error(code, `open the container ${folder}`);
  }
}

/** Makes the folder and its parents below the root, each synced into its parent. */
export function makeFolders(root: Descriptor, folder: string): void {
  let parent = root;
  try {
    for (const component of folder.split('/')) {
      const child = attempt(() => makeOne(parent, component), `make the folder ${component} of ${folder}`);
      const old = parent;
      parent = child;
      try {
        attempt(() => old.sync(), `sync the parent of the folder ${component} of ${folder}`);
      } finally {
        if (old !== root) end(old);
      }
    }
  } finally {
    if (parent !== root) end(parent);
  }
}

/** Removes a file; one that is not there is removed already. */
export function remove(folder: Descriptor, file: string): void {
  try {
    folder.unlinkFileAt(file);
  } catch (thrown) {
    if (codeOf(thrown) !== 'no-entry') throw thrown;
  }
}

/** Whether it is a plain file, and so an object. */
export function isFile(stat: DescriptorStat): boolean {
  return stat.type === 'regular-file';
}

/** Whether an entry of a folder is an object. */
export function isOwn(name: string, type: DescriptorType): boolean {
  return type === 'regular-file' && !names.isReserved(name);
}

/** How errors call an object. */
export function shown(folder: string, name: string): string {
  return `the object ${name} of the container ${folder}`;
}

/** The error for what stands under an object's name and is none. */
export function notAnObject(folder: string, name: string): NotFound {
  return new NotFound(`${shown(folder, name)} is not a plain file, and so no object`);
}

function isThere(root: Descriptor): boolean {
  try {
    return root.stat().linkCount !== 0n;
  } catch (thrown) {
    end(root);
    throw thrown;
  }
}

function makeOne(parent: Descriptor, component: string): Descriptor {
  try {
    return openAt(parent, component);
  } catch (thrown) {
    if (codeOf(thrown) !== 'no-entry') throw thrown;
  }
  try {
    parent.createDirectoryAt(component);
  } catch (thrown) {
    if (codeOf(thrown) !== 'exist') throw thrown;
  }
  return openAt(parent, component);
}

function openAt(parent: Descriptor, folder: string): Descriptor {
  return parent.openAt(FOLLOW, folder, { directory: true }, CHANGE);
}
