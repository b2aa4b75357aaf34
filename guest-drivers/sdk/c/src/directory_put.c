/* Writing an object so that it is there whole or not at all, and stays after a power cut.
 *
 * Written under a hidden name, synced, renamed, folder synced. The hidden name is the same for every attempt and the file behind it
 * always new: a put that was killed leaves one file that the next attempt removes, and a put that hangs in the kernel and comes back
 * later writes into a file that has no name any more. That the name still belongs to this put is checked before the rename.
 *
 * A sync that failed is never tried again (the kernel may have dropped the pages and would then say yes): the put fails. If that
 * happens to the folder, after the rename, what was there before is put back: a replaced object is kept by a second link until its
 * successor is safe. On a file system without hard links that last step is impossible.
 *
 * Cost: about twelve calls into the host per object, whatever its size, and two syncs.
 */
#include "directory.h"

#define CODE(name) WASI_FILESYSTEM_TYPES_ERROR_CODE_##name

/* What stood under the name before a put. */
typedef enum before { NOTHING, KEPT, REPLACED } before;

static bool same_file(descriptor file, descriptor parent, const char *name, bool *same, code *why) {
    wasi_filesystem_types_metadata_hash_value_t ours, there;
    guest_string_t path = cofferdam_lend(name);
    *same = false;
    if (!wasi_filesystem_types_method_descriptor_metadata_hash(at(file), &ours, why)) return false;
    if (!wasi_filesystem_types_method_descriptor_metadata_hash_at(at(parent), 0, &path, &there, why)) return *why == CODE(NO_ENTRY);
    *same = ours.lower == there.lower && ours.upper == there.upper;
    return true;
}

static cofferdam_error *fill_file(descriptor file, descriptor parent, const char *part, const char *object, cofferdam_fill fill,
                                  void *context) {
    wasi_io_streams_own_output_stream_t sink;
    code why;
    uint64_t written = 0;
    stat_of stat;
    bool same;
    if (!wasi_filesystem_types_method_descriptor_write_via_stream(at(file), 0, &sink, &why))
        return cofferdam_file_error(why, "write %s", object);
    cofferdam_error *error = fill(context, cofferdam_lend_output(sink), &written);
    wasi_io_streams_output_stream_drop_own(sink);
    if (error) return error;
    if (!wasi_filesystem_types_method_descriptor_stat(at(file), &stat, &why))
        return cofferdam_file_error(why, "look at %s after writing", object);
    if (stat.size != written)
        return cofferdam_failed("%s: %llu bytes were written, the file has %llu", object, (unsigned long long)written,
                                (unsigned long long)stat.size);
    if (!wasi_filesystem_types_method_descriptor_sync(at(file), &why)) return cofferdam_file_error(why, "sync %s", object);
    if (!same_file(file, parent, part, &same, &why)) return cofferdam_file_error(why, "identify %s", object);
    return same ? COFFERDAM_OK : cofferdam_failed("another put or delete of %s came in between", object);
}

/* Writes and syncs the hidden file, and makes sure that it is whole and still the one under its name. */
static cofferdam_error *write_part(descriptor parent, const char *part, const char *object, cofferdam_fill fill, void *context) {
    descriptor file;
    code why;
    guest_string_t path = cofferdam_lend(part);
    if (!wasi_filesystem_types_method_descriptor_open_at(
            at(parent), 0, &path, WASI_FILESYSTEM_TYPES_OPEN_FLAGS_CREATE | WASI_FILESYSTEM_TYPES_OPEN_FLAGS_EXCLUSIVE,
            WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_WRITE, &file, &why))
        return cofferdam_file_error(why, "make a file for %s", object);
    cofferdam_error *error = fill_file(file, parent, part, object, fill, context);
    shut(file);
    return error;
}

static bool rename_in(descriptor parent, const char *from, const char *to, code *why) {
    guest_string_t old = cofferdam_lend(from), new = cofferdam_lend(to);
    return wasi_filesystem_types_method_descriptor_rename_at(at(parent), &old, at(parent), &new, why);
}

static before keep(descriptor parent, const char *name, const char *kept) {
    code why;
    guest_string_t old = cofferdam_lend(name), new = cofferdam_lend(kept);
    if (cofferdam_remove(parent, kept, &why) &&
        wasi_filesystem_types_method_descriptor_link_at(at(parent), 0, &old, at(parent), &new, &why))
        return KEPT;
    return REPLACED;
}

static bool put_back(descriptor parent, const char *name, before was, const char *kept, code *why) {
    guest_string_t path = cofferdam_lend(name);
    switch (was) {
    case NOTHING: return wasi_filesystem_types_method_descriptor_unlink_file_at(at(parent), &path, why);
    case KEPT: return rename_in(parent, kept, name, why);
    default: *why = CODE(UNSUPPORTED); return false;
    }
}

/* Gives the whole and synced file its name, for good. */
static cofferdam_error *publish(descriptor parent, const char *part, const char *folder, const char *name) {
    const char *object = cofferdam_object_shown(folder, name), *kept = cofferdam_kept_name(name);
    stat_of stat;
    code why, again;
    before was = NOTHING;
    if (cofferdam_stat_at(parent, name, &stat, &why)) {
        if (stat.type == WASI_FILESYSTEM_TYPES_DESCRIPTOR_TYPE_DIRECTORY)
            return cofferdam_already_exists("a folder stands in the place of %s", object);
        was = keep(parent, name, kept);
    } else if (why != CODE(NO_ENTRY)) {
        return cofferdam_file_error(why, "look at %s", object);
    }
    cofferdam_error *error = NULL;
    if (!rename_in(parent, part, name, &why)) {
        error = cofferdam_file_error(why, "rename the finished file to %s", object);
    } else if (!wasi_filesystem_types_method_descriptor_sync(at(parent), &why)) {
        error = cofferdam_file_error(why, "sync the folder %s", folder);
        if (!put_back(parent, name, was, kept, &again))
            cofferdam_complain("%s could not be put back: %s", object, cofferdam_code_name(again));
    }
    if (was == KEPT && !cofferdam_remove(parent, kept, &again))
        cofferdam_warn("the replaced object's file %s stays in %s: %s", kept, folder, cofferdam_code_name(again));
    return error;
}

cofferdam_error *cofferdam_write_at(descriptor parent, const char *folder, const char *name, cofferdam_fill fill, void *context) {
    const char *part = cofferdam_part_name(name), *object = cofferdam_object_shown(folder, name);
    code why;
    if (!cofferdam_remove(parent, part, &why)) return cofferdam_file_error(why, "clear away an unfinished put of %s", object);
    cofferdam_error *error = write_part(parent, part, object, fill, context);
    if (!error) error = publish(parent, part, folder, name);
    if (error && !cofferdam_remove(parent, part, &why))
        cofferdam_warn("the unfinished file %s stays in %s: %s", part, folder, cofferdam_code_name(why));
    return error;
}

cofferdam_error *cofferdam_directory_write(const cofferdam_directory *directory, const cofferdam_address *where, cofferdam_fill fill,
                                           void *context) {
    descriptor parent;
    COFFERDAM_TRY(cofferdam_check_object(where->name));
    COFFERDAM_TRY(cofferdam_open_folder(directory, where->container, &parent));
    cofferdam_error *error = cofferdam_write_at(parent, where->container, where->name, fill, context);
    shut(parent);
    return error;
}

typedef struct body_of_put { cofferdam_input body; const cofferdam_body *info; } body_of_put;

static cofferdam_error *fill_from_body(void *context, cofferdam_output sink, uint64_t *written) {
    const body_of_put *put = context;
    return cofferdam_store(put->body, sink, put->info, written);
}

cofferdam_error *cofferdam_directory_put(const cofferdam_directory *directory, const cofferdam_address *where, cofferdam_input body,
                                         const cofferdam_body *info) {
    body_of_put put = {body, info};
    return cofferdam_directory_write(directory, where, fill_from_body, &put);
}
