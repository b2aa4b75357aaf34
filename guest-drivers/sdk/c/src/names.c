/* Which names are safe to use as paths below a root, and which names the SDK keeps for itself. Pure rules, those of the Rust SDK:
 * the formats must not differ by a byte, because any driver of the format may restore what another stored.
 *
 * Safe: UTF-8, not empty, at most 1024 bytes, no control characters, relative, and no component that is empty, `.`, `..` or over
 * 255 bytes. A refusal is `unsupported`, which is final: the same name will never be taken.
 */
#include "internal.h"

#include <inttypes.h>
#include <string.h>

#define PART ".cofferdam-part"
#define KEPT ".cofferdam-kept"
#define OWN_FOLDERS ".cofferdam-"

static cofferdam_error *refuse(const char *name, const char *reason) {
    return cofferdam_unsupported("the name %s is refused: %s", cofferdam_quoted(name), reason);
}

static bool has_control(const char *text) {
    for (const uint8_t *at = (const uint8_t *)text; *at; at++) {
        if (*at < 0x20 || *at == 0x7F) return true;
        /* U+0080 to U+009F. */
        if (*at == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0) return true;
    }
    return false;
}

static const char *fault_of_component(const char *component, size_t length) {
    if (length == 0) return "it holds an empty component";
    if (component[0] == '.' && (length == 1 || (length == 2 && component[1] == '.'))) return "it holds the component `.` or `..`";
    if (length > COFFERDAM_LONGEST_COMPONENT) return "it holds a component longer than 255 bytes";
    return NULL;
}

cofferdam_error *cofferdam_check_path(const char *path) {
    size_t length = strlen(path);
    if (length == 0) return refuse(path, "it is empty");
    if (length > COFFERDAM_LONGEST_NAME) return refuse(path, "it is longer than 1024 bytes");
    if (path[0] == '/') return refuse(path, "it is absolute");
    if (!cofferdam_is_utf8(path, length)) return refuse(path, "it is not UTF-8");
    if (has_control(path)) return refuse(path, "it holds a control character");
    for (const char *at = path;;) {
        size_t component = strcspn(at, "/");
        const char *fault = fault_of_component(at, component);
        if (fault) return refuse(path, fault);
        if (!at[component]) return COFFERDAM_OK;
        at += component + 1;
    }
}

cofferdam_error *cofferdam_check_folder(const char *folder) {
    COFFERDAM_TRY(cofferdam_check_path(folder));
    if (strncmp(folder, OWN_FOLDERS, strlen(OWN_FOLDERS)) == 0)
        return refuse(folder, "names beginning with `.cofferdam-` are kept for the driver");
    return COFFERDAM_OK;
}

cofferdam_error *cofferdam_check_object(const char *name) {
    COFFERDAM_TRY(cofferdam_check_path(name));
    if (strchr(name, '/')) return refuse(name, "an object's name holds no `/` here");
    if (cofferdam_is_reserved(name)) return refuse(name, "names of this form are kept for the driver's unfinished objects");
    return COFFERDAM_OK;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

bool cofferdam_is_reserved(const char *name) { return name[0] == '.' && (ends_with(name, PART) || ends_with(name, KEPT)); }

static uint64_t fnv1a(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++) hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return hash;
}

/* `.<object><suffix>`, or with a digest in place of a name that leaves no room for both. */
static const char *hidden(const char *object, const char *suffix) {
    if (1 + strlen(object) + strlen(suffix) <= COFFERDAM_LONGEST_COMPONENT) return cofferdam_text(".%s%s", object, suffix);
    return cofferdam_text(".%016" PRIx64 "%s", fnv1a(object), suffix);
}

const char *cofferdam_part_name(const char *object) { return hidden(object, PART); }

const char *cofferdam_kept_name(const char *object) { return hidden(object, KEPT); }
