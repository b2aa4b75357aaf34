// Reading an object, or a range of it, into a sink without letting its bytes into the guest.

import type { Descriptor } from 'wasi:filesystem/types@0.2.12';
import type { ByteRange, OutputStream } from '../contract.ts';
import { use } from '../host.ts';
import { fetch } from '../pipe.ts';
import { attempt } from './failure.ts';
import { NO_FOLLOW, isFile, notAnObject, shown } from './folders.ts';

/** Writes what there is of the range to the sink; says how many bytes. */
export function read(
  parent: Descriptor,
  folder: string,
  name: string,
  range: ByteRange | undefined,
  sink: OutputStream,
): bigint {
  return use(openFile(parent, folder, name), (file) => {
    const { size } = attempt(() => file.stat(), `look at ${shown(folder, name)}`);
    const { offset, length } = cut(range, size);
    if (length === 0n) return 0n;
    const source = attempt(() => file.readViaStream(offset), `read ${shown(folder, name)}`);
    return use(source, (stream) => fetch(stream, sink, length));
  });
}

/** Opens a plain file for reading. Looked at first, because opening a named pipe would wait for its writer. */
export function openFile(parent: Descriptor, folder: string, name: string): Descriptor {
  const stat = attempt(() => parent.statAt(NO_FOLLOW, name), `look at ${shown(folder, name)}`);
  if (!isFile(stat)) throw notAnObject(folder, name);
  return attempt(() => parent.openAt(NO_FOLLOW, name, {}, { read: true }), `open ${shown(folder, name)}`);
}

/** Offset and length of what there is of the range in an object of `size` bytes. */
export function cut(range: ByteRange | undefined, size: bigint): { offset: bigint; length: bigint } {
  const offset = range?.offset ?? 0n;
  const there = offset < size ? size - offset : 0n;
  const wanted = range?.length ?? there;
  return { offset, length: wanted < there ? wanted : there };
}
