/* Tests of the pure rules, on this machine: `make test`. */
#include "../src/placement.h"

#include <stdio.h>
#include <string.h>

static int passed, failed;

#define CHECK(what)                                                  \
    do {                                                             \
        if (what) passed++;                                          \
        else failed++, printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
    } while (0)

static const cofferdam_backup backup = {"abcdef00-aaaa-bbbb-cccc-000000000001", "11111111-2222-3333-4444-555555555555",
                                        "20240102030405", "nova"};
static const cofferdam_portions portions = {65536, 4096};

static void a_backup_without_a_container_goes_into_one_named_after_it(void) {
    cofferdam_placement placed;
    CHECK(place(&backup, NULL, &portions, &placed) == COFFERDAM_OK);
    CHECK(strcmp(placed.container, "ab/cd/abcdef00-aaaa-bbbb-cccc-000000000001") == 0);
    CHECK(strcmp(placed.prefix, "volume_11111111-2222-3333-4444-555555555555_20240102030405_backup_"
                                "abcdef00-aaaa-bbbb-cccc-000000000001") == 0);
    CHECK(placed.object_size == 65536 && placed.block_size == 4096);
}

static void a_given_container_is_taken_as_it_is_or_refused(void) {
    cofferdam_placement placed;
    CHECK(place(&backup, "nightly/mon", &portions, &placed) == COFFERDAM_OK && strcmp(placed.container, "nightly/mon") == 0);
    const char *const wrong[] = {"", "..", "../x", "/etc", "a//b"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cofferdam_error *error = place(&backup, wrong[i], &portions, &placed);
        CHECK(error && error->kind == COFFERDAM_UNSUPPORTED);
    }
}

static void an_object_is_a_positive_multiple_of_the_block(void) {
    cofferdam_setting values[] = {{.name = FILE_SIZE_OPTION, .kind = COFFERDAM_VALUE_INTEGER, .integer = 65536},
                                  {.name = BLOCK_SIZE_OPTION, .kind = COFFERDAM_VALUE_INTEGER, .integer = 4096}};
    cofferdam_settings settings = {values, 2}, none = {NULL, 0};
    cofferdam_portions read;
    CHECK(read_portions(&settings, &read) == COFFERDAM_OK && read.object_size == 65536 && read.block_size == 4096);
    CHECK(read_portions(&none, &read) == COFFERDAM_OK && read.object_size == COFFERDAM_DEFAULT_OBJECT_SIZE);
    values[0].integer = 65537;
    cofferdam_error *error = read_portions(&settings, &read);
    CHECK(error && error->kind == COFFERDAM_INVALID_CONFIGURATION && strcmp(error->option, FILE_SIZE_OPTION) == 0);
}

int main(void) {
    a_backup_without_a_container_goes_into_one_named_after_it();
    a_given_container_is_taken_as_it_is_or_refused();
    an_object_is_a_positive_multiple_of_the_block();
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
