// In what portions a volume is stored, and how a backup's objects are called. Pure.
//
// Source of the names and defaults: cinder/backup/drivers/posix.py.

import type { BackupIdentity } from './contract.ts';
import { InvalidConfiguration } from './errors.ts';
import type { Settings } from './settings.ts';

/** Cinder's default of `backup_file_size`: the multiple of 32768 next below 2 GB. */
export const CINDERS_OBJECT_SIZE = 1_999_994_880n;
/** Cinder's default of `backup_sha_block_size_bytes`. */
export const CINDERS_BLOCK_SIZE = 32768n;

const GREATEST_BLOCK = 0xffff_ffffn;

/** Bytes of volume per object and per SHA-256. */
export interface Portions {
  objectSize: bigint;
  blockSize: number;
}

/** Reads the two options; the sizes are the defaults. An object is a positive multiple of a block. */
export function readPortions(
  settings: Settings,
  objectOption: string,
  blockOption: string,
  objectSize = CINDERS_OBJECT_SIZE,
  blockSize = CINDERS_BLOCK_SIZE,
): Portions {
  const block = settings.size(blockOption) ?? blockSize;
  const asked = settings.size(objectOption);
  const wanted = asked ?? objectSize;
  if (block < 1n || block > GREATEST_BLOCK) {
    throw new InvalidConfiguration(blockOption, `expected 1 to ${GREATEST_BLOCK} bytes, found ${block}`);
  }
  if (asked === undefined && wanted % block !== 0n) {
    // Who wrote the one option is told of that one.
    throw new InvalidConfiguration(
      blockOption,
      `${block} does not divide the default of ${objectOption} (${objectSize}): set that, too`,
    );
  }
  if (wanted === 0n || wanted % block !== 0n) {
    throw new InvalidConfiguration(
      objectOption,
      `expected a positive multiple of ${blockOption} (${block}), found ${wanted}`,
    );
  }
  return { objectSize: wanted, blockSize: Number(block) };
}

/** What the names of a backup's objects begin with. */
export function prefixOf(backup: BackupIdentity): string {
  return `volume_${backup.volumeId}_${backup.timestamp}_backup_${backup.backupId}`;
}
