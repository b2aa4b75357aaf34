/* What the SDK's files that call the host share. */
#ifndef COFFERDAM_WASI_H
#define COFFERDAM_WASI_H

#include "../gen/guest.h"
#include "internal.h"

/* A text lent to the host for the length of a call. */
guest_string_t cofferdam_lend(const char *text);
/* Takes over a text that the host allocated. A NUL inside becomes `?`: such texts are only ever shown. */
const char *cofferdam_take(guest_string_t *text);
/* What a broken stream says; lets go of the error. */
const char *cofferdam_stream_reason(const wasi_io_streams_stream_error_t *error);

/* The result of the host's pipe. */
typedef struct cofferdam_piped {
    enum { PIPE_DONE, PIPE_SOURCE_FAILED, PIPE_SINK_FAILED, PIPE_EARLY_END } outcome;
    uint64_t bytes;
    const char *reason;
} cofferdam_piped;

cofferdam_piped cofferdam_pipe(cofferdam_input source, cofferdam_output sink, const uint64_t *length);

static inline cofferdam_input cofferdam_lend_input(wasi_io_streams_own_input_stream_t stream) {
    return (cofferdam_input){wasi_io_streams_borrow_input_stream(stream).__handle};
}

static inline cofferdam_output cofferdam_lend_output(wasi_io_streams_own_output_stream_t stream) {
    return (cofferdam_output){wasi_io_streams_borrow_output_stream(stream).__handle};
}

#endif
