/* What a C or C++ author includes to write a Cofferdam backup driver.
 *
 * A driver is one table of functions, `cofferdam_this_driver`; the SDK makes the component's exports from it. What each function
 * promises is said in the contract, wit/0.1.0, and nowhere else. C11; includes as C++20.
 *
 * Who owns what - all of it:
 *
 * 1. Nothing that the SDK hands out is ever freed by an author: texts, errors, pages, URLs, answers of servers.
 * 2. What was handed out within do_setup lives until the next do_setup. What was handed out within any other call lives until that
 *    call returns. cofferdam_keep and cofferdam_keep_text make things that live until the next do_setup, whenever they are made.
 * 3. What an author returns or fills in may be static, handed out by the SDK, or memory of the author's own; the SDK copies it
 *    before it lets go of anything, and never frees it.
 * 4. Arguments, `self` excepted, belong to the call: texts and structures are gone, and streams are dropped, when it returns.
 * 5. `self` is what do_setup stored; take it from cofferdam_alloc and nothing has to be freed. After a do_setup that failed there is
 *    none, and the SDK refuses calls by itself.
 *
 * Texts are UTF-8 and end in a NUL byte. A name from the host that holds a NUL is refused by the SDK before the author sees it.
 * Errors are values: NULL is success. When memory runs out the host ends the instance, so no allocation here returns NULL.
 *
 * Cost: one allocation per thing handed out, freed together; bytes of objects never enter the guest (cofferdam_store, cofferdam_fetch).
 */
#ifndef COFFERDAM_DRIVER_H
#define COFFERDAM_DRIVER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define COFFERDAM_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define COFFERDAM_PRINTF(text, first)
#endif

/* ---- Memory and texts ---- */

/* `size` zeroed bytes, aligned for everything; see the rules above for how long. */
void *cofferdam_alloc(size_t size);
/* The same, until the next do_setup. */
void *cofferdam_keep(size_t size);
/* A text as printf makes it. */
char *cofferdam_text(const char *format, ...) COFFERDAM_PRINTF(1, 2);
char *cofferdam_text_v(const char *format, va_list arguments) COFFERDAM_PRINTF(1, 0);
char *cofferdam_keep_text(const char *format, ...) COFFERDAM_PRINTF(1, 2);
/* `length` bytes as a text. */
char *cofferdam_text_of(const void *bytes, size_t length);
/* A text that someone else made, fit for an error or a log: one line, no control characters, at most 200 characters. */
char *cofferdam_shown(const char *text);

/* ---- Errors: which one to take decides what the host does next; no secrets in the text ---- */

typedef enum cofferdam_error_kind {
    COFFERDAM_INVALID_CONFIGURATION, /* a setting is wrong; tried again at the slow interval only */
    COFFERDAM_UNAUTHORIZED,          /* the storage refused the credentials or the right; the same */
    COFFERDAM_UNAVAILABLE,           /* it cannot be reached or used now; tried again */
    COFFERDAM_NOT_FOUND,             /* the object or container is not there; final */
    COFFERDAM_ALREADY_EXISTS,        /* it is there and may not be replaced; final */
    COFFERDAM_OUT_OF_SPACE,          /* the storage is full; at the slow interval */
    COFFERDAM_THROTTLED,             /* the storage asks for a pause; tried again after it */
    COFFERDAM_CORRUPTED,             /* what was read back is not what was written; final */
    COFFERDAM_UNSUPPORTED,           /* this driver or storage cannot do that; final */
    COFFERDAM_FAILED                 /* anything else; tried again */
} cofferdam_error_kind;

typedef struct cofferdam_error {
    cofferdam_error_kind kind;
    const char *text;
    const char *option;    /* of an invalid configuration: which option, "" when several together */
    bool says_pause;       /* of a throttling: whether the storage said for how long */
    uint32_t pause_millis; /* of a throttling */
} cofferdam_error;

#define COFFERDAM_OK ((cofferdam_error *)0)

cofferdam_error *cofferdam_invalid_configuration(const char *option, const char *format, ...) COFFERDAM_PRINTF(2, 3);
cofferdam_error *cofferdam_unauthorized(const char *format, ...) COFFERDAM_PRINTF(1, 2);
cofferdam_error *cofferdam_unavailable(const char *format, ...) COFFERDAM_PRINTF(1, 2);
cofferdam_error *cofferdam_not_found(const char *format, ...) COFFERDAM_PRINTF(1, 2);
cofferdam_error *cofferdam_already_exists(const char *format, ...) COFFERDAM_PRINTF(1, 2);
cofferdam_error *cofferdam_out_of_space(const char *format, ...) COFFERDAM_PRINTF(1, 2);
/* `pause_millis` NULL: the storage did not say for how long. */
cofferdam_error *cofferdam_throttled(const uint32_t *pause_millis, const char *format, ...) COFFERDAM_PRINTF(2, 3);
cofferdam_error *cofferdam_corrupted(const char *format, ...) COFFERDAM_PRINTF(1, 2);
cofferdam_error *cofferdam_unsupported(const char *format, ...) COFFERDAM_PRINTF(1, 2);
cofferdam_error *cofferdam_failed(const char *format, ...) COFFERDAM_PRINTF(1, 2);

/* Returns the error of a call that has one. */
#define COFFERDAM_TRY(call)                          \
    do {                                             \
        cofferdam_error *cofferdam_try_error = (call); \
        if (cofferdam_try_error) return cofferdam_try_error; \
    } while (0)

/* ---- What a driver says of itself ---- */

typedef enum cofferdam_option_kind {
    COFFERDAM_OPTION_TEXT,
    COFFERDAM_OPTION_INTEGER,
    COFFERDAM_OPTION_SIZE,      /* bytes; the deployer may write "64MiB" */
    COFFERDAM_OPTION_DURATION,  /* milliseconds; the deployer may write "30s" */
    COFFERDAM_OPTION_BOOLEAN,
    COFFERDAM_OPTION_DIRECTORY, /* an absolute path that must be granted */
    COFFERDAM_OPTION_READ_ONLY_DIRECTORY,
    COFFERDAM_OPTION_SECRET,    /* the driver gets a name, never the value */
    COFFERDAM_OPTION_URL,       /* http or https; must be granted */
    COFFERDAM_OPTION_TLS_CA_FILE,
    COFFERDAM_OPTION_TLS_VERIFY,
    COFFERDAM_OPTION_TLS_INSECURE,
    COFFERDAM_OPTION_HTTP_PROXY,
    COFFERDAM_OPTION_HTTPS_PROXY
} cofferdam_option_kind;

typedef struct cofferdam_option {
    const char *name;
    cofferdam_option_kind kind;
    bool required;
    const char *default_text; /* what the driver assumes when the option is absent, for people; NULL: nothing */
    const char *description;  /* one sentence: what it does, its unit and range */
} cofferdam_option;

/* What a put must know of its body; or them together. Any but none lets the host collect the body first. */
enum { COFFERDAM_NEEDS_SIZE = 1, COFFERDAM_NEEDS_MD5 = 2, COFFERDAM_NEEDS_SHA256 = 4, COFFERDAM_NEEDS_CRC32C = 8 };

typedef struct cofferdam_info {
    const char *name; /* short, lower case */
    const char *version;
    const char *vendor;
    const char *description; /* one sentence */
    const cofferdam_option *options;
    size_t option_count;
    unsigned needs;
    uint64_t greatest_object; /* bytes; 0: no limit of its own */
    bool wants_http;
} cofferdam_info;

/* ---- Settings. A getter fails when the value has another kind, and names the option; it never shows the value ---- */

typedef enum cofferdam_value_kind { COFFERDAM_VALUE_TEXT, COFFERDAM_VALUE_INTEGER, COFFERDAM_VALUE_BOOLEAN } cofferdam_value_kind;

typedef struct cofferdam_setting {
    const char *name;
    cofferdam_value_kind kind;
    const char *text;
    int64_t integer;
    bool boolean;
} cofferdam_setting;

typedef struct cofferdam_settings {
    const cofferdam_setting *values;
    size_t count;
} cofferdam_settings;

/* NULL when absent. */
cofferdam_error *cofferdam_get_text(const cofferdam_settings *settings, const char *name, const char **text);
/* Must be there and not be empty. */
cofferdam_error *cofferdam_require_text(const cofferdam_settings *settings, const char *name, const char **text);
/* These leave the value as it is when the option is absent: set it to the default before. */
cofferdam_error *cofferdam_get_integer(const cofferdam_settings *settings, const char *name, int64_t *value);
cofferdam_error *cofferdam_get_size(const cofferdam_settings *settings, const char *name, uint64_t *bytes);
cofferdam_error *cofferdam_get_duration(const cofferdam_settings *settings, const char *name, uint64_t *millis);
cofferdam_error *cofferdam_get_boolean(const cofferdam_settings *settings, const char *name, bool *value);
/* The secret of an option: its name, or NULL when it is absent. */
cofferdam_error *cofferdam_get_secret(const cofferdam_settings *settings, const char *name, const char **secret);
cofferdam_error *cofferdam_require_secret(const cofferdam_settings *settings, const char *name, const char **secret);

/* ---- The contract's values ---- */

typedef struct cofferdam_input { int32_t handle; } cofferdam_input;   /* a borrowed wasi:io input-stream */
typedef struct cofferdam_output { int32_t handle; } cofferdam_output; /* a borrowed wasi:io output-stream */

typedef struct cofferdam_backup {
    const char *backup_id; /* UUID in lower case */
    const char *volume_id; /* UUID in lower case */
    const char *timestamp; /* YYYYMMDDHHMMSS, UTC */
    const char *availability_zone;
} cofferdam_backup;

typedef struct cofferdam_placement {
    const char *container;
    const char *prefix;   /* of all names of the backup's objects; at most 255 bytes */
    uint64_t object_size; /* bytes of volume per object: a multiple of block_size */
    uint32_t block_size;  /* bytes per SHA-256 block */
} cofferdam_placement;

typedef struct cofferdam_address { const char *container, *name; } cofferdam_address;

typedef struct cofferdam_body {
    bool has_size;
    uint64_t size;
    const char *md5, *sha256; /* lower-case hex, or NULL */
    bool has_crc32c;
    uint32_t crc32c;
} cofferdam_body;

typedef struct cofferdam_range {
    uint64_t offset;
    bool has_length; /* false: to the end */
    uint64_t length;
} cofferdam_range;

typedef struct cofferdam_object { const char *name; uint64_t size; } cofferdam_object;

/* In ascending byte order of the names. */
typedef struct cofferdam_page { const cofferdam_object *objects; size_t count; bool more; } cofferdam_page;
typedef struct cofferdam_containers { const char *const *names; size_t count; bool more; } cofferdam_containers;

/* ---- The driver ---- */

/* A function that is NULL answers `unsupported`; describe and do_setup must be there. */
typedef struct cofferdam_driver {
    /* No side effects; always the same answer. */
    const cofferdam_info *(*describe)(void);
    /* Cheap; touches no storage. Stores what the other functions get as `self`. */
    cofferdam_error *(*do_setup)(const cofferdam_settings *settings, void **self);
    /* Writes a canary, reads it back, deletes it. Leaves nothing behind. */
    cofferdam_error *(*check_for_setup_error)(void *self);
    /* Cheap, no side effects. */
    cofferdam_error *(*probe)(void *self);
    /* Creates nothing. `container` is what the user asked for, or NULL. */
    cofferdam_error *(*place_backup)(void *self, const cofferdam_backup *backup, const char *container,
                                     cofferdam_placement *placement);
    /* Succeeds when it is there. */
    cofferdam_error *(*create_container)(void *self, const char *container);
    /* Atomic and durable. */
    cofferdam_error *(*put_object)(void *self, const cofferdam_address *at, cofferdam_input body, const cofferdam_body *info);
    /* `range` NULL: the whole object. */
    cofferdam_error *(*get_object)(void *self, const cofferdam_address *at, const cofferdam_range *range, cofferdam_output sink,
                                   uint64_t *written);
    cofferdam_error *(*stat_object)(void *self, const cofferdam_address *at, uint64_t *size);
    /* Succeeds when it is not there. */
    cofferdam_error *(*delete_object)(void *self, const cofferdam_address *at);
    /* Complete or an error. `after` may be NULL; the SDK has checked that `limit` is 1 to 1000. */
    cofferdam_error *(*list_objects)(void *self, const char *container, const char *prefix, const char *after, uint32_t limit,
                                     cofferdam_page *page);
    cofferdam_error *(*list_containers)(void *self, const char *after, uint32_t limit, cofferdam_containers *page);
} cofferdam_driver;

/* Every driver defines it, once:  const cofferdam_driver cofferdam_this_driver = { .describe = ..., }; */
extern const cofferdam_driver cofferdam_this_driver;

/* ---- Names that are safe as paths below a root, and those that the SDK keeps for itself ---- */

enum { COFFERDAM_LONGEST_NAME = 1024, COFFERDAM_LONGEST_COMPONENT = 255 };

/* Refuses a path that is not relative, plain and within the lengths: `unsupported`. */
cofferdam_error *cofferdam_check_path(const char *path);
/* Refuses a folder (a container) that would leave the root, or is kept for the SDK. */
cofferdam_error *cofferdam_check_folder(const char *folder);
/* Refuses an object's name that is not one safe component, or is kept for the SDK. */
cofferdam_error *cofferdam_check_object(const char *name);
/* The name under which an object is written until it is whole; the same for every attempt. */
const char *cofferdam_part_name(const char *object);
/* The name under which a replaced object is kept until its successor is safe. */
const char *cofferdam_kept_name(const char *object);
/* Whether a file of this name is the SDK's own, and so never an object. */
bool cofferdam_is_reserved(const char *name);
/* Whether the bytes are UTF-8. */
bool cofferdam_is_utf8(const void *bytes, size_t length);

/* ---- Placement as the posix driver does it, which is Cinder's ---- */

typedef struct cofferdam_portions { uint64_t object_size; uint32_t block_size; } cofferdam_portions;

/* Cinder's defaults. */
#define COFFERDAM_DEFAULT_OBJECT_SIZE UINT64_C(1999994880)
#define COFFERDAM_DEFAULT_BLOCK_SIZE UINT32_C(32768)

/* Reads the two options of kind size. `portions` holds the defaults before. */
cofferdam_error *cofferdam_get_portions(const cofferdam_settings *settings, const char *object_option, const char *block_option,
                                        cofferdam_portions *portions);
/* volume_<volume-id>_<timestamp>_backup_<backup-id> */
const char *cofferdam_backup_prefix(const cofferdam_backup *backup);
/* ab/cd/<backup-id> */
cofferdam_error *cofferdam_backup_folder(const cofferdam_backup *backup, const char **folder);

/* ---- Pages picked out of names that come in no order; holds one name more than the page ---- */

typedef struct cofferdam_picker cofferdam_picker;

/* `prefix` and `after` must live as long; NULL: none. */
cofferdam_picker *cofferdam_picker_new(const char *prefix, const char *after, uint32_t limit);
void cofferdam_picker_take(cofferdam_picker *picker, const char *name, uint64_t size);
/* The page in ascending byte order. */
void cofferdam_picker_page(cofferdam_picker *picker, cofferdam_page *page);
void cofferdam_picker_containers(cofferdam_picker *picker, cofferdam_containers *page);

/* ---- Moving bytes inside the host ---- */

/* Moves the whole body of a put into the storage's stream, checked against `info`. Any error means: discard what was written. */
cofferdam_error *cofferdam_store(cofferdam_input body, cofferdam_output sink, const cofferdam_body *info, uint64_t *stored);
/* Moves exactly `length` bytes of a stored object into the sink of a get. */
cofferdam_error *cofferdam_fetch(cofferdam_input object, cofferdam_output sink, uint64_t length, uint64_t *moved);
/* Whether an operating system's text says that the storage is full or a quota used up. */
bool cofferdam_is_full(const char *text);

/* ---- Objects as files below a granted directory, in the format of the posix driver ---- */

typedef struct cofferdam_directory cofferdam_directory;
/* Writes an object to the sink and says how many bytes that were. */
typedef cofferdam_error *(*cofferdam_fill)(void *context, cofferdam_output sink, uint64_t *written);

/* The granted directory that the option names; it must be there. Opens nothing. */
cofferdam_error *cofferdam_require_directory(const cofferdam_settings *settings, const char *name, cofferdam_directory **directory);
cofferdam_error *cofferdam_directory_check(const cofferdam_directory *directory);
cofferdam_error *cofferdam_directory_probe(const cofferdam_directory *directory);
cofferdam_error *cofferdam_directory_create(const cofferdam_directory *directory, const char *folder);
cofferdam_error *cofferdam_directory_put(const cofferdam_directory *directory, const cofferdam_address *at, cofferdam_input body,
                                         const cofferdam_body *info);
cofferdam_error *cofferdam_directory_write(const cofferdam_directory *directory, const cofferdam_address *at, cofferdam_fill fill,
                                           void *context);
cofferdam_error *cofferdam_directory_get(const cofferdam_directory *directory, const cofferdam_address *at,
                                         const cofferdam_range *range, cofferdam_output sink, uint64_t *written);
cofferdam_error *cofferdam_directory_stat(const cofferdam_directory *directory, const cofferdam_address *at, uint64_t *size);
cofferdam_error *cofferdam_directory_delete(const cofferdam_directory *directory, const cofferdam_address *at);
cofferdam_error *cofferdam_directory_list(const cofferdam_directory *directory, const char *folder, const char *prefix,
                                          const char *after, uint32_t limit, cofferdam_page *page);
cofferdam_error *cofferdam_directory_containers(const cofferdam_directory *directory, const char *after, uint32_t limit,
                                                cofferdam_containers *page);

/* ---- Secrets: used by the host, known here by the name of their option ---- */

typedef enum cofferdam_algorithm { COFFERDAM_HMAC_SHA1, COFFERDAM_HMAC_SHA256, COFFERDAM_RS256 } cofferdam_algorithm;
typedef enum cofferdam_encoding {
    COFFERDAM_PLAIN,
    COFFERDAM_JSON,
    COFFERDAM_PERCENT,
    COFFERDAM_BASE64
} cofferdam_encoding;
typedef struct cofferdam_bytes { const uint8_t *data; size_t length; } cofferdam_bytes;

/* A text for a header or a small body, in whose place the host puts `prefix` and the value, encoded, when a request leaves. */
cofferdam_error *cofferdam_placeholder(const char *secret, const char *prefix, cofferdam_encoding encoding, const char **text);
/* Signs with `prefix` and the secret as key. */
cofferdam_error *cofferdam_sign(const char *secret, cofferdam_algorithm algorithm, cofferdam_bytes prefix, cofferdam_bytes message,
                                cofferdam_bytes *signature);
/* The MD5 of the secret, or of what it is when decoded from base64. */
cofferdam_error *cofferdam_secret_md5(const char *secret, bool decode_base64, cofferdam_bytes *digest);
/* The SHA-256 of a message as it will be when it leaves, with the values in the place of placeholders. */
cofferdam_error *cofferdam_sha256(cofferdam_bytes message, cofferdam_bytes *digest);
/* The value itself, if the deployer granted that. */
cofferdam_error *cofferdam_reveal(const char *secret, const char **value);

/* ---- The host ---- */

/* One line to the host's log, under the backend's name. No secrets. */
void cofferdam_debug(const char *format, ...) COFFERDAM_PRINTF(1, 2);
void cofferdam_log(const char *format, ...) COFFERDAM_PRINTF(1, 2);
void cofferdam_warn(const char *format, ...) COFFERDAM_PRINTF(1, 2);
void cofferdam_complain(const char *format, ...) COFFERDAM_PRINTF(1, 2);
/* True once nobody waits for this call any more. */
bool cofferdam_is_cancelled(void);
/* Random bits that differ in every instance. */
uint64_t cofferdam_random(void);
/* Seconds since 1970 by the host's clock. */
uint64_t cofferdam_now(void);

#ifdef __cplusplus
}
#endif
#endif
