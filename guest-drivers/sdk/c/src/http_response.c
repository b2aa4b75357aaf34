/* An answer: status, headers, and a body that is read up to a limit or moved to a sink by the host. */
#include "http.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 64 * 1024 };

typedef struct field { const char *name, *value; } field;

struct cofferdam_response {
    wasi_http_types_own_incoming_response_t incoming;
    bool open;
    unsigned status;
    const char *origin;
    field *fields;
    size_t field_count;
};

static void release(void *memory) { cofferdam_close(memory); }

/* The value without spaces around it; NULL when it is no text. */
static const char *value_of(const wasi_http_types_field_value_t *value) {
    const uint8_t *start = value->ptr;
    size_t length = value->len;
    while (length && (*start == ' ' || *start == '\t')) start++, length--;
    while (length && (start[length - 1] == ' ' || start[length - 1] == '\t')) length--;
    if (length && (memchr(start, 0, length) || !cofferdam_is_utf8(start, length))) return NULL;
    return cofferdam_text_of(start, length);
}

cofferdam_response *cofferdam_response_new(wasi_http_types_own_incoming_response_t incoming, const char *origin) {
    cofferdam_response *response = cofferdam_alloc_held(sizeof *response, release);
    wasi_http_types_borrow_incoming_response_t lent = wasi_http_types_borrow_incoming_response(incoming);
    response->incoming = incoming;
    response->open = true;
    response->origin = origin;
    response->status = wasi_http_types_method_incoming_response_status(lent);
    wasi_http_types_list_tuple2_field_name_field_value_t entries;
    wasi_http_types_own_headers_t headers = wasi_http_types_method_incoming_response_headers(lent);
    wasi_http_types_method_fields_entries(wasi_http_types_borrow_fields(headers), &entries);
    wasi_http_types_fields_drop_own(headers);
    response->fields = cofferdam_alloc(entries.len * sizeof *response->fields);
    for (size_t i = 0; i < entries.len; i++) {
        response->fields[i].name = cofferdam_text_of(entries.ptr[i].f0.ptr, entries.ptr[i].f0.len);
        response->fields[i].value = value_of(&entries.ptr[i].f1);
    }
    response->field_count = entries.len;
    wasi_http_types_list_tuple2_field_name_field_value_free(&entries);
    return response;
}

void cofferdam_close(cofferdam_response *response) {
    if (response->open) wasi_http_types_incoming_response_drop_own(response->incoming);
    response->open = false;
}

unsigned cofferdam_status(const cofferdam_response *response) { return response->status; }

bool cofferdam_is_success(const cofferdam_response *response) { return response->status >= 200 && response->status < 300; }

static bool same_name(const char *one, const char *other) {
    for (;; one++, other++) {
        char a = *one >= 'A' && *one <= 'Z' ? (char)(*one + 32) : *one, b = *other >= 'A' && *other <= 'Z' ? (char)(*other + 32) : *other;
        if (a != b) return false;
        if (!a) return true;
    }
}

const char *cofferdam_response_header(const cofferdam_response *response, const char *name) {
    for (size_t i = 0; i < response->field_count; i++)
        if (same_name(response->fields[i].name, name)) return response->fields[i].value;
    return NULL;
}

bool cofferdam_response_number(const cofferdam_response *response, const char *name, uint64_t *number) {
    return cofferdam_parse_number(cofferdam_response_header(response, name), number);
}

cofferdam_error *cofferdam_response_error(const cofferdam_response *response, const char *what) {
    return cofferdam_status_error(response->status, cofferdam_response_header(response, "retry-after"), cofferdam_now(), what);
}

/* Body and stream of an answer; a body is given out once. */
typedef struct opened { wasi_http_types_own_incoming_body_t body; wasi_io_streams_own_input_stream_t stream; } opened;

static cofferdam_error *open_body(cofferdam_response *response, opened *to) {
    wasi_http_types_borrow_incoming_response_t lent = wasi_http_types_borrow_incoming_response(response->incoming);
    if (response->open && wasi_http_types_method_incoming_response_consume(lent, &to->body)) {
        if (wasi_http_types_method_incoming_body_stream(wasi_http_types_borrow_incoming_body(to->body), &to->stream))
            return COFFERDAM_OK;
        wasi_http_types_incoming_body_drop_own(to->body);
    }
    return cofferdam_failed("the host gave no body for the answer of %s", response->origin);
}

static void close_body(cofferdam_response *response, opened *open) {
    wasi_io_streams_input_stream_drop_own(open->stream);
    wasi_http_types_incoming_body_drop_own(open->body);
    cofferdam_close(response);
}

static cofferdam_error *broken(const cofferdam_response *response, wasi_io_streams_own_error_t held) {
    wasi_http_types_error_code_t why;
    bool known = wasi_http_types_http_error_code(wasi_io_error_borrow_error(held), &why);
    wasi_io_error_error_drop_own(held);
    if (known) return cofferdam_http_failure(&why, response->origin);
    return cofferdam_unavailable("the answer of %s broke off", response->origin);
}

cofferdam_error *cofferdam_response_each(cofferdam_response *response, cofferdam_take_piece take, void *context) {
    opened open;
    COFFERDAM_TRY(open_body(response, &open));
    cofferdam_error *error = NULL;
    while (!error) {
        guest_list_u8_t piece;
        wasi_io_streams_stream_error_t why;
        if (!wasi_io_streams_method_input_stream_blocking_read(wasi_io_streams_borrow_input_stream(open.stream), PIECE, &piece, &why)) {
            if (why.tag != WASI_IO_STREAMS_STREAM_ERROR_CLOSED) error = broken(response, why.val.last_operation_failed);
            break;
        }
        error = take(context, (cofferdam_bytes){piece.ptr, piece.len});
        guest_list_u8_free(&piece);
    }
    close_body(response, &open);
    return error;
}

/* Bytes that grow as they come, so that an answer which announces much and sends little costs little. */
typedef struct growing {
    const cofferdam_response *response;
    uint8_t *data;
    size_t length, room, limit;
} growing;

static void release_growing(void *memory) { free(((growing *)memory)->data); }

static void grow(growing *all, size_t more) {
    size_t wanted = all->length + more + 1;
    if (wanted <= all->room) return;
    all->room = all->room * 2 > wanted ? all->room * 2 : wanted;
    all->data = realloc(all->data, all->room);
    if (!all->data) abort();
}

static cofferdam_error *append(void *context, cofferdam_bytes piece) {
    growing *all = context;
    if (piece.length > all->limit - all->length)
        return cofferdam_failed("%s answered more than %zu bytes", all->response->origin, all->limit);
    grow(all, piece.length);
    if (piece.length) memcpy(all->data + all->length, piece.data, piece.length);
    all->length += piece.length;
    return COFFERDAM_OK;
}

cofferdam_error *cofferdam_response_bytes(cofferdam_response *response, size_t limit, cofferdam_bytes *body) {
    growing *all = cofferdam_alloc_held(sizeof *all, release_growing);
    all->response = response;
    all->limit = limit;
    COFFERDAM_TRY(cofferdam_response_each(response, append, all));
    grow(all, 0);
    all->data[all->length] = 0;
    *body = (cofferdam_bytes){all->data, all->length};
    return COFFERDAM_OK;
}

cofferdam_error *cofferdam_response_pipe(cofferdam_response *response, cofferdam_output sink, uint64_t length, uint64_t *moved) {
    opened open;
    COFFERDAM_TRY(open_body(response, &open));
    cofferdam_piped piped = cofferdam_pipe(cofferdam_lend_input(open.stream), sink, &length);
    close_body(response, &open);
    switch (piped.outcome) {
    case PIPE_SOURCE_FAILED:
        return cofferdam_unavailable("the answer of %s broke off: %s", response->origin, cofferdam_shown(piped.reason));
    case PIPE_EARLY_END:
        /* The storage announced more than it sent, which a second try may mend. */
        return cofferdam_unavailable("the answer of %s ended after %llu bytes of %llu", response->origin,
                                     (unsigned long long)piped.bytes, (unsigned long long)length);
    case PIPE_SINK_FAILED: return cofferdam_failed("the receiver took no more bytes: %s", cofferdam_shown(piped.reason));
    case PIPE_DONE: break;
    }
    *moved = piped.bytes;
    return COFFERDAM_OK;
}
