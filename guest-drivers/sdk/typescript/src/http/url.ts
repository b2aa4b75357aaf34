// Addresses of storages, taken apart. Pure.
//
// Only what a driver needs: `http` and `https`, a host, perhaps a port, a path, perhaps a query. No user, password or fragment. A
// scheme's usual port is left out, so that the `host` header, a signature and a grant see the same text. The engine's own `URL` is
// not used: it would rewrite what it takes, and take more than this.

import { isDigits } from './text.ts';

const USUAL_PORTS = { http: 80, https: 443 };

/** How the host speaks to the server. */
export type Scheme = keyof typeof USUAL_PORTS;

/** An absolute URL. Its path begins with `/`; path and query are already percent-encoded. */
export class Url {
  private constructor(
    readonly scheme: Scheme,
    /** Host and port as the `host` header has them. */
    readonly authority: string,
    readonly path: string,
    /** What stands behind the `?`. */
    readonly query: string | undefined,
  ) {}

  /** Takes the text apart. A text is the reason why it cannot be; it does not show the address, which might hold a password. */
  static parse(text: string): Url | string {
    const [, name = '', all = ''] = /^([^]*?):\/\/([^]*)$/.exec(text) ?? [];
    const scheme = name.toLowerCase();
    if (name === '') return 'it does not begin with http:// or https://';
    if (scheme !== 'http' && scheme !== 'https') return 'its scheme is neither http nor https';
    if (!/^[!-~]*$/.test(all)) return 'it holds a space, a control character or one beyond ASCII';
    if (all.includes('#')) return 'it holds a fragment (#)';
    const [, authority = '', path = '', query] = /^([^/?]*)([^?]*)(?:\?(.*))?$/.exec(all) ?? [];
    const checked = checkAuthority(scheme, authority);
    if ('reason' in checked) return checked.reason;
    return new Url(scheme, checked.authority, path || '/', query);
  }

  /** Scheme and authority only: what a grant names and what errors may show. */
  get origin(): string {
    return `${this.scheme}://${this.authority}`;
  }

  /** As the request line has them. */
  get pathAndQuery(): string {
    return this.query === undefined ? this.path : `${this.path}?${this.query}`;
  }

  /** The origin only: paths name users' objects, queries may hold signatures. */
  toString(): string {
    return this.origin;
  }

  /** The same with `path`, which must be percent-encoded, behind this one's, one `/` between; without a query. */
  join(path: string): Url {
    const joined = `${this.path.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`;
    return new Url(this.scheme, this.authority, joined, undefined);
  }

  /** The same with another query, which must be percent-encoded; an empty one is none. */
  withQuery(query: string): Url {
    return new Url(this.scheme, this.authority, this.path, query || undefined);
  }
}

/** The authority in lower case and without the scheme's usual port. */
function checkAuthority(scheme: Scheme, authority: string): { authority: string } | { reason: string } {
  if (authority.includes('@')) return { reason: 'it holds a user or password (@)' };
  // The colons of an IPv6 address stand inside brackets.
  const [, name = '', port] = /^(\[.*\]|[^:]*)(?::(.*))?$/.exec(authority) ?? [];
  const inside = /^\[(.*)\]$/.exec(name)?.[1];
  if (!(inside === undefined ? isName(name) : isIpv6(inside))) return { reason: 'its host is missing or malformed' };
  const host = name.toLowerCase();
  if (port === undefined) return { authority: host };
  if (port !== '' && !isDigits(port)) return { reason: 'its port is no number' };
  const number = Number(port);
  if (number < 1 || number > 65535) return { reason: 'its port is not 1 to 65535' };
  return { authority: number === USUAL_PORTS[scheme] ? host : `${host}:${number}` };
}

function isName(host: string): boolean {
  return host.length <= 253 && host.split('.').every((label) => /^[A-Za-z0-9_-]{1,63}$/.test(label));
}

/** Colons and hex groups, at most one gap. The host has the last word: it dials. */
function isIpv6(text: string): boolean {
  const groups = text.split(':');
  const gaps = text.split('::').length - 1;
  const plain = groups.every((group) => /^[0-9a-fA-F]{0,4}$/.test(group));
  return plain && gaps <= 1 && !text.includes(':::') && (groups.length === 8 || (gaps === 1 && groups.length >= 3 && groups.length <= 9));
}
