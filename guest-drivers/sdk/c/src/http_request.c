/* A request, sent once.
 *
 * A body whose size is known is sent with its exact length (http_body.c); the host moves a streamed one. A body of unknown size goes in
 * chunks, whose end is not sent when it breaks.
 *
 * A server may answer before it has all of the body: "no right", "no space". It then stops reading, and what the driver sees first is
 * a body that cannot be written. So a broken body is no verdict: the answer is waited for, briefly, and only when none comes the break
 * itself is told.
 */
#include "http.h"

#include <string.h>

#define AGENT "cofferdam-c/0.1.0"
/* How long the answer to a request is waited for whose body could not be written. */
#define PATIENCE_NANOS UINT64_C(5000000000)

typedef struct header { struct header *next; const char *name, *value; } header;

struct cofferdam_request {
    const char *method;
    const cofferdam_url *url;
    header *first, **last;
    size_t header_count;
    uint64_t connect, first_byte, between_bytes;
};

cofferdam_request *cofferdam_request_new(const char *method, const cofferdam_url *url) {
    cofferdam_request *request = cofferdam_alloc(sizeof *request);
    request->method = method;
    request->url = url;
    request->last = &request->first;
    cofferdam_request_header(request, "user-agent", AGENT);
    return request;
}

void cofferdam_request_header(cofferdam_request *request, const char *name, const char *value) {
    header *added = cofferdam_alloc(sizeof *added);
    added->name = name;
    added->value = value;
    *request->last = added;
    request->last = &added->next;
    request->header_count++;
}

void cofferdam_request_timeouts(cofferdam_request *request, uint64_t connect, uint64_t first_byte, uint64_t between_bytes) {
    request->connect = connect;
    request->first_byte = first_byte;
    request->between_bytes = between_bytes;
}

/* A request under way: the answer to come, and the body to be written, if there is one. */
typedef struct started {
    const char *origin;
    wasi_http_types_own_future_incoming_response_t future;
    wasi_http_types_own_outgoing_body_t body;
    wasi_io_streams_own_output_stream_t stream;
} started;

static bool make_fields(const cofferdam_request *request, wasi_http_types_own_fields_t *fields) {
    wasi_http_types_list_tuple2_field_name_field_value_t list = {cofferdam_alloc(request->header_count * sizeof *list.ptr), 0};
    for (const header *at = request->first; at; at = at->next) {
        guest_string_t name = cofferdam_lend(at->name), value = cofferdam_lend(at->value);
        list.ptr[list.len++] = (wasi_http_types_tuple2_field_name_field_value_t){name, {value.ptr, value.len}};
    }
    wasi_http_types_header_error_t error;
    return wasi_http_types_static_fields_from_list(&list, fields, &error);
}

static wasi_http_types_method_t method_of(const char *name) {
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    wasi_http_types_method_t method = {WASI_HTTP_TYPES_METHOD_OTHER, {cofferdam_lend(name)}};
    for (uint8_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], name) == 0) method.tag = i;
    return method;
}

static bool set_head(const cofferdam_request *request, wasi_http_types_borrow_outgoing_request_t to) {
    const cofferdam_url *url = request->url;
    wasi_http_types_method_t method = method_of(request->method);
    wasi_http_types_scheme_t scheme = {url->tls ? WASI_HTTP_TYPES_SCHEME_HTTPS : WASI_HTTP_TYPES_SCHEME_HTTP, {{0}}};
    guest_string_t authority = cofferdam_lend(url->authority);
    guest_string_t path = cofferdam_lend(url->query ? cofferdam_text("%s?%s", url->path, url->query) : url->path);
    return wasi_http_types_method_outgoing_request_set_method(to, &method) &&
           wasi_http_types_method_outgoing_request_set_scheme(to, &scheme) &&
           wasi_http_types_method_outgoing_request_set_authority(to, &authority) &&
           wasi_http_types_method_outgoing_request_set_path_with_query(to, &path);
}

/* A host may not know one of the limits; its own then hold. */
static wasi_http_types_own_request_options_t options_of(const cofferdam_request *request) {
    wasi_http_types_own_request_options_t options = wasi_http_types_constructor_request_options();
    wasi_http_types_borrow_request_options_t lent = wasi_http_types_borrow_request_options(options);
    uint64_t connect = request->connect * 1000000, first = request->first_byte * 1000000, between = request->between_bytes * 1000000;
    if (connect) wasi_http_types_method_request_options_set_connect_timeout(lent, &connect);
    if (first) wasi_http_types_method_request_options_set_first_byte_timeout(lent, &first);
    if (between) wasi_http_types_method_request_options_set_between_bytes_timeout(lent, &between);
    return options;
}

static cofferdam_error *start(const cofferdam_request *request, bool with_body, started *to) {
    to->origin = cofferdam_url_origin(request->url);
    wasi_http_types_own_fields_t fields;
    if (!make_fields(request, &fields)) return cofferdam_failed("the host refused a header of a request to %s", to->origin);
    wasi_http_types_own_outgoing_request_t outgoing = wasi_http_types_constructor_outgoing_request(fields);
    wasi_http_types_borrow_outgoing_request_t lent = wasi_http_types_borrow_outgoing_request(outgoing);
    if (!set_head(request, lent)) {
        wasi_http_types_outgoing_request_drop_own(outgoing);
        return cofferdam_failed("the host refused a part of a request to %s", to->origin);
    }
    if (with_body && !wasi_http_types_method_outgoing_request_body(lent, &to->body)) {
        wasi_http_types_outgoing_request_drop_own(outgoing);
        return cofferdam_failed("the host gave no body for a request to %s", to->origin);
    }
    wasi_http_types_own_request_options_t options;
    wasi_http_types_error_code_t why;
    /* Hosts on wasmtime 48 never let go of options that they were given: one handle of 4096 for each request. So they are made only
     * when there is something to say. */
    bool limited = request->connect || request->first_byte || request->between_bytes;
    if (limited) options = options_of(request);
    /* Takes over the request and the options, also when it fails. */
    if (!wasi_http_outgoing_handler_handle(outgoing, limited ? &options : NULL, &to->future, &why)) {
        if (with_body) wasi_http_types_outgoing_body_drop_own(to->body);
        return cofferdam_http_failure(&why, to->origin);
    }
    if (with_body && !wasi_http_types_method_outgoing_body_write(wasi_http_types_borrow_outgoing_body(to->body), &to->stream)) {
        wasi_http_types_outgoing_body_drop_own(to->body);
        wasi_http_types_future_incoming_response_drop_own(to->future);
        return cofferdam_failed("the host gave no body for a request to %s", to->origin);
    }
    return COFFERDAM_OK;
}

/* The answer that has come; the future is let go of. */
static bool take_answer(started *under_way, wasi_http_types_own_incoming_response_t *incoming, wasi_http_types_error_code_t *why) {
    wasi_http_types_result_result_own_incoming_response_error_code_void_t result;
    bool there = wasi_http_types_method_future_incoming_response_get(
        wasi_http_types_borrow_future_incoming_response(under_way->future), &result);
    wasi_http_types_future_incoming_response_drop_own(under_way->future);
    if (there && !result.is_err && !result.val.ok.is_err) {
        *incoming = result.val.ok.val.ok;
        return true;
    }
    if (there && !result.is_err) {
        *why = result.val.ok.val.err;
    } else {
        /* Not ready, or taken already: no host does that after a wait. */
        memset(why, 0, sizeof *why);
        why->tag = WASI_HTTP_TYPES_ERROR_CODE_INTERNAL_ERROR;
    }
    return false;
}

static cofferdam_error *receive(started *under_way, cofferdam_response **response) {
    wasi_io_poll_own_pollable_t ready = wasi_http_types_method_future_incoming_response_subscribe(
        wasi_http_types_borrow_future_incoming_response(under_way->future));
    wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(ready));
    wasi_io_poll_pollable_drop_own(ready);
    wasi_http_types_own_incoming_response_t incoming;
    wasi_http_types_error_code_t why;
    if (!take_answer(under_way, &incoming, &why)) return cofferdam_http_failure(&why, under_way->origin);
    *response = cofferdam_response_new(incoming, under_way->origin);
    return COFFERDAM_OK;
}

static bool answers_soon(const started *under_way) {
    wasi_io_poll_own_pollable_t ready = wasi_http_types_method_future_incoming_response_subscribe(
        wasi_http_types_borrow_future_incoming_response(under_way->future));
    wasi_io_poll_own_pollable_t timer = wasi_clocks_monotonic_clock_subscribe_duration(PATIENCE_NANOS);
    wasi_io_poll_borrow_pollable_t both[] = {wasi_io_poll_borrow_pollable(ready), wasi_io_poll_borrow_pollable(timer)};
    wasi_io_poll_list_borrow_pollable_t list = {both, 2};
    guest_list_u32_t done;
    wasi_io_poll_poll(&list, &done);
    bool answered = false;
    for (size_t i = 0; i < done.len; i++) answered |= done.ptr[i] == 0;
    guest_list_u32_free(&done);
    wasi_io_poll_pollable_drop_own(ready);
    wasi_io_poll_pollable_drop_own(timer);
    return answered;
}

/* The answer to a request whose body could not be sent. Without one, `broken` is the error, unless the host knows more than that the
 * connection broke. One that claims success for a body that the server cannot have is no answer. */
static cofferdam_error *early_answer(started *under_way, cofferdam_error *broken, cofferdam_response **response) {
    wasi_http_types_own_incoming_response_t incoming;
    wasi_http_types_error_code_t why;
    if (!answers_soon(under_way)) {
        wasi_http_types_future_incoming_response_drop_own(under_way->future);
        return broken;
    }
    if (take_answer(under_way, &incoming, &why)) {
        *response = cofferdam_response_new(incoming, under_way->origin);
        if (!cofferdam_is_success(*response)) return COFFERDAM_OK;
        cofferdam_close(*response);
        return broken;
    }
    bool says_nothing = why.tag == WASI_HTTP_TYPES_ERROR_CODE_HTTP_PROTOCOL_ERROR ||
                        (why.tag == WASI_HTTP_TYPES_ERROR_CODE_INTERNAL_ERROR && !why.val.internal_error.is_some);
    cofferdam_error *error = cofferdam_http_failure(&why, under_way->origin);
    return says_nothing ? broken : error;
}

/* What is left to do once the body is written, or is not. */
static cofferdam_error *conclude(started *under_way, const cofferdam_piped *piped, uint64_t *sent, cofferdam_response **response) {
    wasi_io_streams_output_stream_drop_own(under_way->stream);
    wasi_http_types_error_code_t why;
    cofferdam_error *error;
    *sent = 0;
    switch (piped->outcome) {
    case PIPE_DONE:
        if (wasi_http_types_static_outgoing_body_finish(under_way->body, NULL, &why)) {
            *sent = piped->bytes;
            return receive(under_way, response);
        }
        return early_answer(under_way, cofferdam_http_failure(&why, under_way->origin), response);
    case PIPE_SINK_FAILED:
        /* The body is dropped unfinished only after the answer came, so that the host does not cut it off. */
        error = early_answer(under_way,
                             cofferdam_unavailable("%s took no more of the body: %s", under_way->origin, cofferdam_shown(piped->reason)),
                             response);
        wasi_http_types_outgoing_body_drop_own(under_way->body);
        return error;
    default:
        wasi_http_types_outgoing_body_drop_own(under_way->body);
        wasi_http_types_future_incoming_response_drop_own(under_way->future);
        return cofferdam_broken_body(piped);
    }
}

cofferdam_error *cofferdam_send(cofferdam_request *request, cofferdam_response **response) {
    started under_way;
    /* Servers refuse a POST or PUT that does not say that it has none. */
    if (strcmp(request->method, "PUT") == 0 || strcmp(request->method, "POST") == 0)
        cofferdam_request_header(request, "content-length", "0");
    COFFERDAM_TRY(start(request, false, &under_way));
    return receive(&under_way, response);
}

cofferdam_error *cofferdam_send_bytes(cofferdam_request *request, const void *bytes, size_t length, cofferdam_response **response) {
    started under_way;
    uint64_t sent;
    cofferdam_request_header(request, "content-length", cofferdam_text("%zu", length));
    COFFERDAM_TRY(start(request, true, &under_way));
    cofferdam_piped piped = cofferdam_write_bytes(under_way.stream, bytes, length);
    return conclude(&under_way, &piped, &sent, response);
}

cofferdam_error *cofferdam_send_body(cofferdam_request *request, cofferdam_input body, const cofferdam_body *info, uint64_t *sent,
                                     cofferdam_response **response) {
    started under_way;
    cofferdam_piped piped;
    uint64_t ignored;
    if (info->has_size) {
        cofferdam_request_header(request, "content-length", cofferdam_text("%llu", (unsigned long long)info->size));
        if (!info->size) {
            piped = cofferdam_end_of(body);
            if (piped.outcome != PIPE_DONE) return cofferdam_broken_body(&piped);
        }
    }
    COFFERDAM_TRY(start(request, true, &under_way));
    if (!info->has_size) piped = cofferdam_pipe(body, cofferdam_lend_output(under_way.stream), NULL);
    else if (info->size) piped = cofferdam_write_known(under_way.stream, body, info->size);
    return conclude(&under_way, &piped, sent ? sent : &ignored, response);
}
