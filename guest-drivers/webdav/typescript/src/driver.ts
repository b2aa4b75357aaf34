// The WebDAV driver: backups as resources of a WebDAV server (RFC 4918).
//
// A container is a collection right below `webdav_url`, an object a plain resource in it. The password stays with the host, the objects'
// bytes pass by. One file per purpose: `config` holds options and settings, `dav` sends requests and knows URLs, `multistatus` and `xml`
// read what a server says of resources, `objects`, `containers` and `canary` do the work.
//
// The same driver stands beside this one in other languages: same options, same bytes in the same places.

import {
  type BackupIdentity,
  type BodyInfo,
  type ByteRange,
  type ContainerPage,
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
  placement,
} from 'cofferdam-driver';
import * as canary from './canary.ts';
import { type Config, OPTIONS, readConfig } from './config.ts';
import * as containers from './containers.ts';
import { check, checkContainer } from './dav.ts';
import * as objects from './objects.ts';

/** Keeps each object as a resource. */
class WebDav extends Driver {
  readonly #config: Config;

  static describe(): DriverInfo {
    return {
      name: 'webdav',
      version: '0.1.0',
      vendor: 'Cofferdam',
      description: 'Keeps backups on a WebDAV server.',
      options: OPTIONS,
      needs: {},
      wantsHttp: true,
    };
  }

  constructor(settings: Settings) {
    super();
    this.#config = readConfig(settings);
  }

  checkForSetupError(): void {
    canary.check(this.#config.dav);
  }

  probe(): void {
    containers.checkRoot(this.#config.dav);
  }

  placeBackup(backup: BackupIdentity, container: string | undefined): Placement {
    const prefix = placement.prefixOf(backup);
    const placed = container ?? this.#config.container;
    check({ container: placed, name: prefix });
    return { container: placed, prefix, ...this.#config.portions };
  }

  createContainer(container: string): void {
    checkContainer(container);
    containers.create(this.#config.dav, container);
  }

  putObject(at: ObjectAddress, body: InputStream, info: BodyInfo): void {
    check(at);
    objects.put(this.#config.dav, at, (request) => request.sendStream(body, info.size));
  }

  getObject(at: ObjectAddress, range: ByteRange | undefined, sink: OutputStream): bigint {
    check(at);
    return objects.get(this.#config.dav, at, range, sink);
  }

  statObject(at: ObjectAddress): ObjectInfo {
    check(at);
    return { name: at.name, size: objects.size(this.#config.dav, at) };
  }

  deleteObject(at: ObjectAddress): void {
    check(at);
    objects.remove(this.#config.dav, at);
  }

  listObjects(container: string, prefix: string, after: string | undefined, limit: number): Page {
    checkContainer(container);
    return containers.objects(this.#config.dav, container, prefix, after, limit);
  }

  override listContainers(after: string | undefined, limit: number): ContainerPage {
    return containers.list(this.#config.dav, after, limit);
  }
}

export const { backupDriver, objectStore } = exportDriver(WebDav);
