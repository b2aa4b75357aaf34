/* The body of a request: bytes of the driver's own, or a stream of which each byte counts.
 *
 * Whether a body of a known size is whole shows only behind its last byte, so that one is held back until then, and of a body that breaks
 * the server never has all.
 */
#include "http.h"

/* Writes bytes. No flush: once all announced bytes are written, the host may have closed the stream already. */
cofferdam_piped cofferdam_write_bytes(wasi_io_streams_own_output_stream_t stream, const uint8_t *bytes, size_t length) {
    wasi_io_streams_borrow_output_stream_t sink = wasi_io_streams_borrow_output_stream(stream);
    wasi_io_streams_stream_error_t why;
    while (length) {
        uint64_t room;
        wasi_io_poll_own_pollable_t ready = wasi_io_streams_method_output_stream_subscribe(sink);
        wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(ready));
        wasi_io_poll_pollable_drop_own(ready);
        if (!wasi_io_streams_method_output_stream_check_write(sink, &room, &why))
            return (cofferdam_piped){PIPE_SINK_FAILED, 0, cofferdam_stream_reason(&why)};
        size_t now = room < length ? (size_t)room : length;
        guest_list_u8_t piece = {(uint8_t *)(uintptr_t)bytes, now};
        if (now && !wasi_io_streams_method_output_stream_write(sink, &piece, &why))
            return (cofferdam_piped){PIPE_SINK_FAILED, 0, cofferdam_stream_reason(&why)};
        bytes += now;
        length -= now;
    }
    return (cofferdam_piped){PIPE_DONE, 0, ""};
}

/* The next byte of a body: 1, or 0 at its end, or -1 with a reason. */
static int next_byte(cofferdam_input body, uint8_t *byte, const char **reason) {
    guest_list_u8_t piece;
    wasi_io_streams_stream_error_t why;
    wasi_io_streams_borrow_input_stream_t from = {body.handle};
    do {
        if (!wasi_io_streams_method_input_stream_blocking_read(from, 1, &piece, &why)) {
            if (why.tag == WASI_IO_STREAMS_STREAM_ERROR_CLOSED) return 0;
            *reason = cofferdam_stream_reason(&why);
            return -1;
        }
        if (piece.len) *byte = piece.ptr[0];
        guest_list_u8_free(&piece);
    } while (!piece.len);
    return 1;
}

cofferdam_piped cofferdam_end_of(cofferdam_input body) {
    uint8_t byte;
    const char *reason;
    switch (next_byte(body, &byte, &reason)) {
    case 0: return (cofferdam_piped){PIPE_DONE, 0, ""};
    case 1: return (cofferdam_piped){PIPE_SOURCE_FAILED, 0, "it goes on behind its announced size"};
    default: return (cofferdam_piped){PIPE_SOURCE_FAILED, 0, reason};
    }
}

/* A body of a known, positive length. */
cofferdam_piped cofferdam_write_known(wasi_io_streams_own_output_stream_t stream, cofferdam_input body, uint64_t length) {
    uint64_t most = length - 1;
    uint8_t last;
    const char *reason;
    if (most) {
        cofferdam_piped piped = cofferdam_pipe(body, cofferdam_lend_output(stream), &most);
        if (piped.outcome != PIPE_DONE) return piped;
    }
    switch (next_byte(body, &last, &reason)) {
    case 0: return (cofferdam_piped){PIPE_EARLY_END, most, ""};
    case -1: return (cofferdam_piped){PIPE_SOURCE_FAILED, 0, reason};
    default: break;
    }
    cofferdam_piped piped = cofferdam_end_of(body);
    if (piped.outcome == PIPE_DONE) piped = cofferdam_write_bytes(stream, &last, 1);
    if (piped.outcome == PIPE_DONE) piped.bytes = length;
    return piped;
}

cofferdam_error *cofferdam_broken_body(const cofferdam_piped *piped) {
    if (piped->outcome == PIPE_EARLY_END)
        return cofferdam_failed("the object's body ended after %llu bytes, fewer than were announced", (unsigned long long)piped->bytes);
    return cofferdam_failed("the object's body broke off: %s", cofferdam_shown(piped->reason));
}
