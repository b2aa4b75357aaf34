/* The reader: collects one token (a tag, a comment, a text between tags) and understands it once it is whole.
 *
 * Strict and small, because what it reads comes from a server that may be hostile: UTF-8 only, no document type (so no entities but
 * the five and numbers), every prefix bound, every element closed by its own name, nothing but comments outside of the root.
 * Attributes are checked for form; only those that bind namespaces mean anything here.
 *
 * Bound: 16 elements deep, 64 KiB a token, 8 KiB of names and namespaces in force. Cost: no allocation but the reader itself.
 */
#include "xml.h"

#include "cofferdam_driver.h"

#include <string.h>

enum { LONGEST_NAMES = 8 * 1024, MOST_BINDINGS = 64 };

typedef struct binding { const char *prefix, *uri; } binding;

typedef struct element {
    const char *name; /* as written */
    size_t names_before, bindings_before;
} element;

struct xml_reader {
    const xml_handler *handler;
    void *context;
    bool in_tag, root_closed, begun;
    char quote; /* within a tag: the quote that is open */
    size_t length;
    char token[XML_LONGEST_TOKEN + 1];
    element open[XML_DEEPEST];
    size_t depth;
    binding bindings[MOST_BINDINGS];
    size_t binding_count;
    char names[LONGEST_NAMES]; /* a stack, as the elements are */
    size_t names_length;
};

xml_reader *xml_new(const xml_handler *handler, void *context) {
    xml_reader *reader = cofferdam_alloc(sizeof *reader);
    reader->handler = handler;
    reader->context = context;
    return reader;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static bool is_name_byte(char c) { return (uint8_t)c > ' ' && !strchr("<>/=\"'&", c); }

static char *skip_space(char *at) {
    while (is_space(*at)) at++;
    return at;
}

/* Keeps a text as long as the current element is open. */
static const char *keep(xml_reader *reader, const char *text, size_t length) {
    if (length >= LONGEST_NAMES - reader->names_length) return NULL;
    char *kept = reader->names + reader->names_length;
    memcpy(kept, text, length);
    kept[length] = '\0';
    reader->names_length += length + 1;
    return kept;
}

static size_t put_character(char *to, uint32_t code) {
    if (code < 0x80) return to[0] = (char)code, 1;
    if (code < 0x800) return to[0] = (char)(0xC0 | code >> 6), to[1] = (char)(0x80 | (code & 63)), 2;
    if (code < 0x10000)
        return to[0] = (char)(0xE0 | code >> 12), to[1] = (char)(0x80 | (code >> 6 & 63)), to[2] = (char)(0x80 | (code & 63)), 3;
    to[0] = (char)(0xF0 | code >> 18);
    to[1] = (char)(0x80 | (code >> 12 & 63));
    to[2] = (char)(0x80 | (code >> 6 & 63));
    to[3] = (char)(0x80 | (code & 63));
    return 4;
}

/* The character of `#..;` or a name and `;`; 0 when it is none. `rest` is set behind the `;`. */
static uint32_t entity(const char *at, const char **rest) {
    static const struct { const char *name; char character; } known[] = {
        {"lt;", '<'}, {"gt;", '>'}, {"amp;", '&'}, {"quot;", '"'}, {"apos;", '\''}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(at, known[i].name, strlen(known[i].name)) == 0)
            return *rest = at + strlen(known[i].name), (uint32_t)known[i].character;
    if (*at++ != '#') return 0;
    bool hex = *at == 'x';
    uint32_t code = 0;
    const char *digits = at += hex;
    for (; *at && *at != ';'; at++) {
        char c = *at;
        int digit = c >= '0' && c <= '9' ? c - '0' : !hex ? -1 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0 || code > 0x10FFFF) return 0;
        code = code * (hex ? 16u : 10u) + (uint32_t)digit;
    }
    *rest = at + 1;
    bool character = code == 9 || code == 10 || code == 13 || (code >= 0x20 && code < 0xD800) || (code >= 0xE000 && code <= 0x10FFFF);
    return *at == ';' && at != digits && character ? code : 0;
}

/* Resolves entities in place: what they stand for is never longer. */
static bool resolve(char *text, size_t *length) {
    char *to = text;
    const char *at = text;
    while (*at) {
        if (*at != '&') {
            *to++ = *at++;
            continue;
        }
        uint32_t code = entity(at + 1, &at);
        if (!code) return false;
        to += put_character(to, code);
    }
    *to = '\0';
    *length = (size_t)(to - text);
    return true;
}

static bool tell_text(xml_reader *reader, size_t length) {
    return cofferdam_is_utf8(reader->token, length) && reader->handler->text(reader->context, reader->token, length);
}

/* Text between tags. */
static bool on_text(xml_reader *reader) {
    size_t length = reader->length;
    if (!length) return true;
    if (!reader->depth) return !skip_space(reader->token)[0];
    return !strstr(reader->token, "]]>") && resolve(reader->token, &length) && tell_text(reader, length);
}

static const char *lookup(const xml_reader *reader, const char *prefix, size_t length) {
    for (size_t i = reader->binding_count; i-- > 0;)
        if (strlen(reader->bindings[i].prefix) == length && memcmp(reader->bindings[i].prefix, prefix, length) == 0)
            return reader->bindings[i].uri;
    return length ? NULL : "";
}

static bool bind(xml_reader *reader, const char *prefix, size_t prefix_length, char *uri) {
    size_t length;
    if (!resolve(uri, &length) || !cofferdam_is_utf8(uri, length) || reader->binding_count == MOST_BINDINGS) return false;
    /* A prefix cannot be bound to nothing. */
    if (prefix_length && !length) return false;
    const char *kept_prefix = keep(reader, prefix, prefix_length), *kept_uri = keep(reader, uri, length);
    if (!kept_prefix || !kept_uri) return false;
    reader->bindings[reader->binding_count++] = (binding){kept_prefix, kept_uri};
    return true;
}

/* Reads the attributes up to the end of the tag. */
static bool attributes(xml_reader *reader, char *at) {
    for (;;) {
        char *before = at;
        at = skip_space(at);
        if (!*at) return true;
        if (at == before) return false;
        char *name = at;
        while (*at && is_name_byte(*at)) at++;
        size_t name_length = (size_t)(at - name);
        at = skip_space(at);
        if (!name_length || *at != '=') return false;
        at = skip_space(at + 1);
        char quote = *at;
        if (quote != '"' && quote != '\'') return false;
        char *value = at + 1, *end = strchr(value, quote);
        if (!end || memchr(value, '<', (size_t)(end - value))) return false;
        *end = '\0';
        at = end + 1;
        if (name_length == 5 && memcmp(name, "xmlns", 5) == 0) {
            if (!bind(reader, "", 0, value)) return false;
        } else if (name_length > 6 && memcmp(name, "xmlns:", 6) == 0) {
            if (!bind(reader, name + 6, name_length - 6, value)) return false;
        }
    }
}

static bool on_end(xml_reader *reader, const char *name, size_t length) {
    if (!reader->depth) return false;
    const element *last = &reader->open[reader->depth - 1];
    if (strlen(last->name) != length || memcmp(last->name, name, length) != 0) return false;
    reader->names_length = last->names_before;
    reader->binding_count = last->bindings_before;
    reader->depth--;
    reader->root_closed = !reader->depth;
    return reader->handler->end(reader->context);
}

static bool on_start(xml_reader *reader, char *tag, size_t length) {
    bool empty = length && tag[length - 1] == '/';
    if (empty) tag[--length] = '\0';
    size_t name_length = 0;
    while (tag[name_length] && is_name_byte(tag[name_length])) name_length++;
    if (!name_length || reader->root_closed || reader->depth == XML_DEEPEST) return false;
    element *opened = &reader->open[reader->depth];
    *opened = (element){NULL, reader->names_length, reader->binding_count};
    opened->name = keep(reader, tag, name_length);
    if (!opened->name || !attributes(reader, tag + name_length)) return false;
    const char *colon = strchr(opened->name, ':'), *name = colon ? colon + 1 : opened->name;
    const char *uri = lookup(reader, opened->name, colon ? (size_t)(colon - opened->name) : 0);
    if (!uri || !*name || strchr(name, ':') || (colon && colon == opened->name)) return false;
    reader->depth++;
    if (!reader->handler->start(reader->context, uri, name)) return false;
    return !empty || on_end(reader, opened->name, strlen(opened->name));
}

/* A declaration that names another encoding than ours makes all that follows unreadable. */
static bool on_instruction(const char *text) {
    if (strncmp(text, "?xml", 4) != 0 || !is_space(text[4])) return true;
    const char *encoding = strstr(text, "encoding");
    if (!encoding) return true;
    encoding += strcspn(encoding, "\"'");
    static const char utf8[] = "utf-8";
    for (size_t i = 0; i < 5; i++)
        if (!encoding[0] || (encoding[i + 1] | 32) != (utf8[i] | 32)) return false;
    return encoding[6] == encoding[0];
}

static bool ends_with(const xml_reader *reader, size_t least, const char *end) {
    size_t length = strlen(end);
    return reader->length >= least && memcmp(reader->token + reader->length - length, end, length) == 0;
}

/* What stands between `<` and `>`. */
static bool on_markup(xml_reader *reader) {
    char *tag = reader->token;
    size_t length = reader->length;
    if (strncmp(tag, "![CDATA[", 8) == 0) {
        if (!reader->depth) return false;
        length -= 10;
        memmove(tag, tag + 8, length);
        tag[length] = '\0';
        return tell_text(reader, length);
    }
    if (tag[0] == '!') return true; /* a comment: all else was refused when it began */
    if (tag[0] == '?') return on_instruction(tag);
    if (tag[0] != '/') return on_start(reader, tag, length);
    while (length > 1 && is_space(tag[length - 1])) length--;
    return on_end(reader, tag + 1, length - 1);
}

/* Whether the markup that was collected ends with the `>` that comes now. */
static bool is_end_of_markup(const xml_reader *reader) {
    if (strncmp(reader->token, "!--", 3) == 0) return ends_with(reader, 5, "--");
    if (strncmp(reader->token, "![CDATA[", 8) == 0) return ends_with(reader, 10, "]]");
    if (reader->token[0] == '?') return ends_with(reader, 2, "?");
    return !reader->quote;
}

/* A `<!` must become a comment or CDATA: a document type is refused at its second byte. */
static bool is_allowed(const xml_reader *reader) {
    static const char *const known[] = {"!--", "![CDATA["};
    if (reader->token[0] != '!') return true;
    for (size_t i = 0; i < 2; i++) {
        size_t length = strlen(known[i]);
        if (memcmp(reader->token, known[i], reader->length < length ? reader->length : length) == 0) return true;
    }
    return false;
}

static bool append(xml_reader *reader, char c) {
    if (reader->length == XML_LONGEST_TOKEN || !c) return false;
    reader->token[reader->length++] = c;
    reader->token[reader->length] = '\0';
    return true;
}

static bool push_byte(xml_reader *reader, char c) {
    if (!reader->in_tag) {
        if (c != '<') return append(reader, c);
        /* A mark of the byte order may stand before the first. */
        bool marked = !reader->begun && reader->length == 3 && memcmp(reader->token, "\xEF\xBB\xBF", 3) == 0;
        if (!marked && !on_text(reader)) return false;
        reader->begun = reader->in_tag = true;
        reader->quote = 0;
        reader->length = 0;
        reader->token[0] = '\0';
        return true;
    }
    if (c == '>' && is_end_of_markup(reader)) {
        reader->in_tag = false;
        if (!on_markup(reader)) return false;
        reader->length = 0;
        reader->token[0] = '\0';
        return true;
    }
    bool plain = reader->token[0] != '!' && reader->token[0] != '?';
    if (plain && (c == '<' || (c == '>' && !reader->quote))) return false;
    if (plain && reader->quote == c) reader->quote = 0;
    else if (plain && !reader->quote && (c == '"' || c == '\'')) reader->quote = c;
    return append(reader, c) && is_allowed(reader);
}

bool xml_push(xml_reader *reader, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!push_byte(reader, (char)bytes[i])) return false;
    return true;
}

bool xml_whole(const xml_reader *reader) {
    if (!reader->root_closed || reader->in_tag) return false;
    for (size_t i = 0; i < reader->length; i++)
        if (!is_space(reader->token[i])) return false;
    return true;
}
