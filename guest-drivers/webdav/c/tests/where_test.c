#include "../src/dav.h"
#include "check.h"

static dav at(const char *url) {
    const char *reason;
    return (dav){.root = cofferdam_url_parse(url, &reason)};
}

static void names_become_encoded_segments_below_the_root(void) {
    const char *const roots[] = {"http://h:8080/dav", "http://h:8080/dav/"};
    for (size_t i = 0; i < 2; i++) {
        dav server = at(roots[i]);
        SAME("/dav/", dav_root(&server)->path);
        SAME("/dav/a%20b/", dav_container(&server, "a b")->path);
        SAME("/dav/c/%C3%A9%252F%23%3F%3B", dav_object(&server, "c", "é%2F#?;")->path);
    }
    dav server = at("http://h");
    SAME("/", dav_root(&server)->path);
}

static void what_is_told_is_placed_by_its_decoded_path(void) {
    const struct { const char *collection, *path, *rest; } all[] = {
        {"/dav/c/", "/dav/c/", ""},   {"/dav/c/", "/dav/c", ""},     {"/dav/c/", "/dav/c/x%20%c3%a9", "x é"}, {"/dav/c/", "/dav/c/d/", "d"},
        {"/dav/c/", "/dav/c/d/e", "d/e"}, {"/dav/c/", "/dav/cc", NULL}, {"/dav/c/", "/other/c/x", NULL},
        {"/dav/c/", "/dav/c/%ff", NULL}, {"/dav/c/", "/dav/c/%0", NULL}, {"/", "/x", "x"}, {"/", "/", ""}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *found = dav_below(all[i].collection, cofferdam_text("%s", all[i].path));
        if (all[i].rest) SAME(all[i].rest, found);
        else CHECK(!found);
    }
}

static void a_container_is_one_segment(void) {
    const char *const good[] = {"volumebackups", "a b", "é", "%2e%2e"}, *const wrong[] = {"", ".", "..", "a/b", "/a", "a/", ".cofferdam-x", "a\nb"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) CHECK(!dav_check_container(good[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cofferdam_error *error = dav_check_container(wrong[i]);
        CHECK(error && error->kind == COFFERDAM_UNSUPPORTED);
    }
}

void test_where(void) {
    names_become_encoded_segments_below_the_root();
    what_is_told_is_placed_by_its_decoded_path();
    a_container_is_one_segment();
}
