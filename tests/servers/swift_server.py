"""Runs one Swift server with the swift.conf beside its configuration: swift_server.py CONFIG verbose.

Swift reads storage policies from /etc/swift/swift.conf when it is imported, whatever swift_dir says.
"""

import importlib
import logging
import pathlib
import sys

from swift.common import utils

config = pathlib.Path(sys.argv[1])
utils.SWIFT_CONF_FILE = str(config.with_name("swift.conf"))
# There is no memcached here on purpose; one line for every request would hide what matters.
logging.getLogger().addFilter(lambda record: "swift.cache" not in record.getMessage())
package = {"object-server": "obj"}.get(config.stem, config.stem.removesuffix("-server"))
importlib.import_module(f"swift.{package}.server").main()
