/* The names of one page of a listing, picked out of a storage's names as they come, in no order. Pure.
 *
 * A heap with the greatest name on top, one name longer than the page, so that it shows whether more follow. Bound: that many names,
 * however many there are. Names are compared as bytes.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct entry {
    char *name;
    uint64_t size;
} entry;

struct cofferdam_picker {
    const char *prefix, *after;
    size_t prefix_length, limit, count;
    entry *heap;
};

static void release(void *memory) {
    cofferdam_picker *picker = memory;
    for (size_t i = 0; i < picker->count; i++) free(picker->heap[i].name);
    free(picker->heap);
}

cofferdam_picker *cofferdam_picker_new(const char *prefix, const char *after, uint32_t limit) {
    cofferdam_picker *picker = cofferdam_alloc_held(sizeof *picker, release);
    picker->prefix = prefix ? prefix : "";
    picker->prefix_length = strlen(picker->prefix);
    picker->after = after;
    picker->limit = limit;
    picker->heap = cofferdam_malloc(((size_t)limit + 2) * sizeof *picker->heap);
    return picker;
}

static void swap(entry *one, entry *other) {
    entry kept = *one;
    *one = *other;
    *other = kept;
}

static void rise(entry *heap, size_t at) {
    while (at && strcmp(heap[at].name, heap[(at - 1) / 2].name) > 0) {
        swap(&heap[at], &heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void sink(entry *heap, size_t count) {
    for (size_t at = 0;;) {
        size_t child = 2 * at + 1;
        if (child >= count) return;
        if (child + 1 < count && strcmp(heap[child + 1].name, heap[child].name) > 0) child++;
        if (strcmp(heap[child].name, heap[at].name) <= 0) return;
        swap(&heap[at], &heap[child]);
        at = child;
    }
}

void cofferdam_picker_take(cofferdam_picker *picker, const char *name, uint64_t size) {
    if (strncmp(name, picker->prefix, picker->prefix_length) != 0) return;
    if (picker->after && strcmp(name, picker->after) <= 0) return;
    entry *heap = picker->heap;
    if (picker->count > picker->limit) {
        if (strcmp(name, heap[0].name) >= 0) return;
        free(heap[0].name);
        heap[0] = heap[--picker->count];
        sink(heap, picker->count);
    }
    size_t length = strlen(name) + 1;
    char *copy = cofferdam_malloc(length);
    memcpy(copy, name, length);
    heap[picker->count] = (entry){copy, size};
    rise(heap, picker->count++);
}

static int compare(const void *one, const void *other) { return strcmp(((const entry *)one)->name, ((const entry *)other)->name); }

/* Sorts, and says how many names are on the page. */
static size_t finish(cofferdam_picker *picker, bool *more) {
    qsort(picker->heap, picker->count, sizeof *picker->heap, compare);
    *more = picker->count > picker->limit;
    return *more ? picker->limit : picker->count;
}

void cofferdam_picker_page(cofferdam_picker *picker, cofferdam_page *page) {
    page->count = finish(picker, &page->more);
    cofferdam_object *objects = cofferdam_alloc(page->count * sizeof *objects);
    for (size_t i = 0; i < page->count; i++)
        objects[i] = (cofferdam_object){picker->heap[i].name, picker->heap[i].size};
    page->objects = objects;
}

void cofferdam_picker_containers(cofferdam_picker *picker, cofferdam_containers *page) {
    page->count = finish(picker, &page->more);
    const char **names = cofferdam_alloc(page->count * sizeof *names);
    for (size_t i = 0; i < page->count; i++) names[i] = picker->heap[i].name;
    page->names = names;
}
