// Where a new backup goes, and how its objects are called: as Cinder's posix driver has it. Pure, and so tested alone.

import { type BackupIdentity, type Placement, Unsupported, names, placement } from 'cofferdam-driver';

/** The container that the user asked for, else one named after the backup. */
export function place(
  backup: BackupIdentity,
  container: string | undefined,
  portions: placement.Portions,
): Placement {
  const placed = container ?? ownContainer(backup.backupId);
  const prefix = placement.prefixOf(backup);
  names.checkFolder(placed);
  names.checkObject(prefix);
  return { container: placed, prefix, ...portions };
}

function ownContainer(id: string): string {
  if (!/^[!-~]{4,}$/.test(id)) throw new Unsupported(`the backup id ${JSON.stringify(id)} is not a UUID`);
  return `${id.slice(0, 2)}/${id.slice(2, 4)}/${id}`;
}
