/* A granted directory: found among the preopens, opened, folders made, objects read, looked at and deleted. See directory.h. */
#include "directory.h"

#include <stdlib.h>
#include <string.h>

#define CODE(name) WASI_FILESYSTEM_TYPES_ERROR_CODE_##name
#define FOLLOW WASI_FILESYSTEM_TYPES_PATH_FLAGS_SYMLINK_FOLLOW
#define FOLDER_RIGHTS (WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_READ | WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_MUTATE_DIRECTORY)
#define PLAIN WASI_FILESYSTEM_TYPES_DESCRIPTOR_TYPE_REGULAR_FILE

static void release_preopen(void *memory) {
    descriptor *held = memory;
    if (held->__handle >= 0) shut(*held);
}

cofferdam_error *cofferdam_require_directory(const cofferdam_settings *settings, const char *name, cofferdam_directory **directory) {
    const char *path, *below = NULL;
    COFFERDAM_TRY(cofferdam_require_text(settings, name, &path));
    wasi_filesystem_preopens_list_tuple2_own_descriptor_string_t preopens;
    wasi_filesystem_preopens_get_directories(&preopens);
    const char **granted = cofferdam_alloc(preopens.len * sizeof *granted);
    for (size_t i = 0; i < preopens.len; i++) granted[i] = cofferdam_text_of(preopens.ptr[i].f1.ptr, preopens.ptr[i].f1.len);
    size_t index = SIZE_MAX;
    const char *fault = cofferdam_grant_find(granted, preopens.len, path, &index, &below);
    descriptor found = {-1};
    for (size_t i = 0; i < preopens.len; i++) {
        if (!fault && i == index) found = preopens.ptr[i].f0;
        else shut(preopens.ptr[i].f0);
        guest_string_free(&preopens.ptr[i].f1);
    }
    if (preopens.len) free(preopens.ptr);
    if (fault) return cofferdam_invalid_configuration(name, "%s", fault);
    /* The handle comes first in the structure, so that it is what is released. */
    cofferdam_directory *made = cofferdam_alloc_held(sizeof *made, release_preopen);
    *made = (cofferdam_directory){found, below, path};
    *directory = made;
    return COFFERDAM_OK;
}

const char *cofferdam_object_shown(const char *folder, const char *name) {
    return cofferdam_text("the object %s of the container %s", name, folder);
}

cofferdam_error *cofferdam_not_an_object(const char *folder, const char *name) {
    return cofferdam_not_found("%s is not a plain file, and so no object", cofferdam_object_shown(folder, name));
}

static bool open_folder_at(descriptor parent, const char *folder, descriptor *opened, code *why) {
    guest_string_t path = cofferdam_lend(folder);
    return wasi_filesystem_types_method_descriptor_open_at(at(parent), FOLLOW, &path, WASI_FILESYSTEM_TYPES_OPEN_FLAGS_DIRECTORY,
                                                           FOLDER_RIGHTS, opened, why);
}

/* A root that is gone is `unavailable`, never `not-found`: it may come back. */
cofferdam_error *cofferdam_open_root(const cofferdam_directory *directory, descriptor *root) {
    code why;
    stat_of stat;
    if (open_folder_at(directory->preopen, directory->below, root, &why)) {
        if (wasi_filesystem_types_method_descriptor_stat(at(*root), &stat, &why)) {
            if (stat.link_count) return COFFERDAM_OK;
            shut(*root);
            return cofferdam_unavailable("the directory %s was deleted", directory->path);
        }
        shut(*root);
    }
    if (why == CODE(NO_ENTRY)) return cofferdam_unavailable("the directory %s is missing", directory->path);
    if (why == CODE(NOT_DIRECTORY)) return cofferdam_unavailable("%s is not a directory", directory->path);
    return cofferdam_file_error(why, "open the directory %s", directory->path);
}

cofferdam_error *cofferdam_open_own_folder(const cofferdam_directory *directory, const char *folder, descriptor *opened) {
    descriptor root;
    code why;
    COFFERDAM_TRY(cofferdam_open_root(directory, &root));
    bool done = open_folder_at(root, folder, opened, &why);
    shut(root);
    if (done) return COFFERDAM_OK;
    if (why == CODE(NO_ENTRY)) return cofferdam_not_found("there is no container %s", folder);
    return cofferdam_file_error(why, "open the container %s", folder);
}

cofferdam_error *cofferdam_open_folder(const cofferdam_directory *directory, const char *folder, descriptor *opened) {
    COFFERDAM_TRY(cofferdam_check_folder(folder));
    return cofferdam_open_own_folder(directory, folder, opened);
}

cofferdam_error *cofferdam_directory_probe(const cofferdam_directory *directory) {
    descriptor root;
    COFFERDAM_TRY(cofferdam_open_root(directory, &root));
    shut(root);
    return COFFERDAM_OK;
}

static bool open_or_make(descriptor parent, const char *component, descriptor *child, code *why) {
    if (open_folder_at(parent, component, child, why)) return true;
    if (*why != CODE(NO_ENTRY)) return false;
    guest_string_t path = cofferdam_lend(component);
    if (!wasi_filesystem_types_method_descriptor_create_directory_at(at(parent), &path, why) && *why != CODE(EXIST)) return false;
    return open_folder_at(parent, component, child, why);
}

/* Parents are synced even of folders that are there, since who made them may have been cut off. */
cofferdam_error *cofferdam_make_folders(const cofferdam_directory *directory, const char *folder) {
    descriptor parent, child;
    cofferdam_error *error = cofferdam_open_root(directory, &parent);
    for (const char *rest = folder; !error && *rest;) {
        size_t length = strcspn(rest, "/");
        const char *component = cofferdam_text_of(rest, length);
        code why;
        if (!open_or_make(parent, component, &child, &why)) {
            error = cofferdam_file_error(why, "make the folder %s of %s", component, folder);
        } else if (!wasi_filesystem_types_method_descriptor_sync(at(parent), &why)) {
            shut(child);
            error = cofferdam_file_error(why, "sync the parent of the folder %s of %s", component, folder);
        }
        shut(parent);
        if (error) return error;
        parent = child;
        rest += length + (rest[length] == '/');
    }
    if (!error) shut(parent);
    return error;
}

cofferdam_error *cofferdam_directory_create(const cofferdam_directory *directory, const char *folder) {
    COFFERDAM_TRY(cofferdam_check_folder(folder));
    return cofferdam_make_folders(directory, folder);
}

bool cofferdam_stat_at(descriptor parent, const char *name, stat_of *stat, code *why) {
    guest_string_t path = cofferdam_lend(name);
    return wasi_filesystem_types_method_descriptor_stat_at(at(parent), 0, &path, stat, why);
}

bool cofferdam_remove(descriptor parent, const char *name, code *why) {
    guest_string_t path = cofferdam_lend(name);
    return wasi_filesystem_types_method_descriptor_unlink_file_at(at(parent), &path, why) || *why == CODE(NO_ENTRY);
}

cofferdam_error *cofferdam_directory_stat(const cofferdam_directory *directory, const cofferdam_address *where, uint64_t *size) {
    descriptor parent;
    stat_of stat;
    code why;
    COFFERDAM_TRY(cofferdam_check_object(where->name));
    COFFERDAM_TRY(cofferdam_open_folder(directory, where->container, &parent));
    bool done = cofferdam_stat_at(parent, where->name, &stat, &why);
    shut(parent);
    if (!done) return cofferdam_file_error(why, "look at %s", cofferdam_object_shown(where->container, where->name));
    if (stat.type != PLAIN) return cofferdam_not_an_object(where->container, where->name);
    *size = stat.size;
    return COFFERDAM_OK;
}

/* Looked at first, because opening a named pipe would wait for its writer. */
cofferdam_error *cofferdam_open_object(descriptor parent, const char *folder, const char *name, descriptor *opened) {
    stat_of stat;
    code why;
    guest_string_t path = cofferdam_lend(name);
    if (!cofferdam_stat_at(parent, name, &stat, &why))
        return cofferdam_file_error(why, "look at %s", cofferdam_object_shown(folder, name));
    if (stat.type != PLAIN) return cofferdam_not_an_object(folder, name);
    if (!wasi_filesystem_types_method_descriptor_open_at(at(parent), 0, &path, 0, WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_READ, opened,
                                                         &why))
        return cofferdam_file_error(why, "open %s", cofferdam_object_shown(folder, name));
    return COFFERDAM_OK;
}

static cofferdam_error *send_file(descriptor file, const cofferdam_address *where, const cofferdam_range *range, cofferdam_output sink,
                                  uint64_t *written) {
    stat_of stat;
    code why;
    uint64_t offset, length;
    wasi_io_streams_own_input_stream_t source;
    if (!wasi_filesystem_types_method_descriptor_stat(at(file), &stat, &why))
        return cofferdam_file_error(why, "look at %s", cofferdam_object_shown(where->container, where->name));
    cofferdam_range_cut(range, stat.size, &offset, &length);
    *written = 0;
    if (!length) return COFFERDAM_OK;
    if (!wasi_filesystem_types_method_descriptor_read_via_stream(at(file), offset, &source, &why))
        return cofferdam_file_error(why, "read %s", cofferdam_object_shown(where->container, where->name));
    cofferdam_error *error = cofferdam_fetch(cofferdam_lend_input(source), sink, length, written);
    wasi_io_streams_input_stream_drop_own(source);
    return error;
}

cofferdam_error *cofferdam_directory_get(const cofferdam_directory *directory, const cofferdam_address *where,
                                         const cofferdam_range *range, cofferdam_output sink, uint64_t *written) {
    descriptor parent, file;
    COFFERDAM_TRY(cofferdam_check_object(where->name));
    COFFERDAM_TRY(cofferdam_open_folder(directory, where->container, &parent));
    cofferdam_error *error = cofferdam_open_object(parent, where->container, where->name, &file);
    shut(parent);
    if (error) return error;
    error = send_file(file, where, range, sink, written);
    shut(file);
    return error;
}

/* What stands under one of the names and is no plain file is no object and stays. */
static cofferdam_error *delete_file(descriptor parent, const char *folder, const char *file) {
    stat_of stat;
    code why;
    if (!cofferdam_stat_at(parent, file, &stat, &why))
        return why == CODE(NO_ENTRY) ? COFFERDAM_OK
                                     : cofferdam_file_error(why, "look at %s", cofferdam_object_shown(folder, file));
    if (stat.type != PLAIN || cofferdam_remove(parent, file, &why)) return COFFERDAM_OK;
    return cofferdam_file_error(why, "delete %s", cofferdam_object_shown(folder, file));
}

cofferdam_error *cofferdam_directory_delete(const cofferdam_directory *directory, const cofferdam_address *where) {
    descriptor parent;
    code why;
    COFFERDAM_TRY(cofferdam_check_object(where->name));
    cofferdam_error *error = cofferdam_open_folder(directory, where->container, &parent);
    if (error) return error->kind == COFFERDAM_NOT_FOUND ? COFFERDAM_OK : error;
    const char *const files[] = {where->name, cofferdam_part_name(where->name), cofferdam_kept_name(where->name)};
    for (size_t i = 0; !error && i < 3; i++) error = delete_file(parent, where->container, files[i]);
    /* Also when nothing was there: an earlier delete may have been cut off before this. */
    if (!error && !wasi_filesystem_types_method_descriptor_sync(at(parent), &why))
        error = cofferdam_file_error(why, "sync the folder %s", where->container);
    shut(parent);
    return error;
}
