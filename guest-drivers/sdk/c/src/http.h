/* What the files http_request.c, http_response.c and http_failure.c share. */
#ifndef COFFERDAM_HTTP_INTERNAL_H
#define COFFERDAM_HTTP_INTERNAL_H

#include "wasi.h"

/* The error for a request to `origin` that failed with the code, which is let go of. */
cofferdam_error *cofferdam_http_failure(wasi_http_types_error_code_t *why, const char *origin);
/* Takes the answer over. */
cofferdam_response *cofferdam_response_new(wasi_http_types_own_incoming_response_t incoming, const char *origin);

#endif
