/* A small, strict reader of XML that is pushed bytes as they come, and tells of elements and text with namespaces resolved. */
#ifndef XML_H
#define XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { XML_DEEPEST = 16, XML_LONGEST_TOKEN = 64 * 1024 };

/* Any of them may end the reading by false. Texts end in a NUL and live only as long as the call. */
typedef struct xml_handler {
    bool (*start)(void *context, const char *namespace_uri, const char *name);
    bool (*end)(void *context);
    /* Text directly in the current element, perhaps in several pieces; entities are resolved. */
    bool (*text)(void *context, const char *text, size_t length);
} xml_handler;

typedef struct xml_reader xml_reader;

xml_reader *xml_new(const xml_handler *handler, void *context);
/* False: malformed, over a bound, or ended by the handler. No more may be pushed then. */
bool xml_push(xml_reader *reader, const uint8_t *bytes, size_t length);
/* Whether all that was pushed is one whole document. */
bool xml_whole(const xml_reader *reader);

#endif
