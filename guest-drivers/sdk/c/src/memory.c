/* Memory that is let go of together: all that one call, or one setup, was handed out.
 *
 * So that no author has to free anything, on no path, and a thousand calls need what one needs. Bound: what one call asks for.
 * Cost: a malloc and a link per allocation.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cofferdam_block {
    struct cofferdam_block *next;
    void (*release)(void *);
    max_align_t data[];
};

cofferdam_arena cofferdam_call_arena;
cofferdam_arena cofferdam_setup_arena;
cofferdam_arena *cofferdam_current_arena = &cofferdam_call_arena;

void *cofferdam_malloc(size_t size) {
    void *memory = malloc(size ? size : 1);
    if (!memory) abort();
    return memory;
}

static void *alloc(cofferdam_arena *arena, size_t size, void (*release)(void *)) {
    if (size > SIZE_MAX - sizeof(struct cofferdam_block)) abort();
    struct cofferdam_block *block = cofferdam_malloc(sizeof *block + size);
    memset(block->data, 0, size);
    block->release = release;
    block->next = arena->blocks;
    arena->blocks = block;
    return block->data;
}

void *cofferdam_arena_alloc(cofferdam_arena *arena, size_t size) { return alloc(arena, size, NULL); }

void *cofferdam_alloc_held(size_t size, void (*release)(void *)) { return alloc(cofferdam_current_arena, size, release); }

void cofferdam_arena_free(cofferdam_arena *arena) {
    while (arena->blocks) {
        struct cofferdam_block *block = arena->blocks;
        arena->blocks = block->next;
        if (block->release) block->release(block->data);
        free(block);
    }
}

void *cofferdam_alloc(size_t size) { return alloc(cofferdam_current_arena, size, NULL); }

void *cofferdam_keep(size_t size) { return alloc(&cofferdam_setup_arena, size, NULL); }

static char *text_in(cofferdam_arena *arena, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) abort();
    char *text = alloc(arena, (size_t)length + 1, NULL);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

char *cofferdam_text_v(const char *format, va_list arguments) { return text_in(cofferdam_current_arena, format, arguments); }

char *cofferdam_text(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = text_in(cofferdam_current_arena, format, arguments);
    va_end(arguments);
    return text;
}

char *cofferdam_keep_text(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = text_in(&cofferdam_setup_arena, format, arguments);
    va_end(arguments);
    return text;
}

char *cofferdam_text_of(const void *bytes, size_t length) {
    if (length == SIZE_MAX) abort();
    char *text = cofferdam_alloc(length + 1);
    if (length) memcpy(text, bytes, length);
    return text;
}
