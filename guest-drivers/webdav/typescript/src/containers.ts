// Containers: made when missing, listed, and the objects in them listed.
//
// A listing is complete or an error. WebDAV knows no pages, so each page asks for the whole collection and keeps the names of the page.
// Bound: two pages of names in memory. Cost: some 400 bytes on the wire for each object of the container, for each page.

import {
  AlreadyExists,
  type ContainerPage,
  Failed,
  NotFound,
  type Page,
  Picker,
  Unavailable,
  Unsupported,
  names,
  use,
} from 'cofferdam-driver';
import { type Dav, checkContainer } from './dav.ts';

/** Whether the collection of the containers is there. Gone, it is `Unavailable`: it may come back. */
export function checkRoot(dav: Dav): void {
  const found = dav.find(dav.root(), 'look at the collection of webdav_url');
  if (found === 'nothing') throw rootIsGone();
  if (found !== 'collection') throw new Unavailable('webdav_url names a plain resource and no collection');
}

/** Makes the container unless it is there. */
export function create(dav: Dav, container: string): void {
  const what = `make the container ${container}`;
  const isMade = use(dav.request('MKCOL', dav.container(container)).send(), (response) => {
    const { status } = response;
    if (status === 201) return true;
    // Something is there already.
    if (status === 405) return false;
    if (status === 404 || status === 409) throw rootIsGone();
    throw response.isSuccess ? new Failed(`cannot ${what}: the server answered ${status}`) : response.error(what);
  });
  if (isMade) return;
  const found = dav.find(dav.container(container), what);
  if (found === 'nothing') {
    throw new Unavailable(`cannot ${what}: the server said that it is there (405), and then that it is not`);
  }
  if (found !== 'collection') throw new AlreadyExists(`cannot ${what}: a plain resource stands in its place`);
}

/** The objects of a container. Unfinished ones are none. */
export function objects(
  dav: Dav,
  container: string,
  prefix: string,
  after: string | undefined,
  limit: number,
): Page {
  const picker = new Picker<bigint>(prefix, after, limit);
  const isThere = dav.eachMember(dav.container(container), `list the container ${container}`, (name, found) => {
    if (typeof found === 'bigint' && !names.isReserved(name)) picker.take(name, found);
  });
  if (!isThere) throw new NotFound(`there is no container ${container}`);
  const { taken, more } = picker.finish();
  return { objects: taken.map(([name, size]) => ({ name, size })), more };
}

/** The collections right below the root. */
export function list(dav: Dav, after: string | undefined, limit: number): ContainerPage {
  const picker = new Picker<undefined>('', after, limit);
  const isThere = dav.eachMember(dav.root(), 'list the containers', (name, found) => {
    if (found === 'collection' && isContainer(name)) picker.take(name, undefined);
  });
  if (!isThere) throw rootIsGone();
  const { taken, more } = picker.finish();
  return { containers: taken.map(([name]) => name), more };
}

function isContainer(name: string): boolean {
  try {
    checkContainer(name);
    return true;
  } catch (thrown) {
    // In what has no container's name no backup was ever placed.
    if (thrown instanceof Unsupported) return false;
    throw thrown;
  }
}

function rootIsGone(): Unavailable {
  return new Unavailable('the collection of webdav_url is not there: make it, or mend what it stands on');
}
