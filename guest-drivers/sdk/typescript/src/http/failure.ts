// What `wasi:http` says of a request that got no answer, in the contract's errors: a sentence of its own for each cause that a
// deployer would mend in another way.

import type { ErrorCode } from 'wasi:http/types@0.2.12';
import { type DriverError, Failed, InvalidConfiguration, Unavailable } from '../errors.ts';
import { shown } from './text.ts';

type Tag = ErrorCode['tag'];

const SETTINGS: Partial<Record<Tag, (origin: string) => string>> = {
  'HTTP-request-denied': (origin) =>
    `the host does not let this driver send such a request to ${origin}: the backend's grants.http must name it`,
  'destination-IP-prohibited': (origin) =>
    `the host does not let this driver reach the address that ${origin} resolves to`,
  'configuration-error': (origin) => `the host's settings for requests to ${origin} do not work: TLS files or proxy`,
};
const MALFORMED: Tag[] = [
  'HTTP-request-method-invalid',
  'HTTP-request-URI-invalid',
  'HTTP-request-URI-too-long',
  'HTTP-request-header-section-size',
  'HTTP-request-header-size',
  'HTTP-request-trailer-section-size',
  'HTTP-request-trailer-size',
  'HTTP-upgrade-failed',
];
const CAUSES: Partial<Record<Tag, string>> = {
  'DNS-timeout': 'its name was not resolved in time',
  'DNS-error': 'its name cannot be resolved',
  'destination-not-found': 'its name cannot be resolved',
  'destination-unavailable': 'no route leads to its address',
  'destination-IP-unroutable': 'no route leads to its address',
  'connection-refused': 'the connection was refused; nothing listens there',
  'connection-timeout': 'the connection was not made in time',
  'connection-terminated': 'the connection was cut',
  'connection-read-timeout': 'it sent nothing more for too long',
  'connection-write-timeout': 'it took no more bytes for too long',
  'connection-limit-reached': 'too many connections are open',
  'HTTP-response-timeout': 'it did not answer in time',
  'HTTP-response-incomplete': 'its answer broke off',
  'TLS-certificate-error':
    "its certificate is not trusted, for its issuer is unknown; the backend's option for a file of CA certificates must name a file with the issuer's",
  'TLS-protocol-error': 'no TLS connection came about; does it speak https on this port?',
  'HTTP-protocol-error': 'it does not speak HTTP as it should',
  'loop-detected': 'the request came back in a loop',
};

/** The error for a request to `origin` that failed with the code. */
export function error(code: ErrorCode, origin: string): DriverError {
  const settings = SETTINGS[code.tag];
  if (settings !== undefined) return new InvalidConfiguration('', settings(origin));
  if (code.tag === 'HTTP-request-body-size' || code.tag === 'HTTP-request-length-required') {
    return new Failed(`the body sent to ${origin} had another length than announced`);
  }
  if (MALFORMED.includes(code.tag)) return new Failed(`the host refused a malformed request to ${origin} (${code.tag})`);
  return new Unavailable(`${origin} gave no answer: ${cause(code)}`);
}

/** Whether the code says no more than that the connection broke. */
export function isMeaningless(code: ErrorCode): boolean {
  return code.tag === 'HTTP-protocol-error' || (code.tag === 'internal-error' && code.val === undefined);
}

/** Why there is no answer, for everything that may pass by itself. */
function cause(code: ErrorCode): string {
  if (code.tag === 'TLS-alert-received') {
    return `it ended the TLS connection (${shown(code.val.alertMessage ?? 'no reason given')})`;
  }
  // The host's sentence about what WASI has no word for: a certificate that expired, a proxy that refused.
  if (code.tag === 'internal-error') return shown(code.val ?? 'the host could not send the request');
  return CAUSES[code.tag] ?? `its answer cannot be understood (${code.tag})`;
}
