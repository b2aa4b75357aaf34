#include "dav.h"

#include <string.h>

/* The two properties of which a driver lives. Naming them spares the server the others. */
static const char wanted[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                             "<propfind xmlns=\"DAV:\"><prop><getcontentlength/><resourcetype/></prop></propfind>";

cofferdam_request *dav_request(const dav *server, const char *method, const cofferdam_url *url) {
    cofferdam_request *request = cofferdam_request_new(method, url);
    if (server->authorization) cofferdam_request_header(request, "authorization", server->authorization);
    return request;
}

/* 207 and 202 are no failures by their number, but they do not say either that it was done. */
cofferdam_error *dav_refused(const cofferdam_response *response, const char *what) {
    unsigned status = cofferdam_status(response);
    if (cofferdam_is_success(response)) return cofferdam_failed("cannot %s: the server answered %u", what, status);
    if (status == 423) return cofferdam_unavailable("cannot %s: it is locked (423)", what);
    return cofferdam_response_error(response, what);
}

/* Sends a PROPFIND; NULL in `response`: there is nothing. */
static cofferdam_error *ask(const dav *server, const char *depth, const cofferdam_url *url, const char *what,
                            cofferdam_response **response) {
    cofferdam_request *request = dav_request(server, "PROPFIND", url);
    cofferdam_request_header(request, "depth", depth);
    cofferdam_request_header(request, "content-type", "application/xml; charset=utf-8");
    cofferdam_request_header(request, "accept-encoding", "identity");
    COFFERDAM_TRY(cofferdam_send_bytes(request, wanted, strlen(wanted), response));
    unsigned status = cofferdam_status(*response);
    if (status == 207) return COFFERDAM_OK;
    if (status == 404 || status == 410) {
        cofferdam_close(*response);
        *response = NULL;
        return COFFERDAM_OK;
    }
    if (cofferdam_is_success(*response) || status == 405 || status == 501)
        return cofferdam_failed("cannot %s: %s answered %u to PROPFIND: is it a WebDAV server?", what, cofferdam_url_origin(url), status);
    return dav_refused(*response, what);
}

static cofferdam_error *unasked(const char *what) {
    return cofferdam_failed("cannot %s: the server told of other resources than were asked for", what);
}

static cofferdam_error *push(void *context, cofferdam_bytes piece) { return multistatus_push(context, piece); }

static cofferdam_error *read_all(cofferdam_response *response, const char *what, take_told take, void *context) {
    multistatus *status = multistatus_new(what, take, context);
    COFFERDAM_TRY(cofferdam_response_each(response, push, status));
    return multistatus_end(status);
}

/* What is asked for, and what was told of it so far. */
typedef struct asked {
    const char *what, *collection; /* the decoded path */
    bool told;
    found kind;
    uint64_t size;
    take_told take; /* of members; NULL: there must be none */
    void *context;
} asked;

static cofferdam_error *sort_out(void *context, const told *resource) {
    asked *question = context;
    const char *name = dav_below(question->collection, resource->path);
    if (!name || strchr(name, '/')) return unasked(question->what);
    if (*name) {
        told member = *resource;
        if (!question->take) return unasked(question->what);
        /* It points into the same text, which may be written to. */
        member.path = (char *)(uintptr_t)name;
        return question->take(question->context, &member);
    }
    if (question->told) return unasked(question->what);
    question->told = true;
    question->kind = resource->kind;
    question->size = resource->size;
    return COFFERDAM_OK;
}

static cofferdam_error *question_of(const cofferdam_url *url, const char *what, asked *question) {
    const char *path = cofferdam_unpercent(url->path);
    if (!path) return cofferdam_failed("cannot %s: the path of its URL is not UTF-8", what);
    *question = (asked){.what = what, .collection = path};
    return COFFERDAM_OK;
}

cofferdam_error *dav_find(const dav *server, const cofferdam_url *url, const char *what, found *kind, uint64_t *size) {
    cofferdam_response *response;
    asked question;
    COFFERDAM_TRY(question_of(url, what, &question));
    COFFERDAM_TRY(ask(server, "0", url, what, &response));
    *kind = FOUND_NOTHING;
    *size = 0;
    if (!response) return COFFERDAM_OK;
    COFFERDAM_TRY(read_all(response, what, sort_out, &question));
    if (!question.told) return unasked(what);
    *kind = question.kind;
    *size = question.size;
    return COFFERDAM_OK;
}

cofferdam_error *dav_each(const dav *server, const cofferdam_url *url, const char *what, take_told take, void *context, bool *there) {
    cofferdam_response *response;
    asked question;
    COFFERDAM_TRY(question_of(url, what, &question));
    COFFERDAM_TRY(ask(server, "1", url, what, &response));
    *there = false;
    if (!response) return COFFERDAM_OK;
    question.take = take;
    question.context = context;
    COFFERDAM_TRY(read_all(response, what, sort_out, &question));
    /* Without the collection itself it is no listing of it. */
    if (!question.told) return unasked(what);
    if (question.kind == FOUND_RESOURCE)
        return cofferdam_failed("cannot %s: a plain resource stands in the place of the collection", what);
    *there = question.kind == FOUND_COLLECTION;
    return COFFERDAM_OK;
}

cofferdam_error *dav_remove(const dav *server, const cofferdam_url *url, const char *what, bool *was_there) {
    cofferdam_response *response;
    COFFERDAM_TRY(cofferdam_send(dav_request(server, "DELETE", url), &response));
    unsigned status = cofferdam_status(response);
    if (was_there) *was_there = status == 200 || status == 204;
    if (status == 200 || status == 204 || status == 404 || status == 410) {
        cofferdam_close(response);
        return COFFERDAM_OK;
    }
    return dav_refused(response, what);
}
