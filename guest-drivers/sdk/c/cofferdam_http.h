/* HTTP for drivers: one request, one answer, over wasi:http.
 *
 * A request is built, sent once with no body, a small one or a streamed one, and gives an answer: status, headers, and a body that is
 * read up to a limit or moved to a sink by the host. Nothing is tried twice, no redirect is followed, no body is collected without a
 * limit. What a server says is hostile until checked. Who owns what: see cofferdam_driver.h; an answer lets go of its connection
 * when the call returns, or earlier by cofferdam_close.
 */
#ifndef COFFERDAM_HTTP_H
#define COFFERDAM_HTTP_H

#include "cofferdam_driver.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Addresses: http or https, a host, perhaps a port, a path, perhaps a query; no user, password or fragment ---- */

typedef struct cofferdam_url {
    bool tls;
    const char *authority; /* lower case; a scheme's usual port is left out, as in the host header and in grants */
    const char *path;      /* percent-encoded, begins with `/` */
    const char *query;     /* percent-encoded, or NULL */
} cofferdam_url;

/* NULL when it is no such address; then `reason` says why, without showing the text. */
const cofferdam_url *cofferdam_url_parse(const char *text, const char **reason);
/* With `path`, which must be percent-encoded, behind this one's and one `/` between; without a query. */
const cofferdam_url *cofferdam_url_join(const cofferdam_url *url, const char *path);
/* Scheme and authority only: what a grant names and what errors may show. */
const char *cofferdam_url_origin(const cofferdam_url *url);
/* The URL of an option that must be there. The error does not show it. */
cofferdam_error *cofferdam_require_url(const cofferdam_settings *settings, const char *name, const cofferdam_url **url);
/* The same; NULL when the option is absent. */
cofferdam_error *cofferdam_get_url(const cofferdam_settings *settings, const char *name, const cofferdam_url **url);

/* Percent-encodes all but letters, digits and -._~ */
const char *cofferdam_percent(const char *text);
/* Undoes it; NULL when an escape is malformed, or the result is not UTF-8 or holds a NUL. */
const char *cofferdam_unpercent(const char *text);
/* The same in place, for texts of which there are very many. */
bool cofferdam_unpercent_here(char *text);
/* Lower-case hex. */
const char *cofferdam_hex(cofferdam_bytes bytes);

/* ---- Requests ---- */

typedef struct cofferdam_request cofferdam_request;
typedef struct cofferdam_response cofferdam_response;

/* `method` is GET, PUT, PROPFIND, ...; the host adds the host header. */
cofferdam_request *cofferdam_request_new(const char *method, const cofferdam_url *url);
/* Adds a header field; the value may hold the placeholder of a secret. */
void cofferdam_request_header(cofferdam_request *request, const char *name, const char *value);
/* Limits in milliseconds, 0: the host's alone. The host's own limits hold beside these. */
void cofferdam_request_timeouts(cofferdam_request *request, uint64_t connect, uint64_t first_byte, uint64_t between_bytes);

/* Without a body. */
cofferdam_error *cofferdam_send(cofferdam_request *request, cofferdam_response **response);
/* With a small body. */
cofferdam_error *cofferdam_send_bytes(cofferdam_request *request, const void *bytes, size_t length, cofferdam_response **response);
/* With the body of a put, moved by the host: by its length if `info` has one (what is longer or shorter is an error, and the server
 * never gets all of it), else in chunks. `sent` (may be NULL): how many bytes; 0 when the server answered before it had them all. */
cofferdam_error *cofferdam_send_body(cofferdam_request *request, cofferdam_input body, const cofferdam_body *info, uint64_t *sent,
                                     cofferdam_response **response);

/* ---- Answers ---- */

/* Hostile: any number. */
unsigned cofferdam_status(const cofferdam_response *response);
bool cofferdam_is_success(const cofferdam_response *response);
/* The first field of that name in any case, spaces cut; NULL when there is none or it is no text. */
const char *cofferdam_response_header(const cofferdam_response *response, const char *name);
/* The field as digits only. */
bool cofferdam_response_number(const cofferdam_response *response, const char *name, uint64_t *number);
/* The whole body; one that breaks off is an error, and so is one of more than `limit` bytes. A NUL follows the last byte. */
cofferdam_error *cofferdam_response_bytes(cofferdam_response *response, size_t limit, cofferdam_bytes *body);
/* Gives the body to `take` in pieces as they come; an error of it ends the reading. For answers that may be long. */
typedef cofferdam_error *(*cofferdam_take_piece)(void *context, cofferdam_bytes piece);
cofferdam_error *cofferdam_response_each(cofferdam_response *response, cofferdam_take_piece take, void *context);
/* Moves exactly `length` bytes of the body into the sink. */
cofferdam_error *cofferdam_response_pipe(cofferdam_response *response, cofferdam_output sink, uint64_t length, uint64_t *moved);
/* The error that the status means: "cannot <what>: the server answered ...". See cofferdam_status_error. */
cofferdam_error *cofferdam_response_error(const cofferdam_response *response, const char *what);
/* Lets go of the connection now. */
void cofferdam_close(cofferdam_response *response);

/* ---- What answers mean. Pure ---- */

/* 401, 403 unauthorized; 404, 410 not-found; 413, 507 out-of-space; 429, and 503 with Retry-After, throttled; 408 and other 5xx
 * unavailable; all else failed. `retry_after` is that header or NULL, `now` seconds since 1970. 409 and 412 mean something else
 * with every storage: a driver that expects them looks at them first. */
cofferdam_error *cofferdam_status_error(unsigned status, const char *retry_after, uint64_t now, const char *what);
/* The Range header's value; NULL for the whole object. The range must not be empty. */
const char *cofferdam_range_header(const cofferdam_range *range);
/* How many bytes of an answer's body are what was asked for; false: it cannot be taken, and `reason` says why. `content_length` and
 * `content_range` are those headers or NULL. */
bool cofferdam_range_length(unsigned status, const char *content_length, const char *content_range, const cofferdam_range *range,
                            uint64_t *length, const char **reason);
/* Seconds since 1970 of the usual form of an HTTP date: Sun, 06 Nov 1994 08:49:37 GMT. */
bool cofferdam_parse_http_date(const char *text, uint64_t *seconds);
/* Digits only. */
bool cofferdam_parse_number(const char *text, uint64_t *number);

#ifdef __cplusplus
}
#endif
#endif
