"""Which granted directory covers a path. Pure.

A directory that the deployer grants is preopened under the very path it has on the host, so the setting's path is
either a preopen's or lies below one; of several the nearest is taken.
"""


def find(preopens: list[str], path: str) -> tuple[int, str]:
    """The index of the preopen, and the way from there: `.` or a relative path. Raises `ValueError`."""
    if not path.startswith("/"):
        raise ValueError(f"{path} is not an absolute path")
    wanted = _components(path)
    if ".." in wanted:
        raise ValueError(f"{path} holds `..`: write the path without it")
    found: tuple[int, int] | None = None
    for index, preopen in enumerate(preopens):
        granted = _components(preopen)
        if wanted[: len(granted)] == granted and (found is None or len(granted) >= found[0]):
            found = len(granted), index
    if found is None:
        raise ValueError(f"{path} is not granted to this driver")
    depth, index = found
    return index, "/".join(wanted[depth:]) or "."


def _components(path: str) -> list[str]:
    return [component for component in path.split("/") if component not in ("", ".")]
