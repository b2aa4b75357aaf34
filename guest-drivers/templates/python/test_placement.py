"""What can be tested without a host. The rest is the conformance kit's: `make conformance`."""

import unittest

from cofferdam_driver import BackupIdentity, Settings
from cofferdam_driver.errors import InvalidConfiguration, Unsupported
from cofferdam_driver.placement import Portions
from placement import place


def backup(backup_id: str) -> BackupIdentity:
    return BackupIdentity(backup_id, "11111111-2222-3333-4444-555555555555", "20240102030405", "nova")


class PlacementTest(unittest.TestCase):
    ID = "abcdef00-aaaa-bbbb-cccc-000000000001"

    def test_a_backup_without_a_container_goes_where_cinder_puts_it(self):
        placed = place(backup(self.ID), None, Portions())
        self.assertEqual(placed.container, f"ab/cd/{self.ID}")
        self.assertEqual(
            placed.prefix, f"volume_11111111-2222-3333-4444-555555555555_20240102030405_backup_{self.ID}"
        )
        self.assertEqual((placed.object_size, placed.block_size), (1_999_994_880, 32768))

    def test_a_given_container_is_taken_as_it_is(self):
        self.assertEqual(place(backup(self.ID), "nightly/mon", Portions()).container, "nightly/mon")

    def test_a_container_or_id_that_leaves_the_root_is_refused(self):
        for container in ("", "..", "../x", "/etc", "a//b"):
            with self.subTest(container), self.assertRaises(Unsupported):
                place(backup(self.ID), container, Portions())
        for backup_id in ("", "abc", "../../etc", "..x/", "éééé/"):
            with self.subTest(backup_id), self.assertRaises(Unsupported):
                place(backup(backup_id), None, Portions())

    def test_an_object_is_a_positive_multiple_of_the_block(self):
        def portions(size: int, block: int) -> Portions:
            return Portions.from_settings(Settings({"size": size, "block": block}), "size", "block")

        self.assertEqual(portions(65536, 4096), Portions(65536, 4096))
        for size, block in ((0, 32768), (32769, 32768), (100, 0), (1 << 40, 1 << 32)):
            with self.subTest(size=size, block=block), self.assertRaises(InvalidConfiguration):
                portions(size, block)


if __name__ == "__main__":
    unittest.main()
