"""Makes the rings of a Swift with one device: swift_rings.py FOLDER PORT, for the ports after PORT."""

import pathlib
import sys

from swift.common.ring import RingBuilder

folder, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])
# The second storage policy has objects of its own, on the same device.
for name, offset in [("account", 1), ("container", 2), ("object", 3), ("object-1", 3)]:
    builder = RingBuilder(part_power=6, replicas=1, min_part_hours=0)
    builder.add_dev(
        {"id": 0, "region": 1, "zone": 1, "weight": 1, "ip": "127.0.0.1", "port": port + offset, "device": "d1"}
    )
    builder.rebalance(seed="1")
    builder.get_ring().save(str(folder / f"{name}.ring.gz"))
