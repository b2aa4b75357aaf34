#include "../src/internal.h"
#include "check.h"

static const char *repeated(const char *text, size_t times) {
    char *all = cofferdam_alloc(strlen(text) * times + 1);
    for (size_t i = 0; i < times; i++) strcat(all, text);
    return all;
}

static void cinders_own_names_are_accepted(void) {
    CHECK(!cofferdam_check_folder("ab/cd/abcd0000-1111-2222-3333-444455556666"));
    CHECK(!cofferdam_check_folder("nightly"));
    CHECK(!cofferdam_check_object("volume_1_20240102030405_backup_2-00001"));
    CHECK(!cofferdam_check_object(".hidden"));
    CHECK(!cofferdam_check_object("déjà vu"));
    CHECK(!cofferdam_check_object(repeated("x", 255)));
}

static void names_that_leave_the_root_are_refused(void) {
    const char *const wrong[] = {"", "/", "/etc", ".", "..", "../x", "a/..", "a/../b", "a/./b", "a//b", "a/", "a\nb", "\xc2\x85",
                                 "\xff", "\xed\xa0\x80", "\xc0\xaf"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cofferdam_error *folder = cofferdam_check_folder(wrong[i]), *object = cofferdam_check_object(wrong[i]);
        CHECK(folder && folder->kind == COFFERDAM_UNSUPPORTED && object && object->kind == COFFERDAM_UNSUPPORTED);
    }
    CHECK(cofferdam_check_object("a/b"));
}

static void names_that_are_too_long_are_refused(void) {
    CHECK(cofferdam_check_object(repeated("x", 256)));
    const char *x = repeated("x", 255), *path = cofferdam_text("%s/%s/%s/%s", x, x, x, x);
    CHECK(!cofferdam_check_folder(path));
    CHECK(cofferdam_check_folder(cofferdam_text("%s/x", path)));
}

static void an_object_may_not_be_called_like_an_unfinished_one(void) {
    SAME(".data-00001.cofferdam-part", cofferdam_part_name("data-00001"));
    SAME(".data-00001.cofferdam-kept", cofferdam_kept_name("data-00001"));
    CHECK(cofferdam_check_object(cofferdam_part_name("data-00001")));
    CHECK(cofferdam_check_object(cofferdam_kept_name("data-00001")));
    CHECK(!cofferdam_check_object("data.cofferdam-part"));
    CHECK(cofferdam_check_folder(".cofferdam-canary-0"));
}

static void the_part_name_of_the_longest_name_fits_and_is_its_own(void) {
    const char *x = repeated("x", 254), *one = cofferdam_text("%s1", x), *other = cofferdam_text("%s2", x);
    CHECK(strlen(cofferdam_part_name(one)) <= COFFERDAM_LONGEST_COMPONENT);
    CHECK(cofferdam_is_reserved(cofferdam_part_name(one)));
    CHECK(strcmp(cofferdam_part_name(one), cofferdam_part_name(other)) != 0);
    /* A name that leaves no room has its FNV-1a of 64 bits, as in the Rust SDK. */
    SAME(".3b5ad17216035bad.cofferdam-part", cofferdam_part_name(repeated("x", 250)));
}

static void what_others_wrote_is_shown_safely(void) {
    SAME("Access Denied", cofferdam_shown(" Access\r\n\a"
                                          "Denied\t "));
    CHECK(strlen(cofferdam_shown(repeated("é", 5000))) == 403);
    SAME("", cofferdam_shown("\x1b"));
    SAME("a?b", cofferdam_shown("a\xff"
                                "b"));
    const char *text = cofferdam_check_object(repeated("\n", 5000))->text;
    CHECK(strlen(text) < 600 && !strchr(text, '\n'));
    SAME("\"a\\\"\\\\\\n\\u{7}é\"", cofferdam_quoted("a\"\\\n\aé"));
    char odd[] = "a\xff\xc3"
                 "é";
    cofferdam_make_utf8(odd);
    SAME("a??é", odd);
}

static void a_full_disk_and_a_used_up_quota_are_recognised(void) {
    CHECK(cofferdam_is_full("No space left on device (os error 28)"));
    CHECK(cofferdam_is_full("Disk quota exceeded (os error 122)"));
    CHECK(!cofferdam_is_full("Input/output error (os error 5)"));
}

static void what_is_handed_out_is_let_go_of_together(void) {
    cofferdam_current_arena = &cofferdam_setup_arena;
    cofferdam_error *error = cofferdam_throttled(NULL, "%s", "later");
    cofferdam_current_arena = &cofferdam_call_arena;
    char *kept = cofferdam_keep_text("%d", 7);
    cofferdam_alloc(1000);
    cofferdam_arena_free(&cofferdam_call_arena);
    SAME("later", error->text);
    SAME("7", kept);
    CHECK(!error->says_pause && error->kind == COFFERDAM_THROTTLED);
    cofferdam_arena_free(&cofferdam_setup_arena);
}

void test_names(void) {
    cinders_own_names_are_accepted();
    names_that_leave_the_root_are_refused();
    names_that_are_too_long_are_refused();
    an_object_may_not_be_called_like_an_unfinished_one();
    the_part_name_of_the_longest_name_fits_and_is_its_own();
    what_others_wrote_is_shown_safely();
    a_full_disk_and_a_used_up_quota_are_recognised();
    what_is_handed_out_is_let_go_of_together();
}
