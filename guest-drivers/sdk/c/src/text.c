/* UTF-8, and texts of others made fit to be shown. Pure.
 *
 * The host refuses a text that is not UTF-8 by ending the instance, so whatever goes out is checked or mended here.
 */
#include "internal.h"

#include <string.h>

enum { LONGEST_SHOWN = 200, LONGEST_QUOTED = 80 };

/* Length of the character at `at`, at most `left` bytes; 0 when it is none. */
static size_t character(const uint8_t *at, size_t left, uint32_t *code) {
    uint32_t first = at[0];
    size_t length = first < 0x80 ? 1 : first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3
                  : first >= 0xF0 && first < 0xF5                    ? 4
                                                                     : 0;
    if (length == 0 || length > left) return 0;
    uint32_t value = length == 1 ? first : first & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80) return 0;
        value = value << 6 | (at[i] & 0x3Fu);
    }
    /* Forms that are longer than they need to be, surrogates, and what is past the last character. */
    if ((length == 3 && value < 0x800) || (length == 4 && value < 0x10000)) return 0;
    if ((value >= 0xD800 && value < 0xE000) || value > 0x10FFFF) return 0;
    *code = value;
    return length;
}

bool cofferdam_is_utf8(const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    uint32_t code;
    while (length) {
        size_t step = character(at, length, &code);
        if (!step) return false;
        at += step;
        length -= step;
    }
    return true;
}

void cofferdam_make_utf8(char *text) {
    size_t left = strlen(text);
    uint8_t *at = (uint8_t *)text;
    uint32_t code;
    while (left) {
        size_t step = character(at, left, &code);
        if (!step) {
            *at = '?';
            step = 1;
        }
        at += step;
        left -= step;
    }
}

static bool is_control(uint32_t code) { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

/* Control characters are among what separates words here. */
static bool is_space(uint32_t code) {
    return is_control(code) || code == ' ' || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
           code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

char *cofferdam_shown(const char *text) {
    char *line = cofferdam_alloc(LONGEST_SHOWN * 4 + 8), *end = line;
    const uint8_t *at = (const uint8_t *)text;
    size_t left = strlen(text), shown = 0;
    bool gap = false;
    while (left) {
        uint32_t code = '?';
        size_t step = character(at, left, &code);
        bool odd = !step;
        step = odd ? 1 : step;
        if (is_space(code)) {
            gap = end != line;
        } else {
            if (shown + gap >= LONGEST_SHOWN) {
                memcpy(end, "...", 3);
                break;
            }
            if (gap) *end++ = ' ';
            shown += 1 + gap;
            gap = false;
            if (odd) *end++ = '?';
            else memcpy(end, at, step), end += step;
        }
        at += step;
        left -= step;
    }
    return line;
}

const char *cofferdam_quoted(const char *text) {
    static const char digits[] = "0123456789abcdef";
    char *line = cofferdam_alloc(LONGEST_QUOTED * 8 + 8), *end = line;
    const uint8_t *at = (const uint8_t *)text;
    size_t left = strlen(text);
    *end++ = '"';
    for (int shown = 0; left && shown < LONGEST_QUOTED; shown++) {
        uint32_t code = '?';
        size_t step = character(at, left, &code);
        const char *escape = code == '"' ? "\\\"" : code == '\\' ? "\\\\" : code == '\n' ? "\\n" : code == '\r' ? "\\r"
                           : code == '\t'                                                    ? "\\t"
                                                                                             : NULL;
        if (!step) {
            *end++ = '?';
            step = 1;
        } else if (escape) {
            memcpy(end, escape, 2);
            end += 2;
        } else if (is_control(code)) {
            memcpy(end, "\\u{", 3);
            end += 3;
            if (code > 15) *end++ = digits[code >> 4];
            *end++ = digits[code & 15];
            *end++ = '}';
        } else {
            memcpy(end, at, step);
            end += step;
        }
        at += step;
        left -= step;
    }
    *end++ = '"';
    if (left) memcpy(end, "...", 3);
    return line;
}
