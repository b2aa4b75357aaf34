/* The exports, called as a host calls them, on this machine: the generated code is the same, its imports are stood in for here.
 *
 * Arguments are allocated to the byte and results are given back by the generated post-return, so the address sanitizer finds what is
 * read past its end, freed twice or never; borrowed streams are counted, because the host ends an instance that keeps one.
 */
#include "../../src/internal.h"
#include "../check.h"

#include <stdlib.h>

int passed, failed;

/* ---- What the host would offer ---- */

static int inputs_dropped, outputs_dropped;

void __wasm_import_wasi_io_streams_input_stream_drop(int32_t handle) { inputs_dropped += handle == 7; }
void __wasm_import_wasi_io_streams_output_stream_drop(int32_t handle) { outputs_dropped += handle == 9; }

/* ---- A driver that does as it is told ---- */

static enum { SUCCEED, FAIL, THROTTLE, INVALID, ODD_TEXT, WITHOUT_TEXT } order;

static cofferdam_error *obey(void) {
    uint32_t pause = 1500;
    cofferdam_text("left behind: %d", order);
    switch (order) {
    case FAIL: return cofferdam_unavailable("%s", "no");
    case THROTTLE: return cofferdam_throttled(&pause, "later");
    case INVALID: return cofferdam_invalid_configuration("x", "wrong");
    case ODD_TEXT: return cofferdam_failed("\xff\xfe");
    case WITHOUT_TEXT: return cofferdam_failed("%s", "");
    default: return COFFERDAM_OK;
    }
}

static const cofferdam_info *describe(void) {
    static const cofferdam_option options[] = {{"a", COFFERDAM_OPTION_TEXT, true, NULL, "one"}, {"b", COFFERDAM_OPTION_SIZE, false, "7", ""}};
    static const cofferdam_info info = {"name", "1", "", "what", options, 2, COFFERDAM_NEEDS_SIZE, 5, true};
    return &info;
}

static int released;

static void release(void *memory) { released += *(int *)memory; }

static cofferdam_error *do_setup(const cofferdam_settings *settings, void **self) {
    const char *text;
    int *held = cofferdam_alloc_held(sizeof *held, release);
    *held = 1;
    COFFERDAM_TRY(cofferdam_require_text(settings, "a", &text));
    *self = (void *)(uintptr_t)text;
    return obey();
}

static cofferdam_error *simple(void *self) {
    CHECK(self && strcmp(self, "value") == 0);
    return obey();
}

static cofferdam_error *place_backup(void *self, const cofferdam_backup *backup, const char *container, cofferdam_placement *placement) {
    (void)self;
    *placement = (cofferdam_placement){container ? container : "", backup->backup_id, 8, 4};
    return obey();
}

static cofferdam_error *create_container(void *self, const char *container) {
    (void)self;
    SAME("box", container);
    return obey();
}

static cofferdam_error *put_object(void *self, const cofferdam_address *at, cofferdam_input body, const cofferdam_body *info) {
    (void)self;
    SAME("box", at->container);
    SAME("thing", at->name);
    CHECK(body.handle == 7 && info->has_size && info->size == 3 && strcmp(info->md5, "digest") == 0 && !info->sha256);
    return obey();
}

static cofferdam_error *get_object(void *self, const cofferdam_address *at, const cofferdam_range *range, cofferdam_output sink,
                                   uint64_t *written) {
    (void)self;
    SAME("thing", at->name);
    CHECK(sink.handle == 9 && range->offset == 1 && range->has_length && range->length == 2);
    *written = 2;
    return obey();
}

static cofferdam_error *stat_object(void *self, const cofferdam_address *at, uint64_t *size) {
    (void)self;
    SAME("thing", at->name);
    *size = 5;
    return obey();
}

static cofferdam_error *list_objects(void *self, const char *container, const char *prefix, const char *after, uint32_t limit,
                                     cofferdam_page *page) {
    (void)self;
    static const cofferdam_object objects[] = {{"", 0}, {"one", 1}, {"two", 2}}, odd[] = {{"one", 1}, {"\xff", 1}};
    CHECK(limit == 10 && strcmp(container, "box") == 0 && strcmp(prefix, "p") == 0 && strcmp(after, "a") == 0);
    *page = order == ODD_TEXT ? (cofferdam_page){odd, 2, false} : (cofferdam_page){objects, 3, true};
    return order == ODD_TEXT ? COFFERDAM_OK : obey();
}

static cofferdam_error *list_containers(void *self, const char *after, uint32_t limit, cofferdam_containers *page) {
    (void)self;
    (void)limit;
    static const char *const names[] = {"one", "two"};
    CHECK(!after);
    *page = (cofferdam_containers){names, order == WITHOUT_TEXT ? 0 : 2, false};
    return obey();
}

/* Without delete_object: this driver has none. */
const cofferdam_driver cofferdam_this_driver = {
    .describe = describe, .do_setup = do_setup, .check_for_setup_error = simple, .probe = simple, .place_backup = place_backup,
    .create_container = create_container, .put_object = put_object, .get_object = get_object, .stat_object = stat_object,
    .list_objects = list_objects, .list_containers = list_containers,
};

/* ---- Calls ---- */

#define BACKUP(name) __wasm_export_exports_cofferdam_backup_backup_driver_##name
#define STORE(name) __wasm_export_exports_cofferdam_backup_object_store_##name
#define TEXT uint8_t *, size_t

uint8_t *BACKUP(describe)(void), *BACKUP(do_setup)(TEXT), *BACKUP(check_for_setup_error)(void), *BACKUP(probe)(void);
uint8_t *BACKUP(place_backup)(TEXT, TEXT, TEXT, TEXT, int32_t, TEXT);
uint8_t *STORE(create_container)(TEXT), *STORE(stat_object)(TEXT, TEXT), *STORE(delete_object)(TEXT, TEXT);
uint8_t *STORE(put_object)(TEXT, TEXT, int32_t, int32_t, int64_t, int32_t, TEXT, int32_t, TEXT, int32_t, int32_t);
uint8_t *STORE(get_object)(TEXT, TEXT, int32_t, int64_t, int32_t, int64_t, int32_t);
uint8_t *STORE(list_objects)(TEXT, TEXT, int32_t, TEXT, int32_t), *STORE(list_containers)(int32_t, TEXT, int32_t);
void BACKUP(describe_post_return)(uint8_t *), BACKUP(do_setup_post_return)(uint8_t *), BACKUP(check_for_setup_error_post_return)(uint8_t *);
void BACKUP(probe_post_return)(uint8_t *), BACKUP(place_backup_post_return)(uint8_t *), STORE(create_container_post_return)(uint8_t *);
void STORE(stat_object_post_return)(uint8_t *), STORE(delete_object_post_return)(uint8_t *), STORE(put_object_post_return)(uint8_t *);
void STORE(get_object_post_return)(uint8_t *), STORE(list_objects_post_return)(uint8_t *), STORE(list_containers_post_return)(uint8_t *);

/* A text as the host allocates it: no NUL behind it, and not a byte too many. */
static uint8_t *owned(const char *text, size_t length) { return length ? memcpy(malloc(length), text, length) : NULL; }

#define OWN(text) owned(text, sizeof(text) - 1), sizeof(text) - 1

/* Calls, gives the result back, and says whether it was a success. */
#define OK(call, after)             \
    ({                              \
        uint8_t *area = (call);     \
        bool ok = area[0] == 0;     \
        after(area);                \
        ok;                         \
    })

/* A setting: name, and a value that is a text. In memory as the generated code takes it over. */
static bool set_up(const char *value, size_t length) {
    struct { uint8_t *name; size_t name_length; uint8_t tag; union { int64_t integer; struct { uint8_t *text; size_t length; } text; } value; }
        *setting = malloc(sizeof *setting);
    memset(setting, 0, sizeof *setting);
    setting->name = owned("a", 1);
    setting->name_length = 1;
    setting->value.text.text = owned(value, length);
    setting->value.text.length = length;
    return OK(BACKUP(do_setup)((uint8_t *)setting, 1), BACKUP(do_setup_post_return));
}

static bool put_one(const char *name, size_t length) {
    return OK(STORE(put_object)(OWN("box"), owned(name, length), length, 7, 1, 3, 1, OWN("digest"), 0, NULL, 0, 0, 0),
              STORE(put_object_post_return));
}

static bool get_one(void) {
    return OK(STORE(get_object)(OWN("box"), OWN("thing"), 1, 1, 1, 2, 9), STORE(get_object_post_return));
}

static bool list_all(int32_t limit) {
    return OK(STORE(list_objects)(OWN("box"), OWN("p"), 1, OWN("a"), limit), STORE(list_objects_post_return));
}

static bool list_boxes(void) { return OK(STORE(list_containers)(0, NULL, 0, 10), STORE(list_containers_post_return)); }

static void before_a_setup_every_call_is_refused_and_keeps_nothing(void) {
    CHECK(!OK(BACKUP(probe)(), BACKUP(probe_post_return)));
    CHECK(!put_one("thing", 5) && !get_one() && !list_all(10));
    CHECK(inputs_dropped == 1 && outputs_dropped == 1);
}

static void each_call_gives_back_all_that_it_took(void) {
    for (order = SUCCEED; order <= WITHOUT_TEXT; order++) {
        bool good = order == SUCCEED;
        inputs_dropped = outputs_dropped = 0;
        CHECK(OK(BACKUP(probe)(), BACKUP(probe_post_return)) == good);
        CHECK(OK(BACKUP(check_for_setup_error)(), BACKUP(check_for_setup_error_post_return)) == good);
        CHECK(OK(BACKUP(place_backup)(OWN("id"), OWN("volume"), OWN("time"), OWN("zone"), 1, OWN("box")), BACKUP(place_backup_post_return)) ==
              good);
        CHECK(OK(BACKUP(place_backup)(OWN("id"), OWN(""), OWN(""), OWN(""), 0, NULL, 0), BACKUP(place_backup_post_return)) == good);
        CHECK(OK(STORE(create_container)(OWN("box")), STORE(create_container_post_return)) == good);
        CHECK(put_one("thing", 5) == good && inputs_dropped == 1);
        CHECK(get_one() == good && outputs_dropped == 1);
        CHECK(OK(STORE(stat_object)(OWN("box"), OWN("thing")), STORE(stat_object_post_return)) == good);
        CHECK(!OK(STORE(delete_object)(OWN("box"), OWN("thing")), STORE(delete_object_post_return)));
        CHECK(list_all(10) == good);
        CHECK(list_boxes() == good);
    }
    order = SUCCEED;
}

static void what_no_driver_should_see_is_refused_before_it(void) {
    inputs_dropped = 0;
    CHECK(!put_one("thi\0ng", 6) && inputs_dropped == 1);
    CHECK(!list_all(0) && !list_all(1001));
    CHECK(!OK(STORE(stat_object)(OWN("box\0"), OWN("thing")), STORE(stat_object_post_return)));
}

static void a_new_setup_forgets_the_old_one_even_when_it_fails(void) {
    CHECK(released == 0);
    CHECK(set_up("value", 5) && released == 1);
    CHECK(!set_up("", 0) && released == 3);
    CHECK(!OK(BACKUP(probe)(), BACKUP(probe_post_return)));
    CHECK(!set_up("va\0ue", 5));
    order = INVALID;
    CHECK(!set_up("value", 5));
    order = SUCCEED;
    CHECK(set_up("value", 5) && OK(BACKUP(probe)(), BACKUP(probe_post_return)));
}

int main(void) {
    BACKUP(describe_post_return)(BACKUP(describe)());
    before_a_setup_every_call_is_refused_and_keeps_nothing();
    CHECK(set_up("value", 5));
    each_call_gives_back_all_that_it_took();
    what_no_driver_should_see_is_refused_before_it();
    a_new_setup_forgets_the_old_one_even_when_it_fails();
    cofferdam_arena_free(&cofferdam_setup_arena);
    CHECK(!cofferdam_call_arena.blocks);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
