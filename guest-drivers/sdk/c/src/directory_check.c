/* Proof that the directory is usable: a folder and an object are made, read back, compared and deleted, each in the way of a real one,
 * so that whatever would stop a backup stops the canary.
 *
 * Nothing stays behind, on failure neither. Only a check that is killed in the middle leaves its folder; the next check removes such
 * folders once they are an hour old, so that they do not pile up while a storage hangs for days.
 */
#include "directory.h"

#include <stdlib.h>
#include <string.h>

#define CODE(name) WASI_FILESYSTEM_TYPES_ERROR_CODE_##name
#define FOLDER ".cofferdam-canary-"
#define OBJECT "canary"

enum { ABANDONED_AFTER_SECONDS = 3600 };

static cofferdam_error *write_text(void *context, cofferdam_output sink, uint64_t *written) {
    const char *text = context;
    guest_list_u8_t bytes = {(uint8_t *)(uintptr_t)text, strlen(text)};
    wasi_io_streams_stream_error_t error;
    code why;
    *written = bytes.len;
    wasi_io_streams_borrow_output_stream_t to = {sink.handle};
    if (wasi_io_streams_method_output_stream_blocking_write_and_flush(to, &bytes, &error)) return COFFERDAM_OK;
    if (error.tag == WASI_IO_STREAMS_STREAM_ERROR_LAST_OPERATION_FAILED &&
        wasi_filesystem_types_filesystem_error_code(wasi_io_error_borrow_error(error.val.last_operation_failed), &why)) {
        wasi_io_error_error_drop_own(error.val.last_operation_failed);
        return cofferdam_file_error(why, "write the canary");
    }
    return cofferdam_failed("cannot write the canary: %s", cofferdam_stream_reason(&error));
}

static cofferdam_error *compare(descriptor file, const char *text, const char *path) {
    guest_tuple2_list_u8_bool_t found;
    code why;
    if (!wasi_filesystem_types_method_descriptor_read(at(file), 4096, 0, &found, &why))
        return cofferdam_file_error(why, "read the canary back in %s", path);
    bool same = found.f0.len == strlen(text) && memcmp(found.f0.ptr, text, found.f0.len) == 0;
    guest_list_u8_free(&found.f0);
    return same ? COFFERDAM_OK
                : cofferdam_corrupted("the canary in %s was read back with other bytes than were written", path);
}

static cofferdam_error *fly(const cofferdam_directory *directory, const char *folder) {
    char *text = cofferdam_text("cofferdam canary %016llx\n", (unsigned long long)cofferdam_random());
    descriptor parent, file;
    COFFERDAM_TRY(cofferdam_make_folders(directory, folder));
    COFFERDAM_TRY(cofferdam_open_own_folder(directory, folder, &parent));
    cofferdam_error *error = cofferdam_write_at(parent, folder, OBJECT, write_text, text);
    if (!error) error = cofferdam_open_object(parent, folder, OBJECT, &file);
    shut(parent);
    if (error) return error;
    error = compare(file, text, directory->path);
    shut(file);
    return error;
}

/* Removes a canary's folder and all that a check may have left in it. */
static bool clear(descriptor root, const char *folder, code *why) {
    const char *const files[] = {OBJECT, cofferdam_part_name(OBJECT), cofferdam_kept_name(OBJECT)};
    for (size_t i = 0; i < 3; i++)
        if (!cofferdam_remove(root, cofferdam_text("%s/%s", folder, files[i]), why)) return false;
    guest_string_t path = cofferdam_lend(folder);
    if (!wasi_filesystem_types_method_descriptor_remove_directory_at(at(root), &path, why)) return *why == CODE(NO_ENTRY);
    return wasi_filesystem_types_method_descriptor_sync(at(root), why);
}

static bool is_abandoned(descriptor root, const char *name, uint64_t now) {
    stat_of stat;
    code why;
    if (!cofferdam_stat_at(root, name, &stat, &why) || !stat.data_modification_timestamp.is_some) return false;
    uint64_t changed = stat.data_modification_timestamp.val.seconds;
    return now > changed && now - changed > ABANDONED_AFTER_SECONDS;
}

/* Removes what killed checks left. Whatever goes wrong here says nothing about the storage, so it is passed over. */
static void sweep(descriptor root) {
    entries stream;
    code why;
    bool failed;
    wasi_filesystem_types_descriptor_type_t type;
    uint64_t now = cofferdam_now();
    if (!wasi_filesystem_types_method_descriptor_read_directory(at(root), &stream, &why)) return;
    for (char *name; (name = cofferdam_next_entry(stream, &type, &failed, &why)); free(name)) {
        if (type != WASI_FILESYSTEM_TYPES_DESCRIPTOR_TYPE_DIRECTORY || strncmp(name, FOLDER, strlen(FOLDER)) != 0) continue;
        if (!is_abandoned(root, name, now)) continue;
        if (clear(root, name, &why)) cofferdam_log("removed the abandoned canary %s", name);
        else cofferdam_warn("the abandoned canary %s stays: %s", name, cofferdam_code_name(why));
    }
    wasi_filesystem_types_directory_entry_stream_drop_own(stream);
}

cofferdam_error *cofferdam_directory_check(const cofferdam_directory *directory) {
    descriptor root;
    code why;
    COFFERDAM_TRY(cofferdam_open_root(directory, &root));
    sweep(root);
    const char *folder = cofferdam_text(FOLDER "%016llx", (unsigned long long)cofferdam_random());
    cofferdam_error *error = fly(directory, folder);
    /* The first failure is the cause; a second is only its echo. */
    if (!clear(root, folder, &why) && !error) error = cofferdam_file_error(why, "delete the canary in %s", directory->path);
    shut(root);
    return error;
}
