#include "../src/internal.h"
#include "check.h"

static const cofferdam_setting values[] = {
    {.name = "token", .kind = COFFERDAM_VALUE_TEXT, .text = "secret"},
    {.name = "empty", .kind = COFFERDAM_VALUE_TEXT, .text = ""},
    {.name = "size", .kind = COFFERDAM_VALUE_INTEGER, .integer = 4096},
    {.name = "negative", .kind = COFFERDAM_VALUE_INTEGER, .integer = -1},
    {.name = "flag", .kind = COFFERDAM_VALUE_BOOLEAN, .boolean = true},
};
static const cofferdam_settings settings = {values, sizeof values / sizeof *values};

static void what_is_there_is_found_and_what_is_absent_stays_the_default(void) {
    const char *text;
    uint64_t size = 7, millis = 7;
    int64_t integer = 7;
    bool flag = false;
    CHECK(!cofferdam_get_text(&settings, "token", &text) && strcmp(text, "secret") == 0);
    CHECK(!cofferdam_get_text(&settings, "absent", &text) && !text);
    CHECK(!cofferdam_get_size(&settings, "size", &size) && size == 4096);
    CHECK(!cofferdam_get_duration(&settings, "size", &millis) && millis == 4096);
    CHECK(!cofferdam_get_boolean(&settings, "flag", &flag) && flag);
    CHECK(!cofferdam_get_integer(&settings, "absent", &integer) && integer == 7);
    CHECK(!cofferdam_get_integer(&settings, "negative", &integer) && integer == -1);
}

static void an_error_names_the_option_and_never_the_value(void) {
    const char *text;
    uint64_t size;
    int64_t integer;
    cofferdam_error *error = cofferdam_get_integer(&settings, "token", &integer);
    SAME("token", error->option);
    SAME("expected a whole number, found a text", error->text);
    SAME("expected a number of bytes, found -1", cofferdam_get_size(&settings, "negative", &size)->text);
    SAME("the text is empty", cofferdam_require_text(&settings, "empty", &text)->text);
    SAME("the option is required and absent", cofferdam_require_text(&settings, "gone", &text)->text);
}

static void a_url_that_is_none_is_refused_without_being_shown(void) {
    const cofferdam_url *url;
    cofferdam_error *error = cofferdam_require_url(&settings, "token", &url);
    SAME("token", error->option);
    CHECK(!strstr(error->text, "secret"));
    CHECK(!cofferdam_get_url(&settings, "absent", &url) && !url);
}

static void a_secret_is_known_by_its_options_name(void) {
    const char *secret;
    CHECK(!cofferdam_require_secret(&settings, "token", &secret));
    SAME("token", secret);
    CHECK(!cofferdam_get_secret(&settings, "absent", &secret) && !secret);
    CHECK(cofferdam_require_secret(&settings, "absent", &secret));
}

static void an_object_is_a_positive_multiple_of_the_block(void) {
    const struct { int64_t object, block; bool good; } all[] = {{32768 * 3, 32768, true}, {0, 32768, false}, {32769, 32768, false},
                                                                {100, 0, false}, {INT64_C(1) << 40, INT64_C(1) << 32, false}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        cofferdam_setting two[] = {{.name = "o", .kind = COFFERDAM_VALUE_INTEGER, .integer = all[i].object},
                                   {.name = "b", .kind = COFFERDAM_VALUE_INTEGER, .integer = all[i].block}};
        cofferdam_settings both = {two, 2};
        cofferdam_portions portions = {COFFERDAM_DEFAULT_OBJECT_SIZE, COFFERDAM_DEFAULT_BLOCK_SIZE};
        CHECK(!cofferdam_get_portions(&both, "o", "b", &portions) == all[i].good);
    }
}

static void who_sets_only_the_block_is_told_so(void) {
    cofferdam_setting one[] = {{.name = "b", .kind = COFFERDAM_VALUE_INTEGER, .integer = 3}};
    cofferdam_settings only = {one, 1};
    cofferdam_portions portions = {UINT64_C(128) << 20, 32768};
    SAME("b", cofferdam_get_portions(&only, "o", "b", &portions)->option);
}

static void a_backups_folder_is_named_after_it(void) {
    const char *const wrong[] = {"", "abc", "é", "abc\xc3\xa9"};
    const char *folder;
    cofferdam_backup backup = {"abcdef00-1", "v", "t", "z"};
    CHECK(!cofferdam_backup_folder(&backup, &folder));
    SAME("ab/cd/abcdef00-1", folder);
    SAME("volume_v_t_backup_abcdef00-1", cofferdam_backup_prefix(&backup));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        backup.backup_id = wrong[i];
        CHECK(cofferdam_backup_folder(&backup, &folder));
    }
}

void test_settings(void) {
    what_is_there_is_found_and_what_is_absent_stays_the_default();
    an_error_names_the_option_and_never_the_value();
    a_url_that_is_none_is_refused_without_being_shown();
    a_secret_is_known_by_its_options_name();
    an_object_is_a_positive_multiple_of_the_block();
    who_sets_only_the_block_is_told_so();
    a_backups_folder_is_named_after_it();
}
