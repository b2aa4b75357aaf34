"""Makes or restores one backup with Cinder's own posix driver, as cinder-backup does once a volume is attached.

  cinder_driver.py CONF import  REPOSITORY BACKUP_URL
  cinder_driver.py CONF backup  REPOSITORY VOLUME ALGORITHM FILE_SIZE [PARENT_ID]
  cinder_driver.py CONF restore REPOSITORY BACKUP_ID TARGET

`import` decodes the exported record with Cinder's own code and makes the database row that its import would make.
`backup` prints id, exported record, seconds and greatest memory as one line of JSON; `restore` the last two.
"""
from cinder import monkey_patch; monkey_patch.patch()  # noqa: E702

import json
import os
import sys
import time

from oslo_config import cfg
from oslo_log import log as logging

from cinder import context, objects, rpc, utils, version
from cinder.db import api as db
from cinder.backup.drivers import posix
from cinder.objects import fields
from cinder.volume import volume_utils  # noqa: F401

CONF = cfg.CONF
GIB = 1 << 30


def main():
    conf, command, repository, *rest = sys.argv[1:]
    logging.register_options(CONF)
    CONF([], project="cinder", version=version.version_string(), default_config_files=[conf])
    CONF.set_override("backup_posix_path", repository)
    CONF.set_override("log_file", None)
    logging.setup(CONF, "cinder")
    objects.register_all()
    rpc.init(CONF)
    admin = context.RequestContext("interop", "interop", is_admin=True)
    {"import": import_, "backup": backup, "restore": restore}[command](admin, *rest)


def import_(admin, url):
    record = objects.Backup.decode_record(url)
    wanted = (
        "id", "volume_id", "size", "container", "service_metadata", "service", "parent_id", "object_count",
        "display_name", "display_description")
    db.backup_create(admin, {
        **{name: record[name] for name in wanted}, "user_id": "interop", "project_id": "interop", "host": "interop",
        "status": fields.BackupStatus.AVAILABLE})


def backup(admin, volume, algorithm, file_size, parent_id=None):
    CONF.set_override("backup_compression_algorithm", algorithm)
    CONF.set_override("backup_file_size", int(file_size))
    row = volume_row(admin, os.path.getsize(volume))
    made = objects.Backup(
        admin, user_id="interop", project_id="interop", volume_id=row.id, host="interop", size=row.size,
        status=fields.BackupStatus.CREATING, display_name="by Cinder", parent_id=parent_id)
    made.create()
    driver = posix.PosixBackupDriver(admin)
    begin = time.monotonic()
    with open(volume, "rb") as file:
        driver.backup(made, utils.tpool_wrap(file))
    measured = cost(begin)
    made.status = fields.BackupStatus.AVAILABLE
    made.save()
    print(json.dumps({"id": made.id, "backup_url": made.encode_record(driver_info={}), **measured}))


def restore(admin, backup_id, target):
    row = volume_row(admin, os.path.getsize(target))
    stored = objects.Backup.get_by_id(admin, backup_id)
    stored.status = fields.BackupStatus.RESTORING
    stored.save()
    driver = posix.PosixBackupDriver(admin)
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
