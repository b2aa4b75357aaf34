/* What the files directory*.c share.
 *
 * Problem: paths come from settings, users and records, files must survive a power cut, and a listing must be complete. Solved by
 * descriptor-relative WASI calls only: the root is opened anew for each call (so that what is mounted or mended meanwhile is seen),
 * every folder and file is opened below it, and the sandbox lets no path and no symbolic link lead out of it. A folder may be reached
 * through a symbolic link that stays below the root, as in Cinder; an object is a plain file and never a link.
 *
 * The format is that of the Rust SDK's Directory and so of the posix driver, to the byte and in the order of its syncs.
 */
#ifndef COFFERDAM_DIRECTORY_H
#define COFFERDAM_DIRECTORY_H

#include "wasi.h"

typedef wasi_filesystem_types_own_descriptor_t descriptor;
typedef wasi_filesystem_types_error_code_t code;
typedef wasi_filesystem_types_descriptor_stat_t stat_of;
typedef wasi_filesystem_types_own_directory_entry_stream_t entries;

struct cofferdam_directory {
    descriptor preopen;
    const char *below; /* the way from the preopen: `.` or a relative path */
    const char *path;  /* as the deployer wrote it, for errors */
};

static inline wasi_filesystem_types_borrow_descriptor_t at(descriptor handle) { return wasi_filesystem_types_borrow_descriptor(handle); }

static inline void shut(descriptor handle) { wasi_filesystem_types_descriptor_drop_own(handle); }

/* The error for a code; the text completes "cannot ...". */
cofferdam_error *cofferdam_file_error(code why, const char *format, ...) COFFERDAM_PRINTF(2, 3);
/* The code in WASI's words. */
const char *cofferdam_code_name(code why);

/* What these open, the caller shuts. */
cofferdam_error *cofferdam_open_root(const cofferdam_directory *directory, descriptor *root);
/* A folder that must be there. The first checks its name, the second is for the SDK's own. */
cofferdam_error *cofferdam_open_folder(const cofferdam_directory *directory, const char *folder, descriptor *opened);
cofferdam_error *cofferdam_open_own_folder(const cofferdam_directory *directory, const char *folder, descriptor *opened);
/* A plain file for reading. */
cofferdam_error *cofferdam_open_object(descriptor parent, const char *folder, const char *name, descriptor *opened);
cofferdam_error *cofferdam_make_folders(const cofferdam_directory *directory, const char *folder);

/* Removes a file; one that is not there is removed already. */
bool cofferdam_remove(descriptor parent, const char *name, code *why);
bool cofferdam_stat_at(descriptor parent, const char *name, stat_of *stat, code *why);

/* The next entry's name, which the caller frees; NULL at the end, and on a failure, which `failed` tells. */
char *cofferdam_next_entry(entries stream, wasi_filesystem_types_descriptor_type_t *type, bool *failed, code *why);

cofferdam_error *cofferdam_write_at(descriptor parent, const char *folder, const char *name, cofferdam_fill fill, void *context);
const char *cofferdam_object_shown(const char *folder, const char *name);
cofferdam_error *cofferdam_not_an_object(const char *folder, const char *name);

#endif
