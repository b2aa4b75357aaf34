/* Listing the objects of a folder, and the folders that hold objects: complete, or an error.
 *
 * An object is a plain file whose name is not one of the SDK's own; folders, links and the like are not. A name that is not UTF-8
 * cannot be told to the host, and to leave it out would be a short success, so it is an error. A file that vanishes while the folder
 * is read was deleted or renamed by someone else and is simply not there. Symbolic links are not followed, so that a walk ends.
 *
 * Bound: the names of one page, and one open folder per level. Cost: each page reads the whole folder, or walks all folders that may
 * hold names of it.
 */
#include "directory.h"

#include <stdlib.h>
#include <string.h>

#define CODE(name) WASI_FILESYSTEM_TYPES_ERROR_CODE_##name
#define PLAIN WASI_FILESYSTEM_TYPES_DESCRIPTOR_TYPE_REGULAR_FILE

/* Vanished files that one reading of a folder puts up with; a host whose listing never ends is found out so. */
enum { VANISHED = 10000 };

char *cofferdam_next_entry(entries stream, wasi_filesystem_types_descriptor_type_t *type, bool *failed, code *why) {
    wasi_filesystem_types_option_directory_entry_t entry;
    wasi_filesystem_types_borrow_directory_entry_stream_t lent = wasi_filesystem_types_borrow_directory_entry_stream(stream);
    *failed = false;
    for (int vanished = 0; !wasi_filesystem_types_method_directory_entry_stream_read_directory_entry(lent, &entry, why); vanished++)
        if (*why != CODE(NO_ENTRY) || vanished == VANISHED) return *failed = true, NULL;
    if (!entry.is_some) return NULL;
    size_t length = entry.val.name.len;
    char *name = cofferdam_malloc(length + 1);
    memcpy(name, entry.val.name.ptr, length);
    name[length] = '\0';
    guest_string_free(&entry.val.name);
    *type = entry.val.type;
    return name;
}

static void end(entries stream) { wasi_filesystem_types_directory_entry_stream_drop_own(stream); }

/* Offers the name of each object of the folder, in no order. */
static cofferdam_error *each_object(descriptor parent, const char *folder, cofferdam_picker *picker) {
    entries stream;
    code why;
    bool failed;
    wasi_filesystem_types_descriptor_type_t type;
    if (!wasi_filesystem_types_method_descriptor_read_directory(at(parent), &stream, &why))
        return cofferdam_file_error(why, "list the container %s", folder);
    for (char *name; (name = cofferdam_next_entry(stream, &type, &failed, &why)); free(name))
        if (type == PLAIN && !cofferdam_is_reserved(name)) cofferdam_picker_take(picker, name, 0);
    end(stream);
    return failed ? cofferdam_file_error(why, "list the container %s", folder) : COFFERDAM_OK;
}

/* Asks the size of each name, and leaves out what vanished meanwhile. */
static cofferdam_error *add_sizes(descriptor parent, const char *folder, const cofferdam_page *names, cofferdam_page *page) {
    cofferdam_object *objects = cofferdam_alloc(names->count * sizeof *objects);
    *page = (cofferdam_page){objects, 0, names->more};
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->objects[i].name;
        stat_of stat;
        code why;
        if (cofferdam_stat_at(parent, name, &stat, &why)) {
            if (stat.type == PLAIN) objects[page->count++] = (cofferdam_object){name, stat.size};
        } else if (why != CODE(NO_ENTRY)) {
            return cofferdam_file_error(why, "look at %s", cofferdam_object_shown(folder, name));
        }
    }
    return COFFERDAM_OK;
}

cofferdam_error *cofferdam_directory_list(const cofferdam_directory *directory, const char *folder, const char *prefix,
                                          const char *after, uint32_t limit, cofferdam_page *page) {
    descriptor parent;
    COFFERDAM_TRY(cofferdam_open_folder(directory, folder, &parent));
    cofferdam_error *error;
    cofferdam_page names;
    do {
        cofferdam_picker *picker = cofferdam_picker_new(prefix, after, limit);
        error = each_object(parent, folder, picker);
        if (error) break;
        cofferdam_picker_page(picker, &names);
        error = add_sizes(parent, folder, &names, page);
        if (names.count) after = names.objects[names.count - 1].name;
        /* All of the page vanished meanwhile: the caller could not go on from an empty page. */
    } while (!error && page->count == 0 && page->more);
    shut(parent);
    return error;
}

/* Whether what lies below `folder` may come after `after`. */
static bool may_follow(const char *folder, const char *after) {
    size_t length = strlen(folder);
    int order = strncmp(folder, after, length);
    if (order != 0) return order > 0;
    /* The folder with its `/`, against what stands there in `after`. */
    return (unsigned char)after[length] <= '/';
}

static cofferdam_error *walk(descriptor parent, const char *path, const char *after, cofferdam_picker *picker, bool *holds_objects);

static cofferdam_error *walk_into(descriptor parent, const char *name, const char *folder, const char *after,
                                  cofferdam_picker *picker) {
    descriptor child;
    code why;
    bool holds_objects = false;
    guest_string_t path = cofferdam_lend(name);
    if (!wasi_filesystem_types_method_descriptor_open_at(at(parent), 0, &path, WASI_FILESYSTEM_TYPES_OPEN_FLAGS_DIRECTORY,
                                                         WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_READ, &child, &why))
        return why == CODE(NO_ENTRY) ? COFFERDAM_OK : cofferdam_file_error(why, "open the folder %s", folder);
    cofferdam_error *error = walk(child, folder, after, picker, &holds_objects);
    shut(child);
    if (!error && holds_objects) cofferdam_picker_take(picker, folder, 0);
    return error;
}

/* Looks at what is in `parent`, whose path is `path`: empty for the root. */
static cofferdam_error *walk(descriptor parent, const char *path, const char *after, cofferdam_picker *picker, bool *holds_objects) {
    entries stream;
    code why;
    bool failed;
    wasi_filesystem_types_descriptor_type_t type;
    cofferdam_error *error = NULL;
    if (!wasi_filesystem_types_method_descriptor_read_directory(at(parent), &stream, &why))
        return cofferdam_file_error(why, "list the folder %s", path);
    for (char *name; !error && (name = cofferdam_next_entry(stream, &type, &failed, &why)); free(name)) {
        if (type != WASI_FILESYSTEM_TYPES_DESCRIPTOR_TYPE_DIRECTORY) {
            *holds_objects |= type == PLAIN && !cofferdam_is_reserved(name);
            continue;
        }
        /* Not of the call's memory, because there may be very many. */
        size_t start = strlen(path), length = strlen(name);
        char *folder = cofferdam_malloc(start + length + 2);
        memcpy(folder, path, start);
        if (start) folder[start++] = '/';
        memcpy(folder + start, name, length + 1);
        /* In a folder of a refused name no backup was ever placed. */
        if (may_follow(folder, after) && !cofferdam_check_folder(folder)) error = walk_into(parent, name, folder, after, picker);
        free(folder);
    }
    end(stream);
    if (!error && failed) error = cofferdam_file_error(why, "list the folder %s", path);
    return error;
}

cofferdam_error *cofferdam_directory_containers(const cofferdam_directory *directory, const char *after, uint32_t limit,
                                                cofferdam_containers *page) {
    descriptor root;
    bool ignored = false;
    COFFERDAM_TRY(cofferdam_open_root(directory, &root));
    cofferdam_picker *picker = cofferdam_picker_new("", after, limit);
    cofferdam_error *error = walk(root, "", after ? after : "", picker, &ignored);
    shut(root);
    if (!error) cofferdam_picker_containers(picker, page);
    return error;
}
