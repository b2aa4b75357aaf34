// From the component's exports to a `Driver`.
//
// jco wants two exported objects; `exportDriver` makes them for a driver. They do what is the same for every driver: a call
// before `do-setup` is an error with the function's name, a repeated `do-setup` forgets the old settings, a page limit outside the
// contract is refused, what is thrown becomes the contract's error. Cost: one closure per call.

import type { Error as ContractError, Setting } from 'cofferdam:backup/types@0.1.0';
import type { BackupIdentity, BodyInfo, ByteRange, InputStream, ObjectAddress, OutputStream } from './contract.ts';
import type { Driver, DriverClass } from './driver.ts';
import { DriverError, Failed, Unsupported } from './errors.ts';
import * as log from './log.ts';
import { Settings } from './settings.ts';

const LONGEST_MESSAGE = 500;

/**
 * Makes the two objects that a component exports. Once, at the end of the main module:
 *
 *     export const { backupDriver, objectStore } = exportDriver(MyDriver);
 */
export function exportDriver(driverClass: DriverClass) {
  let current: Driver | undefined;

  function afterSetup<T>(name: string, call: (driver: Driver) => T): T {
    return boundary(() => {
      if (current === undefined) throw new Failed(`${name} was called before a do-setup that succeeded`);
      return call(current);
    });
  }

  return {
    backupDriver: {
      describe: () => driverClass.describe(),
      doSetup: (settings: Setting[]) =>
        boundary(() => {
          current = undefined;
          current = new driverClass(Settings.fromContract(settings));
        }),
      checkForSetupError: () => afterSetup('check-for-setup-error', (driver) => driver.checkForSetupError()),
      probe: () => afterSetup('probe', (driver) => driver.probe()),
      placeBackup: (backup: BackupIdentity, container: string | undefined) =>
        afterSetup('place-backup', (driver) => driver.placeBackup(backup, container)),
    },
    objectStore: {
      createContainer: (container: string) =>
        afterSetup('create-container', (driver) => driver.createContainer(container)),
      putObject: (at: ObjectAddress, body: InputStream, info: BodyInfo) =>
        afterSetup('put-object', (driver) => driver.putObject(at, body, info)),
      getObject: (at: ObjectAddress, range: ByteRange | undefined, sink: OutputStream) =>
        afterSetup('get-object', (driver) => driver.getObject(at, range, sink)),
      statObject: (at: ObjectAddress) => afterSetup('stat-object', (driver) => driver.statObject(at)),
      deleteObject: (at: ObjectAddress) => afterSetup('delete-object', (driver) => driver.deleteObject(at)),
      listObjects: (container: string, prefix: string, after: string | undefined, limit: number) =>
        afterSetup('list-objects', (driver) => {
          checkLimit('list-objects', limit);
          return driver.listObjects(container, prefix, after, limit);
        }),
      listContainers: (after: string | undefined, limit: number) =>
        afterSetup('list-containers', (driver) => {
          checkLimit('list-containers', limit);
          return driver.listContainers(after, limit);
        }),
    },
  };
}

/** Throws the contract's error for whatever is thrown, with nothing of the program's inside in it. */
function boundary<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    throw toContract(thrown);
  }
}

function toContract(thrown: unknown): ContractError {
  if (thrown instanceof DriverError) return thrown.toContract();
  const { stack = '' } = Object(thrown) as { stack?: string };
  log.debug(`${thrown}\n${stack}`);
  return { tag: 'failed', val: `${thrown}`.slice(0, LONGEST_MESSAGE) };
}

function checkLimit(name: string, limit: number): void {
  if (limit < 1 || limit > 1000) throw new Unsupported(`${name}: the limit is ${limit}, not 1 to 1000`);
}
