/* What the SDK's files share and authors do not see. Pure part: nothing of the generated bindings. */
#ifndef COFFERDAM_INTERNAL_H
#define COFFERDAM_INTERNAL_H

#include "../cofferdam_driver.h"
#include "../cofferdam_http.h"

/* Everything handed out within one call, or within one setup. */
typedef struct cofferdam_arena { struct cofferdam_block *blocks; } cofferdam_arena;

extern cofferdam_arena cofferdam_call_arena;
extern cofferdam_arena cofferdam_setup_arena;
/* The one that cofferdam_alloc takes from: setup's within do_setup, else call's. */
extern cofferdam_arena *cofferdam_current_arena;

void *cofferdam_arena_alloc(cofferdam_arena *arena, size_t size);
/* The same; when the arena is emptied `release` is called first. For what holds handles. */
void *cofferdam_alloc_held(size_t size, void (*release)(void *));
void cofferdam_arena_free(cofferdam_arena *arena);
/* malloc that does not return without memory. */
void *cofferdam_malloc(size_t size);

/* A text in Rust's and our host's way of showing: in quotes, escaped, at most 80 characters. */
const char *cofferdam_quoted(const char *text);
/* Replaces what is not UTF-8 in place, for texts that go to the host. */
void cofferdam_make_utf8(char *text);

cofferdam_error *cofferdam_error_v(cofferdam_error_kind kind, const char *format, va_list arguments);

/* Which of the granted directories covers the path: its index, and the way from there, `.` or a relative path. NULL: done, else a
 * reason for people. */
const char *cofferdam_grant_find(const char *const *granted, size_t count, const char *path, size_t *index, const char **below);

/* Offset and length of what there is of the range in an object of `size` bytes. */
void cofferdam_range_cut(const cofferdam_range *range, uint64_t size, uint64_t *offset, uint64_t *length);

#endif
