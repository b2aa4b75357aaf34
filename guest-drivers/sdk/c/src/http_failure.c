/* What wasi:http says of a request that got no answer, in the contract's errors: a sentence of its own for each cause that a deployer
 * would mend in another way. */
#include "http.h"

#define CODE(name) WASI_HTTP_TYPES_ERROR_CODE_##name

static const char *text_of(const guest_string_t *text) { return cofferdam_shown(cofferdam_text_of(text->ptr, text->len)); }

/* Why there is no answer, for everything that may pass by itself. */
static const char *cause(const wasi_http_types_error_code_t *why) {
    switch (why->tag) {
    case CODE(DNS_TIMEOUT): return "its name was not resolved in time";
    case CODE(DNS_ERROR):
    case CODE(DESTINATION_NOT_FOUND): return "its name cannot be resolved";
    case CODE(DESTINATION_UNAVAILABLE):
    case CODE(DESTINATION_IP_UNROUTABLE): return "no route leads to its address";
    case CODE(CONNECTION_REFUSED): return "the connection was refused; nothing listens there";
    case CODE(CONNECTION_TIMEOUT): return "the connection was not made in time";
    case CODE(CONNECTION_TERMINATED): return "the connection was cut";
    case CODE(CONNECTION_READ_TIMEOUT): return "it sent nothing more for too long";
    case CODE(CONNECTION_WRITE_TIMEOUT): return "it took no more bytes for too long";
    case CODE(CONNECTION_LIMIT_REACHED): return "too many connections are open";
    case CODE(HTTP_RESPONSE_TIMEOUT): return "it did not answer in time";
    case CODE(HTTP_RESPONSE_INCOMPLETE): return "its answer broke off";
    case CODE(TLS_CERTIFICATE_ERROR):
        return "its certificate is not trusted, for its issuer is unknown; the backend's option for a file of CA certificates must name "
               "a file with the issuer's";
    case CODE(TLS_PROTOCOL_ERROR): return "no TLS connection came about; does it speak https on this port?";
    case CODE(TLS_ALERT_RECEIVED):
        return cofferdam_text("it ended the TLS connection (%s)", why->val.tls_alert_received.alert_message.is_some
                                                                      ? text_of(&why->val.tls_alert_received.alert_message.val)
                                                                      : "no reason given");
    case CODE(HTTP_PROTOCOL_ERROR): return "it does not speak HTTP as it should";
    case CODE(LOOP_DETECTED): return "the request came back in a loop";
    /* Our host's sentence about what WASI has no word for: a certificate that expired, a proxy that refused. */
    case CODE(INTERNAL_ERROR):
        return why->val.internal_error.is_some ? text_of(&why->val.internal_error.val) : "the host could not send the request";
    default: return cofferdam_text("its answer cannot be understood (error %u of wasi:http)", (unsigned)why->tag);
    }
}

static cofferdam_error *error_of(const wasi_http_types_error_code_t *why, const char *origin) {
    switch (why->tag) {
    case CODE(HTTP_REQUEST_DENIED):
        return cofferdam_invalid_configuration(
            "", "the host does not let this driver send such a request to %s: the backend's grants.http must name it", origin);
    case CODE(DESTINATION_IP_PROHIBITED):
        return cofferdam_invalid_configuration("", "the host does not let this driver reach the address that %s resolves to", origin);
    case CODE(CONFIGURATION_ERROR):
        return cofferdam_invalid_configuration("", "the host's settings for requests to %s do not work: TLS files or proxy", origin);
    case CODE(HTTP_REQUEST_BODY_SIZE):
    case CODE(HTTP_REQUEST_LENGTH_REQUIRED):
        return cofferdam_failed("the body sent to %s had another length than announced", origin);
    case CODE(HTTP_REQUEST_METHOD_INVALID):
    case CODE(HTTP_REQUEST_URI_INVALID):
    case CODE(HTTP_REQUEST_URI_TOO_LONG):
    case CODE(HTTP_REQUEST_HEADER_SECTION_SIZE):
    case CODE(HTTP_REQUEST_HEADER_SIZE):
    case CODE(HTTP_REQUEST_TRAILER_SECTION_SIZE):
    case CODE(HTTP_REQUEST_TRAILER_SIZE):
    case CODE(HTTP_UPGRADE_FAILED):
        return cofferdam_failed("the host refused a malformed request to %s (error %u of wasi:http)", origin, (unsigned)why->tag);
    default: return cofferdam_unavailable("%s gave no answer: %s", origin, cause(why));
    }
}

cofferdam_error *cofferdam_http_failure(wasi_http_types_error_code_t *why, const char *origin) {
    cofferdam_error *error = error_of(why, origin);
    wasi_http_types_error_code_free(why);
    return error;
}
