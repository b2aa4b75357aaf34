/* Short ways to make the contract's errors. Pure. */
#include "internal.h"

cofferdam_error *cofferdam_error_v(cofferdam_error_kind kind, const char *format, va_list arguments) {
    cofferdam_error *error = cofferdam_alloc(sizeof *error);
    error->kind = kind;
    error->text = cofferdam_text_v(format, arguments);
    error->option = "";
    return error;
}

#define ERROR(name, kind)                                          \
    cofferdam_error *cofferdam_##name(const char *format, ...) {   \
        va_list arguments;                                         \
        va_start(arguments, format);                               \
        cofferdam_error *error = cofferdam_error_v(kind, format, arguments); \
        va_end(arguments);                                         \
        return error;                                              \
    }

ERROR(unauthorized, COFFERDAM_UNAUTHORIZED)
ERROR(unavailable, COFFERDAM_UNAVAILABLE)
ERROR(not_found, COFFERDAM_NOT_FOUND)
ERROR(already_exists, COFFERDAM_ALREADY_EXISTS)
ERROR(out_of_space, COFFERDAM_OUT_OF_SPACE)
ERROR(corrupted, COFFERDAM_CORRUPTED)
ERROR(unsupported, COFFERDAM_UNSUPPORTED)
ERROR(failed, COFFERDAM_FAILED)

cofferdam_error *cofferdam_invalid_configuration(const char *option, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    cofferdam_error *error = cofferdam_error_v(COFFERDAM_INVALID_CONFIGURATION, format, arguments);
    va_end(arguments);
    error->option = cofferdam_text("%s", option);
    return error;
}

cofferdam_error *cofferdam_throttled(const uint32_t *pause_millis, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    cofferdam_error *error = cofferdam_error_v(COFFERDAM_THROTTLED, format, arguments);
    va_end(arguments);
    error->says_pause = pause_millis != NULL;
    error->pause_millis = pause_millis ? *pause_millis : 0;
    return error;
}
