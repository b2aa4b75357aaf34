/* {{name}}: backups as files in a directory of the host, in the format of Cofferdam's posix driver.
 *
 * An object is the file <{{ident}}_path>/<container>/<name>. All that touches files is the SDK's cofferdam_directory, which writes
 * under a hidden name, syncs, renames and syncs the folder. To make a driver for another storage, change what do_setup keeps in
 * `shelf` and what the functions from put_object down do; the contract in wit/0.1.0 says what each of them promises.
 */
#include "placement.h"

#define PATH_OPTION "{{ident}}_path"

/* What do_setup keeps. Memory of the SDK: nothing here is ever freed by hand (see the head of cofferdam_driver.h). */
typedef struct shelf {
    cofferdam_directory *directory;
    cofferdam_portions portions;
} shelf;

static const cofferdam_option options[] = {
    {PATH_OPTION, COFFERDAM_OPTION_DIRECTORY, true, NULL, "The absolute path of the directory that holds the backups."},
    {FILE_SIZE_OPTION, COFFERDAM_OPTION_SIZE, false, "1999994880",
     "Bytes of volume in one object: a positive multiple of " BLOCK_SIZE_OPTION "."},
    {BLOCK_SIZE_OPTION, COFFERDAM_OPTION_SIZE, false, "32768",
     "Bytes of volume for which one SHA-256 is kept, the unit of incremental backups: 1 to 4294967295."},
};

static const cofferdam_info *describe(void) {
    static const cofferdam_info info = {
        .name = "{{name}}",
        .version = "0.1.0",
        .vendor = "{{name}}",
        .description = "Keeps backups as files in a directory.",
        .options = options,
        .option_count = sizeof options / sizeof *options,
    };
    return &info;
}

static cofferdam_error *do_setup(const cofferdam_settings *settings, void **self) {
    shelf *made = cofferdam_alloc(sizeof *made);
    COFFERDAM_TRY(read_portions(settings, &made->portions));
    COFFERDAM_TRY(cofferdam_require_directory(settings, PATH_OPTION, &made->directory));
    *self = made;
    return COFFERDAM_OK;
}

static cofferdam_error *check_for_setup_error(void *self) { return cofferdam_directory_check(((shelf *)self)->directory); }

static cofferdam_error *probe(void *self) { return cofferdam_directory_probe(((shelf *)self)->directory); }

static cofferdam_error *place_backup(void *self, const cofferdam_backup *backup, const char *container,
                                     cofferdam_placement *placement) {
    return place(backup, container, &((shelf *)self)->portions, placement);
}

static cofferdam_error *create_container(void *self, const char *container) {
    return cofferdam_directory_create(((shelf *)self)->directory, container);
}

static cofferdam_error *put_object(void *self, const cofferdam_address *at, cofferdam_input body, const cofferdam_body *info) {
    return cofferdam_directory_put(((shelf *)self)->directory, at, body, info);
}

static cofferdam_error *get_object(void *self, const cofferdam_address *at, const cofferdam_range *range, cofferdam_output sink,
                                   uint64_t *written) {
    return cofferdam_directory_get(((shelf *)self)->directory, at, range, sink, written);
}

static cofferdam_error *stat_object(void *self, const cofferdam_address *at, uint64_t *size) {
    return cofferdam_directory_stat(((shelf *)self)->directory, at, size);
}

static cofferdam_error *delete_object(void *self, const cofferdam_address *at) {
    return cofferdam_directory_delete(((shelf *)self)->directory, at);
}

static cofferdam_error *list_objects(void *self, const char *container, const char *prefix, const char *after, uint32_t limit,
                                     cofferdam_page *page) {
    return cofferdam_directory_list(((shelf *)self)->directory, container, prefix, after, limit, page);
}

static cofferdam_error *list_containers(void *self, const char *after, uint32_t limit, cofferdam_containers *page) {
    return cofferdam_directory_containers(((shelf *)self)->directory, after, limit, page);
}

const cofferdam_driver cofferdam_this_driver = {
    .describe = describe,
    .do_setup = do_setup,
    .check_for_setup_error = check_for_setup_error,
    .probe = probe,
    .place_backup = place_backup,
    .create_container = create_container,
    .put_object = put_object,
    .get_object = get_object,
    .stat_object = stat_object,
    .delete_object = delete_object,
    .list_objects = list_objects,
    .list_containers = list_containers,
};
