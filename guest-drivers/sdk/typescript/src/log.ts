// Lines for the host's log, under the backend's name. The host bounds them per call and drops what is over. No secrets in them.

import { log } from 'cofferdam:backup/host@0.1.0';

/** For the driver's author. */
export function debug(message: string): void {
  log('debug', message);
}

/** A fact that the deployer may want to know. */
export function info(message: string): void {
  log('info', message);
}

/** Something is wrong, yet the call goes on. */
export function warn(message: string): void {
  log('warn', message);
}

/** Something failed that no thrown error tells. */
export function error(message: string): void {
  log('error', message);
}
