"""The SDK's rules that need no host. The rest is the conformance kit's, against a driver that is built with it."""

import unittest

from cofferdam_driver import ByteRange, Picker, Settings, errors, names
from cofferdam_driver.directory import failure, grant
from cofferdam_driver.directory.get import cut
from cofferdam_driver.http import Headers, Url, UrlError, dates, percent, percent_decode, ranges, shown, status


def headers(**fields: str) -> Headers:
    return Headers([(name.replace("_", "-"), value.encode()) for name, value in fields.items()])


class NamesTest(unittest.TestCase):
    def test_cinders_own_names_are_accepted(self):
        names.check_folder("ab/cd/abcd0000-1111-2222-3333-444455556666")
        for name in ("volume_1_20240102030405_backup_2-00001", ".hidden", "déjà vu", "x" * 255, "data.cofferdam-part"):
            names.check_object(name)

    def test_names_that_leave_the_root_or_are_kept_are_refused(self):
        for path in ("", "/", "/etc", ".", "..", "../x", "a/..", "a/../b", "a/./b", "a//b", "a/", "a\0b", "a\nb", "\x85"):
            for check in (names.check_folder, names.check_object):
                with self.subTest(path), self.assertRaises(errors.Unsupported):
                    check(path)
        for name in ("a/b", "x" * 256, "é" * 128, names.part("a"), names.kept("a")):
            with self.subTest(name), self.assertRaises(errors.Unsupported):
                names.check_object(name)
        with self.assertRaises(errors.Unsupported):
            names.check_folder(".cofferdam-canary-0")

    def test_hidden_names_are_those_of_the_other_languages(self):
        self.assertEqual(names.part("data-00001"), ".data-00001.cofferdam-part")
        self.assertEqual(names.part("x" * 254 + "1"), ".dff61f324c9966e4.cofferdam-part")
        self.assertNotEqual(names.part("x" * 254 + "1"), names.part("x" * 254 + "2"))


class SettingsTest(unittest.TestCase):
    SETTINGS = Settings({"token": "secret", "empty": "", "size": 4096, "negative": -1, "flag": True})

    def test_what_is_there_is_found_and_what_is_absent_is_none(self):
        self.assertEqual(self.SETTINGS.size("size"), 4096)
        self.assertIs(self.SETTINGS.boolean("flag"), True)
        self.assertIsNone(self.SETTINGS.integer("absent"))
        self.assertEqual(self.SETTINGS.required_secret("token").name, "token")

    def test_an_error_names_the_option_and_never_the_value(self):
        for call, option in (
            (self.SETTINGS.integer, "token"),
            (self.SETTINGS.integer, "flag"),
            (self.SETTINGS.size, "negative"),
            (self.SETTINGS.required_text, "empty"),
            (self.SETTINGS.required_text, "gone"),
            (self.SETTINGS.required_url, "token"),
        ):
            with self.subTest(option), self.assertRaises(errors.InvalidConfiguration) as raised:
                call(option)
            self.assertEqual(raised.exception.option, option)
            self.assertNotIn("secret", str(raised.exception))
        self.assertNotIn("secret", repr(self.SETTINGS))


class DirectoryTest(unittest.TestCase):
    def test_the_nearest_grant_is_taken_and_no_other_path_is_covered(self):
        self.assertEqual(grant.find(["/srv/backup/"], "/srv//backup/./"), (0, "."))
        self.assertEqual(grant.find(["/srv", "/srv/backup", "/"], "/srv/backup/a/b"), (1, "a/b"))
        for path in ("/srv/backup2", "/srv", "/srv/backup/../other", "srv/backup", ""):
            with self.subTest(path), self.assertRaises(ValueError):
                grant.find(["/srv/backup"], path)

    def test_a_range_is_cut_at_the_objects_end(self):
        for range, found in (
            (None, (0, 10)),
            (ByteRange(4, 3), (4, 3)),
            (ByteRange(4), (4, 6)),
            (ByteRange(4, 100), (4, 6)),
            (ByteRange(11, 1), (11, 0)),
            (ByteRange(0, 0), (0, 0)),
        ):
            self.assertEqual(cut(range, 10), found)

    def test_the_code_decides_the_error(self):
        class Code:
            name = "INSUFFICIENT_SPACE"

        self.assertIsInstance(failure.error(Code, "do it"), errors.OutOfSpace)
        Code.name = "PIPE"
        self.assertEqual(failure.error(Code, "do it").text, "cannot do it: pipe")

    def test_pages_follow_one_another_without_gap_or_repetition(self):
        def pick(after: str | None, limit: int):
            picker = Picker("b", after, limit)
            for name in ("b-3", "a", "b-1", "b", "c", "b-2", "b-10"):
                picker.take(name, None)
            taken, more = picker.finish()
            return [name for name, _ in taken], more

        self.assertEqual(pick(None, 2), (["b", "b-1"], True))
        self.assertEqual(pick("b-1", 2), (["b-10", "b-2"], True))
        self.assertEqual(pick("b-2", 2), (["b-3"], False))


class HttpTest(unittest.TestCase):
    def test_an_address_is_taken_apart(self):
        url = Url.parse("HTTPS://S3.Example.org:9000/base/?a=b")
        self.assertEqual((url.authority, url.path_and_query), ("s3.example.org:9000", "/base/?a=b"))
        self.assertEqual(Url.parse("http://[::1]:80").authority, "[::1]")
        self.assertEqual(url.join("/k").path_and_query, "/base/k")

    def test_what_is_no_plain_address_is_refused_without_being_shown(self):
        for wrong in (
            "", "host", "ftp://h", "http://", "http:///p", "http://u:secret@h/", "http://h:0/", "http://h:65536/",
            "http://h:+1/", "http://h:/", "http://h h/", "http://h/#f", "http://h\n/", "http://[::g]/", "http://a..b/",
            "http://é/",
        ):  # fmt: skip
            with self.subTest(wrong), self.assertRaises(UrlError) as raised:
                Url.parse(wrong)
            self.assertNotIn("secret", str(raised.exception))

    def test_only_unreserved_characters_stay_as_they_are(self):
        self.assertEqual(percent("aZ09-._~ /+%é"), "aZ09-._~%20%2F%2B%25%C3%A9")
        for text in ("a b", "ü/+%", "", "100%"):
            self.assertEqual(percent_decode(percent(text)), text)
        self.assertIsNone(percent_decode("%ff"))
        self.assertEqual(shown(" Access\r\n\x07Denied\t "), "Access Denied")

    def test_only_the_range_that_was_asked_is_believed(self):
        self.assertEqual(ranges.header(ByteRange(5, 5)), "bytes=5-9")
        self.assertEqual(ranges.header(ByteRange((1 << 64) - 1, 9)), "bytes=18446744073709551615-")
        whole = headers(content_length="5", content_range="bytes 5-9/100")
        self.assertEqual(ranges.length(206, whole, ByteRange(5, 5)), 5)
        self.assertEqual(ranges.length(416, headers(), ByteRange(10)), 0)
        self.assertEqual(ranges.length(200, headers(content_length="7"), ByteRange(0, 5)), 5)
        for code, length, told in (
            (200, "100", ""),
            (206, "5", ""),
            (206, "5", "bytes 4-8/100"),
            (206, "4", "bytes 5-8/100"),
            (206, "9", "bytes 5-9/100"),
            (206, "5", "bytes 9-5/100"),
            (206, "5", "bytes 5-9/9"),
            (204, "0", ""),
        ):
            with self.subTest(told), self.assertRaises(ValueError):
                ranges.length(code, headers(content_length=length, content_range=told), ByteRange(5, 5))

    def test_each_status_has_its_error(self):
        for code, kind in (
            (401, errors.Unauthorized),
            (404, errors.NotFound),
            (507, errors.OutOfSpace),
            (429, errors.Throttled),
            (503, errors.Unavailable),
            (400, errors.Failed),
            (301, errors.Failed),
        ):
            self.assertIs(type(status.error(code, Headers(), "put it")), kind)
        self.assertIsInstance(status.error(503, headers(retry_after="1"), "put it"), errors.Throttled)

    def test_a_pause_is_read_in_both_forms_and_capped(self):
        for asked, pause in (
            ("7", 7000),
            ("Sun, 06 Nov 1994 08:49:47 GMT", 10_000),
            ("Sunday, 06-Nov-94 08:49:47 GMT", 10_000),
            ("Sun Nov  6 08:49:47 1994", 10_000),
            ("9" * 30, 3_600_000),
            ("-1", None),
            ("soon", None),
        ):
            self.assertEqual(status.retry_after(headers(retry_after=asked), lambda: 784_111_777), pause)
        self.assertIsNone(dates.parse("Sun, 06 Foo 1994 08:49:47 GMT"))


if __name__ == "__main__":
    unittest.main()
