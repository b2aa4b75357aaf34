// The contract as one abstract class. `wit/0.1.0` says what each function promises; the same words stand here.

import type {
  BackupIdentity,
  BodyInfo,
  ByteRange,
  ContainerPage,
  DriverInfo,
  InputStream,
  ObjectAddress,
  ObjectInfo,
  OutputStream,
  Page,
  Placement,
} from './contract.ts';
import { Unsupported } from './errors.ts';
import type { Settings } from './settings.ts';

/**
 * A volume-backup driver.
 *
 * The SDK keeps the one driver that the last set-up made and answers calls that come before it. Calls come one at a time;
 * what the driver remembers between them may be lost at any moment, for the next call may meet a new instance. Failures are
 * thrown as the classes of `errors`. A driver never retries in a loop: the host does.
 */
export abstract class Driver {
  /** Proves that the backend is usable: writes a canary object, reads it back, deletes it. May be dear. Leaves nothing
   * behind, on failure neither. */
  abstract checkForSetupError(): void;

  /** Whether the backend still works: called every interval. Cheap, no side effects. */
  abstract probe(): void;

  /** Container and object prefix for a new backup. Names it without creating anything. `container` is what the user asked
   * for. The prefix must hold the backup's id, so that no two backups share one. */
  abstract placeBackup(backup: BackupIdentity, container: string | undefined): Placement;

  /** Makes the container if it is missing; succeeds when it is there. */
  abstract createContainer(container: string): void;

  /** Stores the whole body under the name, replacing what was there. Atomic and durable: after success the object survives a
   * power cut; after any failure nothing is visible under the name but what was there before. A body that fails must be
   * discarded. `store` moves it. */
  abstract putObject(at: ObjectAddress, body: InputStream, info: BodyInfo): void;

  /** Writes the object, or the range of it, to the sink and says how many bytes that were. A range that reaches past the end
   * is cut there; one that begins past the end gives 0 bytes. `fetch` moves them. */
  abstract getObject(at: ObjectAddress, range: ByteRange | undefined, sink: OutputStream): bigint;

  /** `NotFound` when it is not there. */
  abstract statObject(at: ObjectAddress): ObjectInfo;

  /** Deletes the object for good. Deleting what is absent succeeds. */
  abstract deleteObject(at: ObjectAddress): void;

  /** Objects of the container whose names begin with `prefix` and come after `after` in byte order (`byBytes`), at most `limit`
   * (1 to 1000, which the SDK has checked). Complete or an error, never a short success. A missing container is `NotFound`. */
  abstract listObjects(container: string, prefix: string, after: string | undefined, limit: number): Page;

  /** Containers in which this driver may have placed backups, as far as it can tell. `Unsupported` when it cannot. */
  listContainers(_after: string | undefined, _limit: number): ContainerPage {
    throw new Unsupported('this driver cannot list its containers');
  }
}

/** What is exported: the class of a driver. */
export interface DriverClass {
  /** Name, version, options, needs. No side effects, no input: always the same answer. */
  describe(): DriverInfo;

  /** The contract's `do-setup`: configures this instance. Cheap, without side effects on the storage. Called again with other
   * settings, a new driver takes the old one's place. */
  new (settings: Settings): Driver;
}
