/* From WASI's file system codes to the contract's errors: what was attempted, what was found, what to do.
 *
 * The code decides the retry class. Wasmtime folds what it has no code for into `io`, among it a file system that turned read-only, a
 * used-up quota and a stale NFS handle, so the text for `io` names them.
 */
#include "directory.h"

#define CODE(name) WASI_FILESYSTEM_TYPES_ERROR_CODE_##name

const char *cofferdam_code_name(code why) {
    static const char *const names[] = {
        "access", "would-block", "already", "bad-descriptor", "busy", "deadlock", "quota", "exist", "file-too-large",
        "illegal-byte-sequence", "in-progress", "interrupted", "invalid", "io", "is-directory", "loop", "too-many-links", "message-size",
        "name-too-long", "no-device", "no-entry", "no-lock", "insufficient-memory", "insufficient-space", "not-directory", "not-empty",
        "not-recoverable", "unsupported", "no-tty", "no-such-device", "overflow", "not-permitted", "pipe", "read-only", "invalid-seek",
        "text-file-busy", "cross-device"};
    return why < sizeof names / sizeof *names ? names[why] : "an unknown error";
}

cofferdam_error *cofferdam_file_error(code why, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *what = cofferdam_text_v(format, arguments);
    va_end(arguments);
    switch (why) {
    case CODE(ACCESS):
    case CODE(NOT_PERMITTED):
        return cofferdam_unauthorized("cannot %s: permission denied; give the service's user the right, and see that the directory is "
                                      "granted for writing and that no symbolic link leads out of it",
                                      what);
    case CODE(READ_ONLY): return cofferdam_unauthorized("cannot %s: it is read-only", what);
    case CODE(NO_ENTRY): return cofferdam_not_found("cannot %s: it is not there", what);
    case CODE(EXIST): return cofferdam_already_exists("cannot %s: it is there already", what);
    case CODE(INSUFFICIENT_SPACE): return cofferdam_out_of_space("cannot %s: no space is left", what);
    case CODE(QUOTA): return cofferdam_out_of_space("cannot %s: the quota is used up", what);
    case CODE(FILE_TOO_LARGE):
        return cofferdam_unsupported("cannot %s: it is larger than the file system or the process's limit allows", what);
    case CODE(NAME_TOO_LONG): return cofferdam_unsupported("cannot %s: the name is too long", what);
    case CODE(ILLEGAL_BYTE_SEQUENCE): return cofferdam_unsupported("cannot %s: the name is not UTF-8", what);
    case CODE(IO):
        return cofferdam_unavailable(
            "cannot %s: input/output error, a file system that is read-only or stale, or a quota that is used up", what);
    case CODE(BUSY):
    case CODE(NO_DEVICE):
    case CODE(NO_SUCH_DEVICE):
    case CODE(INSUFFICIENT_MEMORY): return cofferdam_unavailable("cannot %s: %s", what, cofferdam_code_name(why));
    case CODE(NOT_DIRECTORY): return cofferdam_failed("cannot %s: a file stands where a folder should be", what);
    case CODE(IS_DIRECTORY): return cofferdam_failed("cannot %s: a folder stands where a file should be", what);
    case CODE(LOOP): return cofferdam_failed("cannot %s: a symbolic link stands there", what);
    default: return cofferdam_failed("cannot %s: %s", what, cofferdam_code_name(why));
    }
}
