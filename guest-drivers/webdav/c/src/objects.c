/* Objects: stored, fetched, looked at, deleted.
 *
 * Problem: WebDAV does not promise that a PUT that breaks leaves what was there. Solved by a PUT to a hidden name, a look whether all of
 * it arrived, and a MOVE to the object's name, which servers do at once; whatever fails, the hidden resource is deleted. The next put or
 * delete of the object clears away what a killed one left. Whether the bytes are right, the host knows better.
 *
 * Some servers (Apache's mod_dav) do a MOVE onto what is there in two steps, and in between nothing is under the name. So that an object
 * is not there is believed only after a second and a third look, without a pause: a reader meets the old object or the new one, but for a
 * storm of replacements. Names of backups are never used twice, so this is rare.
 *
 * Cost: three requests for a put or a delete, one for the rest, two or three for what is not there.
 */
#include "dav.h"

#include <string.h>

static const char *shown(const char *verb, const cofferdam_address *at) {
    return cofferdam_text("%s the object %s of the container %s", verb, at->name, at->container);
}

static cofferdam_error *send_body(cofferdam_request *request, const dav_body *body, uint64_t *sent, cofferdam_response **response) {
    if (!body->text) return cofferdam_send_body(request, body->stream, body->info, sent, response);
    *sent = strlen(body->text);
    return cofferdam_send_bytes(request, body->text, strlen(body->text), response);
}

static cofferdam_error *upload(const dav *server, const cofferdam_address *at, const cofferdam_url *part, const dav_body *body) {
    const char *what = shown("store", at);
    cofferdam_request *request = dav_request(server, "PUT", part);
    cofferdam_request_header(request, "content-type", "application/octet-stream");
    cofferdam_response *response;
    uint64_t sent, size;
    COFFERDAM_TRY(send_body(request, body, &sent, &response));
    unsigned status = cofferdam_status(response);
    /* RFC 4918, 9.7.1: a PUT into a collection that is not there. */
    if (status == 409) return cofferdam_not_found("there is no container %s", at->container);
    if (status != 200 && status != 201 && status != 204) return dav_refused(response, what);
    cofferdam_close(response);
    found kind;
    COFFERDAM_TRY(dav_find(server, part, what, &kind, &size));
    if (kind != FOUND_RESOURCE) return cofferdam_failed("cannot %s: another put or delete of it came in between", what);
    if (size != sent)
        return cofferdam_failed("cannot %s: %llu bytes were sent, and the server has %llu", what, (unsigned long long)sent,
                                (unsigned long long)size);
    return COFFERDAM_OK;
}

/* Gives the whole resource its name. */
static cofferdam_error *publish(const dav *server, const cofferdam_address *at, const cofferdam_url *part) {
    const cofferdam_url *to = dav_object(server, at->container, at->name);
    cofferdam_request *request = dav_request(server, "MOVE", part);
    cofferdam_request_header(request, "destination", cofferdam_text("%s%s", cofferdam_url_origin(to), to->path));
    cofferdam_request_header(request, "overwrite", "T");
    cofferdam_response *response;
    COFFERDAM_TRY(cofferdam_send(request, &response));
    unsigned status = cofferdam_status(response);
    return status == 201 || status == 204 ? COFFERDAM_OK : dav_refused(response, shown("name", at));
}

cofferdam_error *dav_put(const dav *server, const cofferdam_address *at, const dav_body *body) {
    const cofferdam_url *part = dav_object(server, at->container, cofferdam_part_name(at->name));
    cofferdam_error *error = upload(server, at, part, body);
    if (!error) error = publish(server, at, part);
    if (!error) return COFFERDAM_OK;
    cofferdam_error *again = dav_remove(server, part, "clear away an unfinished put", NULL);
    if (again) cofferdam_warn("the unfinished put of %s stays: %s", at->name, again->text);
    return error;
}

cofferdam_error *dav_fetch(const dav *server, const cofferdam_address *at, const cofferdam_range *range, cofferdam_response **response) {
    cofferdam_request *request = dav_request(server, "GET", dav_object(server, at->container, at->name));
    cofferdam_request_header(request, "accept-encoding", "identity");
    if (range) cofferdam_request_header(request, "range", cofferdam_range_header(range));
    return cofferdam_send(request, response);
}

/* What stands under the object's name; that nothing does is asked twice. */
static cofferdam_error *look(const dav *server, const cofferdam_address *at, found *kind, uint64_t *size) {
    const cofferdam_url *object = dav_object(server, at->container, at->name);
    const char *what = shown("look at", at);
    COFFERDAM_TRY(dav_find(server, object, what, kind, size));
    return *kind == FOUND_NOTHING ? dav_find(server, object, what, kind, size) : COFFERDAM_OK;
}

/* Fetches, and believes a 404 only when further looks find nothing either. A 403 is what mod_dav says of a file that goes while it is
 * opened. */
static cofferdam_error *fetch_surely(const dav *server, const cofferdam_address *at, const cofferdam_range *range,
                                     cofferdam_response **response) {
    found kind;
    uint64_t size;
    COFFERDAM_TRY(dav_fetch(server, at, range, response));
    if (cofferdam_status(*response) != 404 && cofferdam_status(*response) != 403) return COFFERDAM_OK;
    cofferdam_close(*response);
    COFFERDAM_TRY(look(server, at, &kind, &size));
    return kind == FOUND_RESOURCE ? dav_fetch(server, at, range, response) : COFFERDAM_OK;
}

cofferdam_error *dav_get(const dav *server, const cofferdam_address *at, const cofferdam_range *range, cofferdam_output sink,
                         uint64_t *written) {
    const char *what = shown("read", at), *reason;
    cofferdam_response *response;
    uint64_t length;
    /* HTTP has no word for a range of no bytes. */
    if (range && range->has_length && !range->length) return dav_size(server, at, &length);
    COFFERDAM_TRY(fetch_surely(server, at, range, &response));
    if (!cofferdam_is_success(response) && cofferdam_status(response) != 416) return dav_refused(response, what);
    if (!cofferdam_range_length(cofferdam_status(response), cofferdam_response_header(response, "content-length"),
                                cofferdam_response_header(response, "content-range"), range, &length, &reason))
        return cofferdam_failed("cannot %s: %s", what, reason);
    return length ? cofferdam_response_pipe(response, sink, length, written) : COFFERDAM_OK;
}

cofferdam_error *dav_size(const dav *server, const cofferdam_address *at, uint64_t *size) {
    found kind;
    COFFERDAM_TRY(look(server, at, &kind, size));
    if (kind == FOUND_RESOURCE) return COFFERDAM_OK;
    if (kind == FOUND_NOTHING) return cofferdam_not_found("there is no %s in the container %s", at->name, at->container);
    return cofferdam_not_found("%s of the container %s is a collection, and so no object", at->name, at->container);
}

cofferdam_error *dav_delete(const dav *server, const cofferdam_address *at) {
    const char *what = shown("delete", at);
    const cofferdam_url *object = dav_object(server, at->container, at->name);
    found kind;
    uint64_t size;
    bool was_there;
    /* First, so that whoever meets a failure deletes again and finds both. */
    COFFERDAM_TRY(dav_remove(server, dav_object(server, at->container, cofferdam_part_name(at->name)), what, NULL));
    /* A DELETE of a collection would take all that is in it. */
    COFFERDAM_TRY(dav_find(server, object, what, &kind, &size));
    if (kind == FOUND_COLLECTION) return COFFERDAM_OK;
    /* A root that is gone says so of everything, and may come back. */
    if (kind == FOUND_NOTHING) return dav_check_root(server);
    COFFERDAM_TRY(dav_remove(server, object, what, &was_there));
    if (was_there) return COFFERDAM_OK;
    /* A storage that is half away says that nothing is there, of what is. */
    COFFERDAM_TRY(dav_find(server, object, what, &kind, &size));
    if (kind == FOUND_NOTHING) return COFFERDAM_OK;
    return cofferdam_unavailable("cannot %s: the server said that it is not there (404), and then that it is", what);
}
