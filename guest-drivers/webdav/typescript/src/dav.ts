// Requests to the server, and the URLs of containers and objects in it.
//
// Bound: nothing is sent twice and no redirect is followed. What a server says of a collection is read as it comes, so memory does not
// depend on how much is in it.

import { type DriverError, Failed, type ObjectAddress, Unsupported, http, names, use } from 'cofferdam-driver';
import { type Found, MultistatusReader } from './multistatus.ts';

/** The two properties of which a driver lives. Naming them spares the server the others. */
const WANTED =
  '<?xml version="1.0" encoding="utf-8"?>\n' +
  '<propfind xmlns="DAV:"><prop><getcontentlength/><resourcetype/></prop></propfind>';

/** The server, as the settings name it. */
export class Dav {
  readonly #root: http.Url;
  readonly #authorization: string | undefined;

  constructor(root: http.Url, authorization: string | undefined) {
    this.#root = root;
    this.#authorization = authorization;
  }

  /** The collection of the containers. */
  root(): http.Url {
    return this.#root.join('');
  }

  /** A container's collection, with a `/` at its end: some servers redirect without. */
  container(container: string): http.Url {
    return this.#root.join(`${http.percent(container)}/`);
  }

  /** An object's resource. */
  object(at: ObjectAddress): http.Url {
    return this.#root.join(`${http.percent(at.container)}/${http.percent(at.name)}`);
  }

  /** A request with the authorization. */
  request(method: string, url: http.Url, headers: Record<string, string> = {}): http.Request {
    const all = { ...headers };
    if (this.#authorization !== undefined) all.authorization = this.#authorization;
    return new http.Request(method, url, all);
  }

  /** What stands under the URL. `what` completes "cannot ...". */
  find(url: http.Url, what: string): Found {
    const found: Found[] = [];
    const isThere = this.#ask('0', url, what, (path, told) => {
      if (below(url.path, path) !== '' || found.length > 0) throw unasked(what);
      found.push(told);
    });
    if (!isThere) return 'nothing';
    const [first] = found;
    if (first === undefined) throw unasked(what);
    return first;
  }

  /** Tells `take` the name of each member of the collection, in no order; no success before all were told. False when there is no such
   * collection. */
  eachMember(url: http.Url, what: string, take: (name: string, found: Found) => void): boolean {
    const itself: Found[] = [];
    const isThere = this.#ask('1', url, what, (path, told) => {
      const name = below(url.path, path);
      if (name === undefined || name.includes('/')) throw unasked(what);
      if (name === '') itself.push(told);
      else take(name, told);
    });
    if (!isThere) return false;
    const [first] = itself;
    // Without the collection itself it is no listing of it.
    if (first === undefined) throw unasked(what);
    if (typeof first === 'bigint') {
      throw new Failed(`cannot ${what}: a plain resource stands in the place of the collection`);
    }
    return first === 'collection';
  }

  /** Tells `take` of each resource in the answer to a PROPFIND; false when the server says that nothing is there. */
  #ask(depth: string, url: http.Url, what: string, take: (path: string, found: Found) => void): boolean {
    const request = this.request('PROPFIND', url, {
      depth,
      'content-type': 'application/xml; charset=utf-8',
      'accept-encoding': 'identity',
    });
    return use(request.sendBytes(new TextEncoder().encode(WANTED)), (response) => {
      const { status, origin } = response;
      if (status === 404 || status === 410) return false;
      if (status !== 207) throw refusedPropfind(response, `cannot ${what}: ${origin}`, what);
      const reader = new MultistatusReader(what, take);
      response.eachPiece((piece) => reader.read(piece));
      reader.finish();
      return true;
    });
  }
}

/** The way from a collection to a resource, decoded, without the `/` at a collection's end; empty for the collection itself. Undefined
 * when the resource is not in it, or has a name that is not UTF-8. */
export function below(collection: string, path: string): string | undefined {
  const outside = http.percentDecode(collection)?.replace(/\/+$/, '');
  const inside = http.percentDecode(path);
  if (outside === undefined || inside === undefined || !inside.startsWith(outside)) return undefined;
  const rest = inside.slice(outside.length);
  return rest === '' || rest.startsWith('/') ? rest.replace(/^\//, '').replace(/\/$/, '') : undefined;
}

/** Refuses an object whose URL would be another's, or whose name is kept for unfinished objects. */
export function check(at: ObjectAddress): void {
  checkContainer(at.container);
  names.checkObject(at.name);
}

/** Refuses a container that is not one safe segment. */
export function checkContainer(container: string): void {
  names.checkFolder(container);
  if (!container.includes('/')) return;
  const shown = JSON.stringify(container.slice(0, 80));
  throw new Unsupported(
    `the container ${shown} is refused: it holds a \`/\`, and here containers have no containers in them`,
  );
}

function refusedPropfind(response: http.Response, cannot: string, what: string): DriverError {
  // No other success than 207 says what was asked.
  if (response.isSuccess) {
    return new Failed(`${cannot} answered ${response.status} to PROPFIND: is it a WebDAV server?`);
  }
  if (response.status === 405 || response.status === 501) {
    return new Failed(`${cannot} does not know PROPFIND there: is it a WebDAV server?`);
  }
  return response.error(what);
}

function unasked(what: string): DriverError {
  return new Failed(`cannot ${what}: the server told of other resources than were asked for`);
}
