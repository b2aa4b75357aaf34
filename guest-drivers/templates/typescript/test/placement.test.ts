// What can be tested without a host. The rest is the conformance kit's: `npm run conformance`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidConfiguration, Settings, Unsupported, placement } from 'cofferdam-driver';
import { place } from '../src/placement.ts';

const ID = 'abcdef00-aaaa-bbbb-cccc-000000000001';
const PORTIONS = placement.readPortions(new Settings([]), 'size', 'block');

function backup(backupId: string) {
  return {
    backupId,
    volumeId: '11111111-2222-3333-4444-555555555555',
    timestamp: '20240102030405',
    availabilityZone: 'nova',
  };
}

test('a backup without a container goes where Cinder puts it', () => {
  assert.deepEqual(place(backup(ID), undefined, PORTIONS), {
    container: `ab/cd/${ID}`,
    prefix: `volume_11111111-2222-3333-4444-555555555555_20240102030405_backup_${ID}`,
    objectSize: 1_999_994_880n,
    blockSize: 32768,
  });
});

test('a given container is taken as it is', () => {
  assert.equal(place(backup(ID), 'nightly/mon', PORTIONS).container, 'nightly/mon');
});

test('a container or id that leaves the root is refused', () => {
  for (const container of ['', '..', '../x', '/etc', 'a//b']) {
    assert.throws(() => place(backup(ID), container, PORTIONS), Unsupported, container);
  }
  for (const id of ['', 'abc', '../../etc', '..x/', 'éééé/']) {
    assert.throws(() => place(backup(id), undefined, PORTIONS), Unsupported, id);
  }
});

test('an object is a positive multiple of the block', () => {
  const portions = (size: bigint, block: bigint) =>
    placement.readPortions(
      new Settings([
        ['size', size],
        ['block', block],
      ]),
      'size',
      'block',
    );
  assert.deepEqual(portions(65536n, 4096n), { objectSize: 65536n, blockSize: 4096 });
  for (const [size, block] of [
    [0n, 32768n],
    [32769n, 32768n],
    [100n, 0n],
    [1n << 40n, 1n << 32n],
  ] as const) {
    assert.throws(() => portions(size, block), InvalidConfiguration, `${size} of ${block}`);
  }
});
