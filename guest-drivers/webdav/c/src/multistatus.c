/* Reads what a server tells of resources.
 *
 * A listing decides what is deleted and what is missing, so it must be whole: the root element must be closed, each resource must say
 * what it is, and any status but success or "gone" ends the reading with an error. Elements of other namespaces are passed over.
 *
 * Bound: one resource in memory, whose path has at most 8 KiB; a directory of a million resources takes no more.
 */
#include "multistatus.h"

#include "cofferdam_http.h"
#include "xml.h"

#include <string.h>

typedef enum kind { MULTISTATUS, RESPONSE, HREF, STATUS, PROPSTAT, PROP, PROP_STATUS, LENGTH, TYPE, COLLECTION, OTHER } kind;

/* A text that is collected, at most as long as its field. */
typedef struct field { size_t length; char text[8 * 1024]; } field;

/* Which elements mean something, and in which others. */
static const struct { kind in; const char *name; kind is; } known[] = {
    {MULTISTATUS, "response", RESPONSE},     {RESPONSE, "href", HREF}, {RESPONSE, "status", STATUS},
    {RESPONSE, "propstat", PROPSTAT},        {PROPSTAT, "prop", PROP}, {PROPSTAT, "status", PROP_STATUS},
    {PROP, "getcontentlength", LENGTH},      {PROP, "resourcetype", TYPE}, {TYPE, "collection", COLLECTION},
};

struct multistatus {
    const char *what;
    take_told take;
    void *context;
    xml_reader *reader;
    cofferdam_error *error;
    kind open[XML_DEEPEST + 1];
    size_t depth;
    bool is_one; /* its root is a multistatus */
    /* Of the response that is open. */
    field href, status, prop_status, length;
    bool has_href, has_status, has_prop_status;
    /* Of the propstat that is open, and then of the one that succeeded. */
    bool has_length, has_type, is_collection;
    bool kept, kept_length, kept_type, kept_collection;
    uint64_t size;
};

static bool senseless(multistatus *status) {
    status->error = cofferdam_failed("cannot %s: the server's answer is no whole multistatus", status->what);
    return false;
}

static bool once(multistatus *status, bool *flag, field *text) {
    if (*flag) return senseless(status);
    *flag = true;
    text->length = 0;
    text->text[0] = '\0';
    return true;
}

static bool on_start(void *context, const char *uri, const char *name) {
    multistatus *status = context;
    bool ours = strcmp(uri, "DAV:") == 0;
    kind is = OTHER;
    if (!status->depth) {
        if (!ours || strcmp(name, "multistatus") != 0) return senseless(status);
        status->is_one = true;
        is = MULTISTATUS;
    }
    for (size_t i = 0; status->depth && ours && i < sizeof known / sizeof *known; i++)
        if (known[i].in == status->open[status->depth - 1] && strcmp(known[i].name, name) == 0) is = known[i].is;
    status->open[status->depth++] = is;
    switch (is) {
    case RESPONSE: status->has_href = status->has_status = status->kept = false; return true;
    case PROPSTAT: status->has_prop_status = status->has_length = status->has_type = status->is_collection = false; return true;
    case HREF: return once(status, &status->has_href, &status->href);
    case STATUS: return once(status, &status->has_status, &status->status);
    case PROP_STATUS: return once(status, &status->has_prop_status, &status->prop_status);
    case LENGTH: return once(status, &status->has_length, &status->length);
    case TYPE: status->has_type = true; return true;
    case COLLECTION: status->is_collection = true; return true;
    default: return true;
    }
}

static bool on_text(void *context, const char *text, size_t length) {
    multistatus *status = context;
    kind is = status->open[status->depth - 1];
    field *to = is == HREF ? &status->href : is == STATUS ? &status->status : is == PROP_STATUS ? &status->prop_status
              : is == LENGTH                                                                     ? &status->length
                                                                                                 : NULL;
    if (!to) return true;
    if (length >= sizeof to->text - to->length) return senseless(status);
    memcpy(to->text + to->length, text, length);
    to->length += length;
    to->text[to->length] = '\0';
    return true;
}

/* The text without white space around it. */
static char *trimmed(field *text) {
    static const char space[] = " \t\r\n";
    while (text->length && strchr(space, text->text[text->length - 1])) text->text[--text->length] = '\0';
    return text->text + strspn(text->text, space);
}

/* 200 of `HTTP/1.1 200 OK`; 0 when there is none. */
static unsigned code_of(field *status) {
    const char *at = trimmed(status);
    at += strcspn(at, " ");
    at += strspn(at, " ");
    unsigned code = 0;
    int digits = 0;
    for (; *at >= '0' && *at <= '9' && digits < 4; at++, digits++) code = code * 10 + (unsigned)(*at - '0');
    return digits == 3 ? code : 0;
}

static bool refused(multistatus *status, unsigned code) {
    const char *text = code ? cofferdam_text("cannot %s: the server tells %u of a resource in it", status->what, code)
                            : cofferdam_text("cannot %s: the server tells no status of a resource in it", status->what);
    status->error = code == 401 || code == 403   ? cofferdam_unauthorized("%s", text)
                    : code >= 500 && code <= 599 ? cofferdam_unavailable("%s", text)
                                                 : cofferdam_failed("%s", text);
    return false;
}

static bool end_of_propstat(multistatus *status) {
    unsigned code = status->has_prop_status ? code_of(&status->prop_status) : 0;
    if (code == 404) return true; /* collections have no length */
    if (code != 200) return refused(status, code);
    if (status->kept) return senseless(status);
    status->kept = true;
    status->kept_type = status->has_type;
    status->kept_collection = status->is_collection;
    status->kept_length = status->has_length && cofferdam_parse_number(trimmed(&status->length), &status->size);
    return true;
}

/* An `href` is a path, or a whole URL. */
static char *path_of(char *href) {
    char *scheme = strstr(href, "://");
    if (!scheme || strcspn(href, "/") < (size_t)(scheme - href)) return href;
    char *slash = strchr(scheme + 3, '/');
    return slash ? slash : strcpy(href, "/");
}

static bool end_of_response(multistatus *status) {
    if (!status->has_href) return senseless(status);
    told resource = {path_of(trimmed(&status->href)), FOUND_NOTHING, 0};
    if (status->has_status) {
        /* Told of as a whole: it went while the server read the collection, or cannot be read. */
        unsigned code = code_of(&status->status);
        if (code != 404 && code != 410) return refused(status, code);
    } else if (!status->kept || !status->kept_type) {
        return senseless(status);
    } else if (status->kept_collection) {
        resource.kind = FOUND_COLLECTION;
    } else if (status->kept_length) {
        resource.kind = FOUND_RESOURCE;
        resource.size = status->size;
    } else {
        status->error = cofferdam_failed("cannot %s: the server does not tell a resource's length", status->what);
        return false;
    }
    status->error = status->take(status->context, &resource);
    return !status->error;
}

static bool on_end(void *context) {
    multistatus *status = context;
    kind is = status->open[--status->depth];
    return is == PROPSTAT ? end_of_propstat(status) : is == RESPONSE ? end_of_response(status) : true;
}

multistatus *multistatus_new(const char *what, take_told take, void *context) {
    static const xml_handler handler = {on_start, on_end, on_text};
    multistatus *status = cofferdam_alloc(sizeof *status);
    status->what = what;
    status->take = take;
    status->context = context;
    status->reader = xml_new(&handler, status);
    return status;
}

cofferdam_error *multistatus_push(multistatus *status, cofferdam_bytes piece) {
    if (!xml_push(status->reader, piece.data, piece.length) && !status->error) senseless(status);
    return status->error;
}

cofferdam_error *multistatus_end(const multistatus *status) {
    if (xml_whole(status->reader) && status->is_one) return COFFERDAM_OK;
    return cofferdam_failed("cannot %s: the server's answer is no whole multistatus", status->what);
}
