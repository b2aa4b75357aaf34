/* Tests of the SDK's pure rules: `make test`. The vectors of formats are those of the Rust SDK's tests. */
#include "../src/internal.h"
#include "check.h"

int passed, failed;

void test_names(void);
void test_settings(void);
void test_listing(void);
void test_http(void);

int main(void) {
    test_names();
    test_settings();
    test_listing();
    test_http();
    /* What is left then is a leak, which the sanitizer tells. */
    cofferdam_arena_free(&cofferdam_call_arena);
    cofferdam_arena_free(&cofferdam_setup_arena);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
