"""What a Python author imports to write a Cofferdam backup driver.

A driver is a class derived from `Driver`, exported once, in the module that is given to componentize-py:

    from cofferdam_driver import Driver, export

    class Shelf(Driver):
        def __init__(self, settings):
            self.directory = settings.required_directory("shelf_path")
        ...  # the other functions of the contract

    BackupDriver, ObjectStore = export(Shelf)

What each function promises is said in the contract, `wit/0.1.0`. Beside the class: `Settings` reads options, `Directory`
keeps objects as files in a granted directory, `http` speaks to servers, `Secret` uses keys that the host keeps, `pipe`
moves bytes without letting them into the guest, `log` writes to the host's log, `names` holds the rules for safe names,
`placement` those of sizes and
prefixes, `Picker` makes a page of a listing.

Import everything at the top of a module: a component is a snapshot of the program after its imports.
"""

from . import errors, http, log, names, pipe, placement, secrets
from ._wasi import InputStream, OutputStream
from .contract import (
    BackupIdentity,
    BodyInfo,
    BodyNeeds,
    ByteRange,
    ContainerPage,
    DriverInfo,
    ObjectAddress,
    ObjectInfo,
    OptionInfo,
    OptionKind,
    Page,
    Placement,
)
from .directory import Directory
from .driver import Driver
from .export import export
from .page import Picker
from .pipe import is_cancelled
from .secrets import Secret
from .settings import Settings

__all__ = [
    "BackupIdentity",
    "BodyInfo",
    "BodyNeeds",
    "ByteRange",
    "ContainerPage",
    "Directory",
    "Driver",
    "DriverInfo",
    "InputStream",
    "ObjectAddress",
    "ObjectInfo",
    "OptionInfo",
    "OptionKind",
    "OutputStream",
    "Page",
    "Picker",
    "Placement",
    "Secret",
    "Settings",
    "errors",
    "export",
    "http",
    "is_cancelled",
    "log",
    "names",
    "pipe",
    "placement",
    "secrets",
]
