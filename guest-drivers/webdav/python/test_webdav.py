"""The rules that need no server: names, settings, and what a server tells. The rest is the conformance kit's."""

import unittest

from cofferdam_driver import ObjectAddress, Settings
from cofferdam_driver.errors import DriverError, Failed, InvalidConfiguration, Unauthorized, Unsupported
from cofferdam_driver.http import Url
from config import Config
from dav import Dav, below, check_container
from multistatus import COLLECTION, NOTHING, read

_COLLECTION = (
    "<D:href>/b/c/</D:href>\n<D:propstat><D:prop><lp1:resourcetype><D:collection/></lp1:resourcetype></D:prop>"
    "<D:status>HTTP/1.1 200 OK</D:status></D:propstat><D:propstat><D:prop><g0:getcontentlength/></D:prop>"
    "<D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>"
)
_FILE = (
    "<href>http://h:1/b/c/a&amp;b&#233;</href><propstat><prop><getcontentlength>7</getcontentlength>"
    "<resourcetype/></prop><status>HTTP/1.1 200 OK</status></propstat>"
)


def told(document: str, pieces: int = 16) -> list[tuple[str, str | int]]:
    data, found = document.encode(), []
    cut = (data[at : at + pieces] for at in range(0, len(data), pieces))
    read(cut, "list it", lambda path, what: found.append((path, what)))
    return found


def response(inside: str) -> str:
    return f"<D:multistatus xmlns:D='DAV:'><D:response>{inside}</D:response></D:multistatus>"


class MultistatusTest(unittest.TestCase):
    def test_collections_and_resources_are_told_apart_however_the_answer_is_cut(self):
        document = (
            '<?xml version="1.0"?>\n<!-- é --><m:multistatus>'
            f"<r:response>{_COLLECTION}</r:response>\n<response>{_FILE}</response></m:multistatus>\n"
        )
        for pieces in (1, 3, 1000):
            self.assertEqual(told(document, pieces), [("/b/c/", COLLECTION), ("/b/c/a&bé", 7)])
        self.assertEqual(told("<multistatus/>"), [])

    def test_what_went_meanwhile_is_nothing(self):
        gone = response("<href>/b/x</href><status>HTTP/1.1 404 Not Found</status>")
        self.assertEqual(told(gone), [("/b/x", NOTHING)])

    def test_a_listing_that_is_not_whole_is_an_error(self):
        whole = response(_FILE)
        for end in range(len(whole)):
            with self.subTest(end), self.assertRaises(Failed):
                told(whole[:end])
        told(whole)

    def test_a_resource_of_which_too_little_is_told_is_an_error(self):
        for inside in (
            "",
            "<href>/x</href>",
            _FILE.replace("<resourcetype/>", ""),
            _FILE.replace("<getcontentlength>7</getcontentlength>", ""),
            _FILE.replace("7", "-7"),
            _FILE.replace("200 OK", "500 Oh"),
            _FILE.replace("<status>HTTP/1.1 200 OK</status>", ""),
            "<href>/x</href><status>HTTP/1.1 200 OK</status>",
        ):
            with self.subTest(inside), self.assertRaises(DriverError):
                told(response(inside))
        with self.assertRaises(Unauthorized):
            told(response("<href>/x</href><status>HTTP/1.1 403 Forbidden</status>"))

    def test_what_is_no_plain_multistatus_is_refused(self):
        for wrong in (
            "<html>maintenance</html>",
            "text",
            '<!DOCTYPE a [<!ENTITY x "y">]><multistatus/>',
            "<multistatus><response><href>&x;</href></response></multistatus>",
            f"<multistatus>{'<a>' * 17}{'</a>' * 17}</multistatus>",
            response(f"<href>{'x' * (2 << 20)}</href>"),
        ):
            with self.subTest(wrong[:60]), self.assertRaises(Failed):
                told(wrong, 65536)

    def test_a_long_listing_is_read_within_its_rations(self):
        document = f"<multistatus>{f'<response>{_FILE}</response>' * 20_000}</multistatus>"
        self.assertEqual(len(told(document, 65536)), 20_000)


class NamesTest(unittest.TestCase):
    def test_names_are_one_encoded_segment_each(self):
        for root in ("http://h:8080/dav", "http://h:8080/dav/"):
            dav = Dav(Url.parse(root), None)
            self.assertEqual(dav.root().path, "/dav/")
            self.assertEqual(dav.container("a b").path, "/dav/a%20b/")
            self.assertEqual(dav.object(ObjectAddress("c", "é%2F#?;")).path, "/dav/c/%C3%A9%252F%23%3F%3B")
        self.assertEqual(Dav(Url.parse("http://h"), None).root().path, "/")

    def test_what_is_told_is_placed_by_its_decoded_path(self):
        for collection, path, rest in (
            ("/dav/c/", "/dav/c/", ""),
            ("/dav/c/", "/dav/c", ""),
            ("/dav/c/", "/dav/c/x%20%c3%a9", "x é"),
            ("/dav/%63/", "/dav/c/d/", "d"),
            ("/dav/c/", "/dav/c/d/e", "d/e"),
            ("/dav/c/", "/dav/cc", None),
            ("/dav/c/", "/other/c/x", None),
            ("/dav/c/", "/dav/c/%ff", None),
            ("/", "/x", "x"),
            ("/", "/", ""),
        ):
            with self.subTest(path):
                self.assertEqual(below(collection, path), rest)

    def test_a_container_is_one_segment(self):
        for good in ("volumebackups", "a b", "é", "%2e%2e"):
            check_container(good)
        for wrong in ("", ".", "..", "a/b", "/a", "a/", ".cofferdam-x", "a\nb", "x" * 256):
            with self.subTest(wrong), self.assertRaises(Unsupported):
                check_container(wrong)


class ConfigTest(unittest.TestCase):
    def test_a_wrong_setting_is_named(self):
        url = {"webdav_url": "http://h/dav"}
        password = {"webdav_password": "webdav_password"}
        self.assertEqual(Config.from_settings(Settings(url)).container, "volumebackups")
        for settings, option in (
            ({}, "webdav_url"),
            ({"webdav_url": "h"}, "webdav_url"),
            ({"webdav_url": "http://h/?x"}, "webdav_url"),
            (url | {"webdav_container": ""}, "webdav_container"),
            (url | {"webdav_container": "a/b"}, "webdav_container"),
            (url | {"webdav_user": "u"}, "webdav_password"),
            (url | password, "webdav_user"),
            (url | password | {"webdav_user": "u:v"}, "webdav_user"),
            (url | password | {"webdav_user": "u" * 1024}, "webdav_user"),
            (url | {"webdav_sha_block_size_bytes": 28672}, "webdav_sha_block_size_bytes"),
        ):
            with self.subTest(settings=settings), self.assertRaises(InvalidConfiguration) as raised:
                Config.from_settings(Settings(settings))
            self.assertEqual(raised.exception.option, option)


if __name__ == "__main__":
    unittest.main()
