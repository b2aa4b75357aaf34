// Objects: stored, fetched, looked at, deleted.
//
// Problem: WebDAV does not promise that a PUT that breaks leaves what was there. Solved by a PUT to a hidden name, a look whether all of it
// arrived, and a MOVE to the object's name, which servers do at once; whatever fails, the hidden resource is deleted. The next put or
// delete of the object clears away what a killed one left. Whether the bytes are right, the host knows better.
//
// Cost: three requests for a put or a delete, one for the rest.

import {
  type ByteRange,
  DriverError,
  Failed,
  NotFound,
  type ObjectAddress,
  type OutputStream,
  Unavailable,
  http,
  log,
  names,
  use,
} from 'cofferdam-driver';
import { checkRoot } from './containers.ts';
import type { Dav } from './dav.ts';

type Send = (request: http.Request) => http.Response;

/** Stores the body that `send` sends with the request that it is given. */
export function put(dav: Dav, at: ObjectAddress, send: Send): void {
  const part = partOf(dav, at);
  try {
    upload(dav, at, part, send);
    publish(dav, at, part);
  } catch (thrown) {
    try {
      removeUrl(dav, part, 'clear away an unfinished put');
    } catch (echo) {
      if (!(echo instanceof DriverError)) throw echo;
      log.warn(`the unfinished put of ${at.name} stays: ${echo.message}`);
    }
    throw thrown;
  }
}

/** Writes the object or the range to the sink; says how many bytes. */
export function get(dav: Dav, at: ObjectAddress, range: ByteRange | undefined, sink: OutputStream): bigint {
  // HTTP has no word for a range of no bytes.
  if (range?.length === 0n) {
    size(dav, at);
    return 0n;
  }
  const what = shown('read', at);
  return use(fetch(dav, at, range), (response) => {
    if (!response.isSuccess && response.status !== 416) throw refused(response, what);
    const length = http.ranges.length(response.status, response.headers, range);
    if (typeof length === 'string') throw new Failed(`cannot ${what}: ${length}`);
    return length === 0n ? 0n : response.pipeInto(sink, length);
  });
}

/** The answer to a GET, whatever it is. */
export function fetch(dav: Dav, at: ObjectAddress, range: ByteRange | undefined): http.Response {
  const asked = http.ranges.header(range);
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (asked !== undefined) headers.range = asked;
  return dav.request('GET', dav.object(at), headers).send();
}

/** The object's stored bytes. */
export function size(dav: Dav, at: ObjectAddress): bigint {
  const found = dav.find(dav.object(at), shown('look at', at));
  if (found === 'nothing') throw new NotFound(`there is no ${at.name} in the container ${at.container}`);
  if (found === 'collection') {
    throw new NotFound(`${at.name} of the container ${at.container} is a collection, and so no object`);
  }
  return found;
}

/** Deletes the object and what an unfinished put of it left. What stands under the name and is a collection is no object and stays. */
export function remove(dav: Dav, at: ObjectAddress): void {
  const what = shown('delete', at);
  const object = dav.object(at);
  // First, so that whoever meets a failure deletes again and finds both.
  removeUrl(dav, partOf(dav, at), what);
  // A DELETE of a collection would take all that is in it.
  const found = dav.find(object, what);
  if (found === 'nothing') {
    // A root that is gone says so of everything, and may come back.
    checkRoot(dav);
    return;
  }
  if (found === 'collection' || removeUrl(dav, object, what)) return;
  // A storage that is half away says that nothing is there, of what is.
  if (dav.find(object, what) !== 'nothing') {
    throw new Unavailable(`cannot ${what}: the server said that it is not there (404), and then that it is`);
  }
}

/** Deletes a resource, or a collection with all in it; false when the server says that nothing was there. */
export function removeUrl(dav: Dav, url: http.Url, what: string): boolean {
  return use(dav.request('DELETE', url).send(), (response) => {
    if (response.status === 200 || response.status === 204) return true;
    if (response.status === 404 || response.status === 410) return false;
    throw refused(response, what);
  });
}

function upload(dav: Dav, at: ObjectAddress, part: http.Url, send: Send): void {
  const what = shown('store', at);
  const request = dav.request('PUT', part, { 'content-type': 'application/octet-stream' });
  const sent = use(send(request), (response) => {
    // RFC 4918, 9.7.1: a PUT into a collection that is not there.
    if (response.status === 409) throw new NotFound(`there is no container ${at.container}`);
    if (![200, 201, 204].includes(response.status)) throw refused(response, what);
    return response.sent;
  });
  const found = dav.find(part, what);
  if (typeof found !== 'bigint') throw new Failed(`cannot ${what}: another put or delete of it came in between`);
  if (found !== sent) throw new Failed(`cannot ${what}: ${sent} bytes were sent, and the server has ${found}`);
}

/** Gives the whole resource its name. */
function publish(dav: Dav, at: ObjectAddress, part: http.Url): void {
  const to = dav.object(at);
  const move = dav.request('MOVE', part, { destination: to.origin + to.path, overwrite: 'T' });
  use(move.send(), (response) => {
    if (response.status !== 201 && response.status !== 204) throw refused(response, shown('name', at));
  });
}

/** What an answer means that is not the success that was expected. 207 and 202 are no failures by their number, but they do not say either
 * that it was done. */
function refused(response: http.Response, what: string): DriverError {
  if (response.isSuccess) return new Failed(`cannot ${what}: the server answered ${response.status}`);
  if (response.status === 423) return new Unavailable(`cannot ${what}: it is locked (423)`);
  return response.error(what);
}

function partOf(dav: Dav, at: ObjectAddress): http.Url {
  return dav.object({ container: at.container, name: names.part(at.name) });
}

function shown(verb: string, at: ObjectAddress): string {
  return `${verb} the object ${at.name} of the container ${at.container}`;
}
