/* Which granted directory covers a path, and how much of an object a range covers. Pure.
 *
 * A directory that the deployer grants is preopened under the very path it has on the host, so the setting's path is either a
 * preopen's or lies below one; of several the nearest is taken.
 */
#include "internal.h"

#include <string.h>

/* The next component that is neither empty nor `.`; false at the end. */
static bool component(const char **at, const char **start, size_t *length) {
    for (;;) {
        *at += strspn(*at, "/");
        if (!**at) return false;
        *start = *at;
        *length = strcspn(*at, "/");
        *at += *length;
        if (*length != 1 || **start != '.') return true;
    }
}

/* Whether `path` is `granted` or below it; then how deep `granted` is, and where in `path` the rest begins. */
static bool covers(const char *granted, const char *path, size_t *depth, const char **rest) {
    const char *one, *other;
    size_t length, wanted;
    for (*depth = 0; component(&granted, &one, &length); ++*depth)
        if (!component(&path, &other, &wanted) || wanted != length || memcmp(one, other, length) != 0) return false;
    *rest = path;
    return true;
}

static const char *joined(const char *rest) {
    char *below = cofferdam_alloc(strlen(rest) + 2), *end = below;
    const char *start;
    size_t length;
    while (component(&rest, &start, &length)) {
        if (end != below) *end++ = '/';
        memcpy(end, start, length);
        end += length;
    }
    return end == below ? "." : below;
}

const char *cofferdam_grant_find(const char *const *granted, size_t count, const char *path, size_t *index, const char **below) {
    if (path[0] != '/') return cofferdam_text("%s is not an absolute path", path);
    const char *at = path, *start;
    size_t length;
    while (component(&at, &start, &length))
        if (length == 2 && start[0] == '.' && start[1] == '.')
            return cofferdam_text("%s holds `..`: write the path without it", path);
    const char *best = NULL;
    size_t deepest = 0;
    for (size_t i = 0; i < count; i++) {
        const char *rest;
        size_t depth;
        if (!covers(granted[i], path, &depth, &rest) || (best && depth < deepest)) continue;
        best = rest;
        deepest = depth;
        *index = i;
    }
    if (!best) return cofferdam_text("%s is not granted to this driver", path);
    *below = joined(best);
    return NULL;
}

void cofferdam_range_cut(const cofferdam_range *range, uint64_t size, uint64_t *offset, uint64_t *length) {
    *offset = range ? range->offset : 0;
    uint64_t there = size > *offset ? size - *offset : 0;
    *length = range && range->has_length && range->length < there ? range->length : there;
}
