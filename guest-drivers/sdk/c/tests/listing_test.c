#include "../src/internal.h"
#include "check.h"

#include <stdlib.h>

static const char *pick(const char *prefix, const char *after, uint32_t limit, bool *more) {
    static const char *const all[] = {"b-3", "a", "b-1", "b", "c", "b-2", "b-10"};
    cofferdam_picker *picker = cofferdam_picker_new(prefix, after, limit);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) cofferdam_picker_take(picker, all[i], i);
    cofferdam_page page;
    cofferdam_picker_page(picker, &page);
    const char *found = "";
    for (size_t i = 0; i < page.count; i++) found = cofferdam_text("%s%s ", found, page.objects[i].name);
    *more = page.more;
    return found;
}

static void pages_follow_one_another_without_gap_or_repetition(void) {
    bool more;
    SAME("b b-1 ", pick("b", NULL, 2, &more));
    CHECK(more);
    SAME("b-10 b-2 ", pick("b", "b-1", 2, &more));
    CHECK(more);
    SAME("b-3 ", pick("b", "b-2", 2, &more));
    CHECK(!more);
    SAME("a b b-1 b-10 b-2 b-3 c ", pick("", NULL, 7, &more));
    CHECK(!more);
    SAME("", pick("x", NULL, 1, &more));
}

/* Against a plain sort, with names and page sizes by chance. */
static void pages_of_any_size_give_every_name_once_and_in_order(void) {
    srand(7);
    for (int round = 0; round < 200; round++) {
        char names[200][8];
        size_t count = (size_t)(rand() % 200), seen = 0;
        for (size_t i = 0; i < count; i++) snprintf(names[i], sizeof names[i], "%zu", (i * 7919 + 13) % 1000003);
        const char *after = NULL;
        cofferdam_page page;
        do {
            cofferdam_picker *picker = cofferdam_picker_new("", after, (uint32_t)(1 + rand() % 50));
            for (size_t i = 0; i < count; i++) cofferdam_picker_take(picker, names[i], i);
            cofferdam_picker_page(picker, &page);
            for (size_t i = 0; i < page.count; i++, seen++) {
                CHECK(!after || strcmp(after, page.objects[i].name) < 0);
                after = page.objects[i].name;
            }
        } while (page.more);
        CHECK(seen == count);
    }
}

static const char *granted(const char *path, size_t *index) {
    static const char *const all[] = {"/srv", "/srv/backup/", "/other"};
    const char *below = NULL;
    return cofferdam_grant_find(all, 3, path, index, &below) ? NULL : below;
}

static void the_nearest_grant_covers_a_path(void) {
    size_t index;
    SAME(".", granted("/srv//backup/./", &index));
    CHECK(index == 1);
    SAME("a/b", granted("/srv/backup/a/b", &index));
    SAME("backup2", granted("/srv/backup2", &index));
    CHECK(index == 0);
    CHECK(!granted("/elsewhere", &index) && !granted("/srv/../other", &index) && !granted("srv", &index) && !granted("", &index));
    const char *const root[] = {"/"}, *below;
    CHECK(!cofferdam_grant_find(root, 1, "/srv", &index, &below) && strcmp(below, "srv") == 0);
}

static void a_range_is_cut_at_the_objects_end(void) {
    const struct { uint64_t offset; bool has; uint64_t length, expected; } all[] = {
        {4, true, 3, 3}, {4, false, 0, 6}, {4, true, 100, 6}, {10, true, 1, 0}, {11, true, 1, 0}, {0, true, 0, 0},
        {UINT64_MAX, true, UINT64_MAX, 0}, {1, true, UINT64_MAX, 9}};
    uint64_t offset, length;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        cofferdam_range range = {all[i].offset, all[i].has, all[i].length};
        cofferdam_range_cut(&range, 10, &offset, &length);
        CHECK(offset == all[i].offset && length == all[i].expected);
    }
    cofferdam_range_cut(NULL, 10, &offset, &length);
    CHECK(offset == 0 && length == 10);
}

void test_listing(void) {
    pages_follow_one_another_without_gap_or_repetition();
    pages_of_any_size_give_every_name_once_and_in_order();
    the_nearest_grant_covers_a_path();
    a_range_is_cut_at_the_objects_end();
}
