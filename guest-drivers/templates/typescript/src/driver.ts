// The driver {{name}}: backups as files in a directory that the deployer grants.
//
// An object is the file `<{{ident}}_path>/<container>/<name>`. All that touches files is the SDK's `Directory`, which writes under a
// hidden name, syncs, renames and syncs the folder; this module adds the options, `placement` the names.
//
// No byte of an object enters this program: `Directory.store` and `Directory.read` let the host move them.

import {
  type BackupIdentity,
  type BodyInfo,
  type ByteRange,
  type ContainerPage,
  type Directory,
  Driver,
  type DriverInfo,
  type InputStream,
  type ObjectAddress,
  type ObjectInfo,
  type OutputStream,
  type Page,
  type Placement,
  type Settings,
  exportDriver,
  placement as portions,
} from 'cofferdam-driver';
import { place } from './placement.ts';

const PATH = '{{ident}}_path';
const OBJECT_SIZE = '{{ident}}_file_size';
const BLOCK_SIZE = '{{ident}}_sha_block_size_bytes';

/** Keeps each object as a file. */
class Files extends Driver {
  readonly #directory: Directory;
  readonly #portions: portions.Portions;

  static describe(): DriverInfo {
    return {
      name: '{{name}}',
      version: '0.1.0',
      vendor: 'me',
      description: 'Keeps backups as files in a directory.',
      options: [
        {
          name: PATH,
          kind: 'directory',
          required: true,
          description: 'The absolute path of the directory that holds the backups.',
        },
        {
          name: OBJECT_SIZE,
          kind: 'size',
          required: false,
          default: `${portions.CINDERS_OBJECT_SIZE}`,
          description: `Bytes of volume in one object: a positive multiple of ${BLOCK_SIZE}.`,
        },
        {
          name: BLOCK_SIZE,
          kind: 'size',
          required: false,
          default: `${portions.CINDERS_BLOCK_SIZE}`,
          description:
            'Bytes of volume for which one SHA-256 is kept, the unit of incremental backups: 1 to 4294967295.',
        },
      ],
      needs: {},
      wantsHttp: false,
    };
  }

  constructor(settings: Settings) {
    super();
    this.#portions = portions.readPortions(settings, OBJECT_SIZE, BLOCK_SIZE);
    this.#directory = settings.requiredDirectory(PATH);
  }

  checkForSetupError(): void {
    this.#directory.check();
  }

  probe(): void {
    this.#directory.probe();
  }

  placeBackup(backup: BackupIdentity, container: string | undefined): Placement {
    return place(backup, container, this.#portions);
  }

  createContainer(container: string): void {
    this.#directory.createDirAll(container);
  }

  putObject(at: ObjectAddress, body: InputStream, info: BodyInfo): void {
    this.#directory.store(at.container, at.name, body, info);
  }

  getObject(at: ObjectAddress, range: ByteRange | undefined, sink: OutputStream): bigint {
    return this.#directory.read(at.container, at.name, range, sink);
  }

  statObject(at: ObjectAddress): ObjectInfo {
    return { name: at.name, size: this.#directory.stat(at.container, at.name) };
  }

  deleteObject(at: ObjectAddress): void {
    this.#directory.delete(at.container, at.name);
  }

  listObjects(container: string, prefix: string, after: string | undefined, limit: number): Page {
    return this.#directory.list(container, prefix, after, limit);
  }

  override listContainers(after: string | undefined, limit: number): ContainerPage {
    return this.#directory.listContainers(after, limit);
  }
}

export const { backupDriver, objectStore } = exportDriver(Files);
