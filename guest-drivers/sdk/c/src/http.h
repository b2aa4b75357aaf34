/* What the files http_request.c, http_body.c, http_response.c and http_failure.c share. */
#ifndef COFFERDAM_HTTP_INTERNAL_H
#define COFFERDAM_HTTP_INTERNAL_H

#include "wasi.h"

/* The error for a request to `origin` that failed with the code, which is let go of. */
cofferdam_error *cofferdam_http_failure(wasi_http_types_error_code_t *why, const char *origin);
/* Takes the answer over. */
cofferdam_response *cofferdam_response_new(wasi_http_types_own_incoming_response_t incoming, const char *origin);

/* Writes bytes. */
cofferdam_piped cofferdam_write_bytes(wasi_io_streams_own_output_stream_t stream, const uint8_t *bytes, size_t length);
/* Writes a body of a known, positive length. */
cofferdam_piped cofferdam_write_known(wasi_io_streams_own_output_stream_t stream, cofferdam_input body, uint64_t length);
/* The body must end here. */
cofferdam_piped cofferdam_end_of(cofferdam_input body);
/* What a body that is not what was announced means for the put. */
cofferdam_error *cofferdam_broken_body(const cofferdam_piped *piped);

#endif
