/* How an operating system says that a storage is full: the host's pipe has only words for it. Pure. */
#include "internal.h"

#include <string.h>

static bool holds(const char *text, const char *words) {
    size_t length = strlen(words);
    for (; *text; text++) {
        size_t i = 0;
        for (; i < length && text[i]; i++) {
            char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
            if (c != words[i]) break;
        }
        if (i == length) return true;
    }
    return false;
}

bool cofferdam_is_full(const char *text) {
    static const char *const all[] = {"no space left", "quota exceeded", "insufficient-space", "(os error 28)", "(os error 122)"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (holds(text, all[i])) return true;
    return false;
}
