/* What the host offers beyond WASI: log, pipe, cancellation; and clock and chance. */
#include "wasi.h"

#include <stdlib.h>
#include <string.h>

guest_string_t cofferdam_lend(const char *text) { return (guest_string_t){(uint8_t *)(uintptr_t)text, strlen(text)}; }

const char *cofferdam_take(guest_string_t *text) {
    char *copy = cofferdam_text_of(text->ptr, text->len);
    for (size_t i = 0; i < text->len; i++)
        if (!copy[i]) copy[i] = '?';
    guest_string_free(text);
    return copy;
}

const char *cofferdam_stream_reason(const wasi_io_streams_stream_error_t *error) {
    if (error->tag == WASI_IO_STREAMS_STREAM_ERROR_CLOSED) return "the stream is closed";
    guest_string_t text;
    wasi_io_streams_own_error_t held = error->val.last_operation_failed;
    wasi_io_error_method_error_to_debug_string(wasi_io_error_borrow_error(held), &text);
    wasi_io_error_error_drop_own(held);
    return cofferdam_take(&text);
}

static void log_v(cofferdam_backup_host_level_t level, const char *format, va_list arguments) {
    char *message = cofferdam_text_v(format, arguments);
    cofferdam_make_utf8(message);
    guest_string_t lent = cofferdam_lend(message);
    cofferdam_backup_host_log(level, &lent);
}

#define LOG(name, level)                         \
    void cofferdam_##name(const char *format, ...) { \
        va_list arguments;                       \
        va_start(arguments, format);             \
        log_v(level, format, arguments);         \
        va_end(arguments);                       \
    }

LOG(debug, COFFERDAM_BACKUP_HOST_LEVEL_DEBUG)
LOG(log, COFFERDAM_BACKUP_HOST_LEVEL_INFO)
LOG(warn, COFFERDAM_BACKUP_HOST_LEVEL_WARN)
LOG(complain, COFFERDAM_BACKUP_HOST_LEVEL_ERROR)

bool cofferdam_is_cancelled(void) { return cofferdam_backup_host_is_cancelled(); }

uint64_t cofferdam_random(void) { return wasi_random_random_get_random_u64(); }

uint64_t cofferdam_now(void) {
    wasi_clocks_wall_clock_datetime_t now;
    wasi_clocks_wall_clock_now(&now);
    return now.seconds;
}

cofferdam_piped cofferdam_pipe(cofferdam_input source, cofferdam_output sink, const uint64_t *length) {
    cofferdam_backup_host_pipe_error_t error;
    uint64_t moved = 0, limit = length ? *length : 0;
    wasi_io_streams_borrow_input_stream_t from = {source.handle};
    wasi_io_streams_borrow_output_stream_t to = {sink.handle};
    if (cofferdam_backup_host_pipe(from, to, length ? &limit : NULL, &moved, &error)) return (cofferdam_piped){PIPE_DONE, moved, ""};
    switch (error.tag) {
    case COFFERDAM_BACKUP_HOST_PIPE_ERROR_SOURCE_FAILED:
        return (cofferdam_piped){PIPE_SOURCE_FAILED, 0, cofferdam_take(&error.val.source_failed)};
    case COFFERDAM_BACKUP_HOST_PIPE_ERROR_SINK_FAILED:
        return (cofferdam_piped){PIPE_SINK_FAILED, 0, cofferdam_take(&error.val.sink_failed)};
    default: return (cofferdam_piped){PIPE_EARLY_END, error.val.early_end, ""};
    }
}

cofferdam_error *cofferdam_store(cofferdam_input body, cofferdam_output sink, const cofferdam_body *info, uint64_t *stored) {
    cofferdam_piped piped = cofferdam_pipe(body, sink, NULL);
    unsigned long long bytes = piped.bytes;
    switch (piped.outcome) {
    case PIPE_SOURCE_FAILED: return cofferdam_failed("the object's body broke off: %s", piped.reason);
    case PIPE_SINK_FAILED:
        if (cofferdam_is_full(piped.reason))
            return cofferdam_out_of_space("the storage took no more of the object: %s", piped.reason);
        return cofferdam_failed("the storage refused the object's bytes: %s", piped.reason);
    case PIPE_EARLY_END: return cofferdam_failed("the object's body ended after %llu bytes", bytes);
    case PIPE_DONE: break;
    }
    if (info->has_size && info->size != piped.bytes)
        return cofferdam_failed("the object's body had %llu bytes, but %llu were announced", bytes, (unsigned long long)info->size);
    *stored = piped.bytes;
    return COFFERDAM_OK;
}

cofferdam_error *cofferdam_fetch(cofferdam_input object, cofferdam_output sink, uint64_t length, uint64_t *moved) {
    cofferdam_piped piped = cofferdam_pipe(object, sink, &length);
    switch (piped.outcome) {
    case PIPE_SOURCE_FAILED: return cofferdam_unavailable("the storage failed in the middle: %s", piped.reason);
    case PIPE_SINK_FAILED: return cofferdam_failed("the receiver took no more bytes: %s", piped.reason);
    case PIPE_EARLY_END:
        return cofferdam_corrupted("the object ended after %llu bytes of %llu: it became shorter while it was read",
                                   (unsigned long long)piped.bytes, (unsigned long long)length);
    case PIPE_DONE: break;
    }
    *moved = piped.bytes;
    return COFFERDAM_OK;
}
