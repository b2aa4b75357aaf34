"""Makes or restores one backup with a driver of Cinder's own, as cinder-backup does once a volume is attached.

  cinder_driver.py CONF import  STORE BACKUP_URL
  cinder_driver.py CONF backup  STORE VOLUME ALGORITHM OBJECT_SIZE [PARENT_ID]
  cinder_driver.py CONF restore STORE BACKUP_ID TARGET

STORE is `swift:CONTAINER` or `s3:BUCKET`, for which CONF has addresses and keys, or a folder for the posix driver.
`import` decodes the exported record with Cinder's own code and makes the database row that its import would make.
`backup` prints id, container, prefix of the objects' names, exported record, seconds and greatest memory as one line of
JSON; `restore` the last two.
"""
from cinder import monkey_patch; monkey_patch.patch()  # noqa: E702

import json
import os
import sys
import time

from oslo_config import cfg
from oslo_log import log as logging
from oslo_utils import importutils

from cinder import context, objects, rpc, utils, version
from cinder.db import api as db
from cinder.objects import fields
from cinder.volume import volume_utils  # noqa: F401

CONF = cfg.CONF
GIB = 1 << 30
# Each driver's class, and its options for where the objects are and for the bytes of one.
DRIVERS = {
    "posix": ("cinder.backup.drivers.posix.PosixBackupDriver", "backup_posix_path", "backup_file_size"),
    "swift": ("cinder.backup.drivers.swift.SwiftBackupDriver", "backup_swift_container", "backup_swift_object_size"),
    "s3": ("cinder.backup.drivers.s3.S3BackupDriver", "backup_s3_store_bucket", "backup_s3_object_size"),
}


def main():
    conf, command, store, *rest = sys.argv[1:]
    kind, _, place = store.partition(":")
    if kind not in DRIVERS:
        kind, place = "posix", store
    driver, place_option, size_option = DRIVERS[kind]
    driver = importutils.import_class(driver)
    logging.register_options(CONF)
    CONF([], project="cinder", version=version.version_string(), default_config_files=[conf])
    CONF.set_override(place_option, place)
    CONF.set_override("log_file", None)
    CONF.set_override("use_stderr", True)  # What it prints is for the caller.
    logging.setup(CONF, "cinder")
    objects.register_all()
    rpc.init(CONF)
    admin = context.RequestContext("interop", "interop", is_admin=True)
    if command == "import":
        import_(admin, *rest)
    elif command == "backup":
        volume, algorithm, size, *parent = rest
        CONF.set_override("backup_compression_algorithm", algorithm)
        CONF.set_override(size_option, int(size))
        backup(admin, driver, volume, *parent)
    else:
        restore(admin, driver, *rest)


def import_(admin, url):
    record = objects.Backup.decode_record(url)
    wanted = (
        "id", "volume_id", "size", "container", "service_metadata", "service", "parent_id", "object_count",
        "display_name", "display_description")
    db.backup_create(admin, {
        **{name: record[name] for name in wanted}, "user_id": "interop", "project_id": "interop", "host": "interop",
        "status": fields.BackupStatus.AVAILABLE})


def backup(admin, driver, volume, parent_id=None):
    row = volume_row(admin, os.path.getsize(volume))
    made = objects.Backup(
        admin, user_id="interop", project_id="interop", volume_id=row.id, host="interop", size=row.size,
        status=fields.BackupStatus.CREATING, display_name="by Cinder", parent_id=parent_id)
    made.create()
    driver = driver(admin)
    begin = time.monotonic()
    with open(volume, "rb") as file:
        driver.backup(made, utils.tpool_wrap(file))
    measured = cost(begin)
    made.status = fields.BackupStatus.AVAILABLE
    made.save()
    print(json.dumps({
        "id": made.id, "container": made.container, "prefix": made.service_metadata,
        "backup_url": made.encode_record(driver_info={}), **measured}))


def restore(admin, driver, backup_id, target):
    row = volume_row(admin, os.path.getsize(target))
    stored = objects.Backup.get_by_id(admin, backup_id)
    stored.status = fields.BackupStatus.RESTORING
    stored.save()
    driver = driver(admin)
    begin = time.monotonic()
    with open(target, "r+b") as file:
        driver.restore(stored, row.id, file, True)
    print(json.dumps(cost(begin)))
    stored.status = fields.BackupStatus.AVAILABLE
    stored.save()


def cost(begin):
    # Not getrusage, which counts what the parent process had before this program began.
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    return {"seconds": time.monotonic() - begin, "peak_mib": peak / 1024}


def gib(size):
    return max(1, -(-size // GIB))


def volume_row(admin, size):
    kind = objects.VolumeTypeList.get_all(admin).objects[0].id
    row = objects.Volume(
        admin, user_id="interop", project_id="interop", size=gib(size), status="backing-up",
        display_name="interop", volume_type_id=kind, host="interop@x#x")
    row.create()
    return row


main()
