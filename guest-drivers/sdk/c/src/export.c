/* From the component's exports to the table of functions.
 *
 * Each export takes its arguments over into the call's memory, gives the host's allocations back, calls the table, copies what came
 * out into memory that the generated code frees, drops a borrowed stream and then lets go of all that the call was handed. There is
 * one way out of each, so none of it is forgotten. What no driver should have to think of is refused here: a call before do-setup,
 * a function that the driver has not, a limit outside the contract, a name with a NUL in it.
 */
#include "wasi.h"

#include <inttypes.h>
#include <string.h>

typedef cofferdam_backup_types_error_t host_error;

static void *driver_self;
static bool is_set_up;

/* The generated bindings want an object file that holds the contract's type to be linked; here the type is put into the module
 * afterwards, by `cofferdam driver componentize`. */
void __component_type_object_force_link_guest(void);
void __component_type_object_force_link_guest(void) {}

/* ---- Out: copies that the generated code frees ---- */

static guest_string_t out_bytes(const char *text, size_t length) {
    if (!length) return (guest_string_t){NULL, 0};
    guest_string_t copy = {cofferdam_malloc(length), length};
    memcpy(copy.ptr, text, length);
    return copy;
}

/* A text for people: what is not UTF-8 in it is replaced, since the host would end the instance. */
static guest_string_t out(const char *text) {
    char *copy = cofferdam_text("%s", text ? text : "");
    cofferdam_make_utf8(copy);
    return out_bytes(copy, strlen(copy));
}

static void out_error(const cofferdam_error *error, host_error *to) {
    to->tag = (uint8_t)error->kind;
    switch (error->kind) {
    case COFFERDAM_INVALID_CONFIGURATION:
        to->val.invalid_configuration.option_name = out(error->option);
        to->val.invalid_configuration.reason = out(error->text);
        break;
    case COFFERDAM_THROTTLED:
        to->val.throttled.retry_after = (guest_option_u32_t){error->says_pause, error->pause_millis};
        to->val.throttled.reason = out(error->text);
        break;
    default: to->val.failed = out(error->text); /* all others are one text in the same place */
    }
}

/* ---- In: copies that live as long as the call ---- */

/* A name or the like. With a NUL in it, it would be another name to C, so the call is refused. */
static const char *in(const guest_string_t *text, cofferdam_error **fault) {
    if (text->len && memchr(text->ptr, 0, text->len) && !*fault)
        *fault = cofferdam_unsupported("the name %s is refused: it holds a control character",
                                       cofferdam_quoted(cofferdam_text_of(text->ptr, text->len)));
    return cofferdam_text_of(text->ptr, text->len);
}

static const char *in_option(const guest_string_t *text, cofferdam_error **fault) { return text ? in(text, fault) : NULL; }

static cofferdam_error *before(bool there, const char *function) {
    if (!is_set_up) return cofferdam_failed("%s was called before a do-setup that succeeded", function);
    return there ? COFFERDAM_OK : cofferdam_unsupported("this driver has no %s", function);
}

static cofferdam_error *check_limit(const char *function, uint32_t limit) {
    if (limit >= 1 && limit <= 1000) return COFFERDAM_OK;
    return cofferdam_unsupported("%s: the limit is %" PRIu32 ", not 1 to 1000", function, limit);
}

/* Ends a call: true is success. */
static bool finish(const cofferdam_error *error, host_error *to) {
    if (error) out_error(error, to);
    cofferdam_arena_free(&cofferdam_call_arena);
    return !error;
}

/* The first fault that was found, or the call. */
#define CALL(error, function, name, ...)                                         \
    do {                                                                         \
        cofferdam_error *early = before(cofferdam_this_driver.function, name);   \
        if (early) (error) = early;                                              \
        else if (!(error)) (error) = cofferdam_this_driver.function(__VA_ARGS__); \
    } while (0)

/* ---- backup-driver ---- */

void exports_cofferdam_backup_backup_driver_describe(cofferdam_backup_types_driver_info_t *ret) {
    const cofferdam_info *info = cofferdam_this_driver.describe();
    memset(ret, 0, sizeof *ret);
    ret->name = out(info->name);
    ret->version = out(info->version);
    ret->vendor = out(info->vendor);
    ret->description = out(info->description);
    ret->needs = (cofferdam_backup_types_body_needs_t)info->needs;
    ret->greatest_object = (guest_option_u64_t){info->greatest_object != 0, info->greatest_object};
    ret->wants_http = info->wants_http;
    ret->options.len = info->option_count;
    if (info->option_count) ret->options.ptr = cofferdam_malloc(info->option_count * sizeof *ret->options.ptr);
    for (size_t i = 0; i < info->option_count; i++) {
        const cofferdam_option *option = &info->options[i];
        cofferdam_backup_types_option_info_t *to = &ret->options.ptr[i];
        to->name = out(option->name);
        to->kind = (cofferdam_backup_types_option_kind_t)option->kind;
        to->required = option->required;
        to->default_ = (guest_option_string_t){option->default_text != NULL, out(option->default_text)};
        to->description = out(option->description);
    }
    cofferdam_arena_free(&cofferdam_call_arena);
}

static cofferdam_error *in_settings(const exports_cofferdam_backup_backup_driver_list_setting_t *list, cofferdam_settings *settings) {
    cofferdam_setting *values = cofferdam_alloc(list->len * sizeof *values);
    *settings = (cofferdam_settings){values, list->len};
    for (size_t i = 0; i < list->len; i++) {
        const cofferdam_backup_types_setting_t *from = &list->ptr[i];
        cofferdam_error *fault = NULL;
        values[i].name = in(&from->name, &fault);
        values[i].kind = (cofferdam_value_kind)from->value.tag;
        switch (values[i].kind) {
        case COFFERDAM_VALUE_TEXT: values[i].text = in(&from->value.val.text, &fault); break;
        case COFFERDAM_VALUE_INTEGER: values[i].integer = from->value.val.integer; break;
        case COFFERDAM_VALUE_BOOLEAN: values[i].boolean = from->value.val.boolean; break;
        }
        /* Without the value: it may be a secret. */
        if (fault) return cofferdam_invalid_configuration(values[i].name, "the text holds a NUL character");
    }
    return COFFERDAM_OK;
}

bool exports_cofferdam_backup_backup_driver_do_setup(exports_cofferdam_backup_backup_driver_list_setting_t *list, host_error *err) {
    /* The old settings are gone even when the new ones are wrong. */
    is_set_up = false;
    driver_self = NULL;
    cofferdam_arena_free(&cofferdam_setup_arena);
    cofferdam_current_arena = &cofferdam_setup_arena;
    cofferdam_settings settings;
    cofferdam_error *error = in_settings(list, &settings);
    exports_cofferdam_backup_backup_driver_list_setting_free(list);
    if (!error) error = cofferdam_this_driver.do_setup(&settings, &driver_self);
    is_set_up = !error;
    bool done = finish(error, err);
    cofferdam_current_arena = &cofferdam_call_arena;
    if (!done) {
        driver_self = NULL;
        cofferdam_arena_free(&cofferdam_setup_arena);
    }
    return done;
}

bool exports_cofferdam_backup_backup_driver_check_for_setup_error(host_error *err) {
    cofferdam_error *error = NULL;
    CALL(error, check_for_setup_error, "check-for-setup-error", driver_self);
    return finish(error, err);
}

bool exports_cofferdam_backup_backup_driver_probe(host_error *err) {
    cofferdam_error *error = NULL;
    CALL(error, probe, "probe", driver_self);
    return finish(error, err);
}

bool exports_cofferdam_backup_backup_driver_place_backup(cofferdam_backup_types_backup_identity_t *backup,
                                                         guest_string_t *maybe_container,
                                                         cofferdam_backup_types_placement_t *ret, host_error *err) {
    cofferdam_error *error = NULL;
    cofferdam_backup identity = {in(&backup->backup_id, &error), in(&backup->volume_id, &error), in(&backup->timestamp, &error),
                                 in(&backup->availability_zone, &error)};
    const char *container = in_option(maybe_container, &error);
    cofferdam_backup_types_backup_identity_free(backup);
    if (maybe_container) guest_string_free(maybe_container);
    cofferdam_placement placement = {0};
    CALL(error, place_backup, "place-backup", driver_self, &identity, container, &placement);
    if (!error) {
        ret->container = out(placement.container);
        ret->prefix = out(placement.prefix);
        ret->object_size = placement.object_size;
        ret->block_size = placement.block_size;
    }
    return finish(error, err);
}

/* ---- object-store ---- */

static cofferdam_address in_address(cofferdam_backup_types_object_address_t *at, cofferdam_error **fault) {
    cofferdam_address address = {in(&at->container, fault), in(&at->name, fault)};
    cofferdam_backup_types_object_address_free(at);
    return address;
}

bool exports_cofferdam_backup_object_store_create_container(guest_string_t *container, host_error *err) {
    cofferdam_error *error = NULL;
    const char *name = in(container, &error);
    guest_string_free(container);
    CALL(error, create_container, "create-container", driver_self, name);
    return finish(error, err);
}

static const char *in_digest(const guest_option_string_t *digest, cofferdam_error **fault) {
    return digest->is_some ? in(&digest->val, fault) : NULL;
}

bool exports_cofferdam_backup_object_store_put_object(cofferdam_backup_types_object_address_t *at,
                                                      wasi_io_streams_borrow_input_stream_t body,
                                                      cofferdam_backup_types_body_info_t *info, host_error *err) {
    cofferdam_error *error = NULL;
    cofferdam_address address = in_address(at, &error);
    cofferdam_body known = {.has_size = info->size.is_some, .size = info->size.is_some ? info->size.val : 0,
                            .md5 = in_digest(&info->md5, &error), .sha256 = in_digest(&info->sha256, &error),
                            .has_crc32c = info->crc32c.is_some, .crc32c = info->crc32c.is_some ? info->crc32c.val : 0};
    cofferdam_backup_types_body_info_free(info);
    CALL(error, put_object, "put-object", driver_self, &address, (cofferdam_input){body.__handle}, &known);
    wasi_io_streams_input_stream_drop_borrow(body);
    return finish(error, err);
}

bool exports_cofferdam_backup_object_store_get_object(cofferdam_backup_types_object_address_t *at,
                                                      cofferdam_backup_types_byte_range_t *maybe_range,
                                                      wasi_io_streams_borrow_output_stream_t sink, uint64_t *ret, host_error *err) {
    cofferdam_error *error = NULL;
    cofferdam_address address = in_address(at, &error);
    cofferdam_range range = {0};
    if (maybe_range)
        range = (cofferdam_range){maybe_range->offset, maybe_range->length.is_some,
                                  maybe_range->length.is_some ? maybe_range->length.val : 0};
    *ret = 0;
    CALL(error, get_object, "get-object", driver_self, &address, maybe_range ? &range : NULL, (cofferdam_output){sink.__handle}, ret);
    wasi_io_streams_output_stream_drop_borrow(sink);
    return finish(error, err);
}

bool exports_cofferdam_backup_object_store_stat_object(cofferdam_backup_types_object_address_t *at,
                                                       cofferdam_backup_types_object_info_t *ret, host_error *err) {
    cofferdam_error *error = NULL;
    cofferdam_address address = in_address(at, &error);
    uint64_t size = 0;
    CALL(error, stat_object, "stat-object", driver_self, &address, &size);
    if (!error) {
        ret->name = out(address.name);
        ret->size = size;
    }
    return finish(error, err);
}

bool exports_cofferdam_backup_object_store_delete_object(cofferdam_backup_types_object_address_t *at, host_error *err) {
    cofferdam_error *error = NULL;
    cofferdam_address address = in_address(at, &error);
    CALL(error, delete_object, "delete-object", driver_self, &address);
    return finish(error, err);
}

/* A mended name would be another object's. */
static cofferdam_error *check_listed(const char *name) {
    if (cofferdam_is_utf8(name, strlen(name))) return COFFERDAM_OK;
    return cofferdam_failed("the listing holds the name %s, which is not UTF-8", cofferdam_quoted(name));
}

bool exports_cofferdam_backup_object_store_list_objects(guest_string_t *container, guest_string_t *prefix, guest_string_t *maybe_after,
                                                        uint32_t limit, cofferdam_backup_types_page_t *ret, host_error *err) {
    cofferdam_error *error = NULL;
    const char *where = in(container, &error), *start = in(prefix, &error), *after = in_option(maybe_after, &error);
    guest_string_free(container);
    guest_string_free(prefix);
    if (maybe_after) guest_string_free(maybe_after);
    if (!error) error = check_limit("list-objects", limit);
    cofferdam_page page = {0};
    CALL(error, list_objects, "list-objects", driver_self, where, start, after, limit, &page);
    for (size_t i = 0; !error && i < page.count; i++) error = check_listed(page.objects[i].name);
    if (!error) {
        ret->more = page.more;
        ret->objects.len = page.count;
        ret->objects.ptr = page.count ? cofferdam_malloc(page.count * sizeof *ret->objects.ptr) : NULL;
        for (size_t i = 0; i < page.count; i++) {
            const char *name = page.objects[i].name;
            ret->objects.ptr[i] = (cofferdam_backup_types_object_info_t){out_bytes(name, strlen(name)), page.objects[i].size};
        }
    }
    return finish(error, err);
}

bool exports_cofferdam_backup_object_store_list_containers(guest_string_t *maybe_after, uint32_t limit,
                                                           cofferdam_backup_types_container_page_t *ret, host_error *err) {
    cofferdam_error *error = NULL;
    const char *after = in_option(maybe_after, &error);
    if (maybe_after) guest_string_free(maybe_after);
    if (!error) error = check_limit("list-containers", limit);
    cofferdam_containers page = {0};
    CALL(error, list_containers, "list-containers", driver_self, after, limit, &page);
    for (size_t i = 0; !error && i < page.count; i++) error = check_listed(page.names[i]);
    if (!error) {
        ret->more = page.more;
        ret->containers.len = page.count;
        ret->containers.ptr = page.count ? cofferdam_malloc(page.count * sizeof *ret->containers.ptr) : NULL;
        for (size_t i = 0; i < page.count; i++) ret->containers.ptr[i] = out_bytes(page.names[i], strlen(page.names[i]));
    }
    return finish(error, err);
}
