"""The WebDAV driver: backups as resources of a WebDAV server (RFC 4918).

A container is a collection right below `webdav_url`, an object a plain resource in it. The password stays with the host,
the objects' bytes pass by. One file per purpose: `config` holds options and settings, `dav` sends requests and knows URLs,
`multistatus` reads what a server says of resources, `objects`, `containers` and `canary` do the work.

The same driver stands beside this one in other languages: same options, same bytes in the same places.
"""

import canary
import containers
import objects
from cofferdam_driver import (
    BackupIdentity,
    BodyInfo,
    ByteRange,
    ContainerPage,
    Driver,
    DriverInfo,
    InputStream,
    ObjectAddress,
    ObjectInfo,
    OutputStream,
    Page,
    Placement,
    Settings,
    export,
)
from cofferdam_driver.placement import prefix
from config import OPTIONS, Config
from dav import check, check_container


class WebDav(Driver):
    """Keeps each object as a resource."""

    @classmethod
    def describe(cls) -> DriverInfo:
        return DriverInfo(
            name="webdav",
            version="0.1.0",
            vendor="Cofferdam",
            description="Keeps backups on a WebDAV server.",
            options=OPTIONS,
            wants_http=True,
        )

    def __init__(self, settings: Settings):
        self.config = Config.from_settings(settings)
        self.dav = self.config.dav

    def check_for_setup_error(self) -> None:
        canary.check(self.dav)

    def probe(self) -> None:
        containers.check_root(self.dav)

    def place_backup(self, backup: BackupIdentity, container: str | None) -> Placement:
        container = self.config.container if container is None else container
        check(ObjectAddress(container, prefix(backup)))
        portions = self.config.portions
        return Placement(container, prefix(backup), portions.object_size, portions.block_size)

    def create_container(self, container: str) -> None:
        check_container(container)
        containers.create(self.dav, container)

    def put_object(self, at: ObjectAddress, body: InputStream, info: BodyInfo) -> None:
        check(at)
        objects.put(self.dav, at, lambda request: request.send_stream(body, info.size))

    def get_object(self, at: ObjectAddress, range: ByteRange | None, sink: OutputStream) -> int:
        check(at)
        return objects.get(self.dav, at, range, sink)

    def stat_object(self, at: ObjectAddress) -> ObjectInfo:
        check(at)
        return ObjectInfo(at.name, objects.size(self.dav, at))

    def delete_object(self, at: ObjectAddress) -> None:
        check(at)
        objects.delete(self.dav, at)

    def list_objects(self, container: str, prefix: str, after: str | None, limit: int) -> Page:
        check_container(container)
        return containers.objects(self.dav, container, prefix, after, limit)

    def list_containers(self, after: str | None, limit: int) -> ContainerPage:
        return containers.listed(self.dav, after, limit)


BackupDriver, ObjectStore = export(WebDav)
