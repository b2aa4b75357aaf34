"""The bindings that componentize-py generates from `wit/`, gathered in one place.

Problem: they exist only inside a component, but a driver's pure parts are to be tested by plain `python3 -m unittest`.
So here, and only here, they may be missing: then everything can be imported, and what needs the host fails when it is
used. Imported once, at the top: a component is a snapshot, and what was not imported when it was made is not in it.
"""

try:
    from componentize_py_types import Err, Ok
    from wit_world.imports import cofferdam_backup_types as types
    from wit_world.imports import (
        host,
        monotonic_clock,
        outgoing_handler,
        poll,
        preopens,
        random,
        secrets,
        streams,
        wall_clock,
    )
    from wit_world.imports import wasi_filesystem_types as files
    from wit_world.imports import wasi_http_types as http
    from wit_world.imports.streams import InputStream, OutputStream
except ModuleNotFoundError as missing:
    if missing.name not in ("componentize_py_types", "wit_world"):
        raise

    class Err(Exception):
        """Never raised outside a component."""

    class Ok:
        """Never made outside a component."""

    class _Missing:
        def __getattr__(self, name):
            raise RuntimeError(f"{name} is there only inside a component")

    types = host = monotonic_clock = outgoing_handler = poll = preopens = _Missing()
    random = secrets = streams = wall_clock = files = http = _Missing()
    InputStream = OutputStream = object
