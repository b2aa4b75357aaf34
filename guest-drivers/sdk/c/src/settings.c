/* A driver's settings with typed getters. Pure.
 *
 * The host has checked each value against the option's kind before the driver sees it. The getters check again, because the same
 * component may run on another host, and say which option is wrong and what kind was found, never the value.
 */
#include "internal.h"

#include <inttypes.h>
#include <string.h>

static const cofferdam_setting *find(const cofferdam_settings *settings, const char *name) {
    for (size_t i = 0; i < settings->count; i++)
        if (strcmp(settings->values[i].name, name) == 0) return &settings->values[i];
    return NULL;
}

static const char *kind_name(cofferdam_value_kind kind) {
    return kind == COFFERDAM_VALUE_TEXT ? "a text" : kind == COFFERDAM_VALUE_INTEGER ? "a whole number" : "true or false";
}

/* NULL in `found`: absent. */
static cofferdam_error *take(const cofferdam_settings *settings, const char *name, cofferdam_value_kind kind,
                             const cofferdam_setting **found) {
    *found = find(settings, name);
    if (!*found || (*found)->kind == kind) return COFFERDAM_OK;
    return cofferdam_invalid_configuration(name, "expected %s, found %s", kind_name(kind), kind_name((*found)->kind));
}

cofferdam_error *cofferdam_get_text(const cofferdam_settings *settings, const char *name, const char **text) {
    const cofferdam_setting *found;
    *text = NULL;
    COFFERDAM_TRY(take(settings, name, COFFERDAM_VALUE_TEXT, &found));
    if (found) *text = found->text;
    return COFFERDAM_OK;
}

cofferdam_error *cofferdam_require_text(const cofferdam_settings *settings, const char *name, const char **text) {
    COFFERDAM_TRY(cofferdam_get_text(settings, name, text));
    if (!*text) return cofferdam_invalid_configuration(name, "the option is required and absent");
    if (!**text) return cofferdam_invalid_configuration(name, "the text is empty");
    return COFFERDAM_OK;
}

cofferdam_error *cofferdam_get_integer(const cofferdam_settings *settings, const char *name, int64_t *value) {
    const cofferdam_setting *found;
    COFFERDAM_TRY(take(settings, name, COFFERDAM_VALUE_INTEGER, &found));
    if (found) *value = found->integer;
    return COFFERDAM_OK;
}

static cofferdam_error *get_unsigned(const cofferdam_settings *settings, const char *name, const char *unit, uint64_t *value) {
    const cofferdam_setting *found;
    COFFERDAM_TRY(take(settings, name, COFFERDAM_VALUE_INTEGER, &found));
    if (!found) return COFFERDAM_OK;
    if (found->integer < 0)
        return cofferdam_invalid_configuration(name, "expected a number of %s, found %" PRId64, unit, found->integer);
    *value = (uint64_t)found->integer;
    return COFFERDAM_OK;
}

cofferdam_error *cofferdam_get_size(const cofferdam_settings *settings, const char *name, uint64_t *bytes) {
    return get_unsigned(settings, name, "bytes", bytes);
}

cofferdam_error *cofferdam_get_duration(const cofferdam_settings *settings, const char *name, uint64_t *millis) {
    return get_unsigned(settings, name, "milliseconds", millis);
}

cofferdam_error *cofferdam_get_boolean(const cofferdam_settings *settings, const char *name, bool *value) {
    const cofferdam_setting *found;
    COFFERDAM_TRY(take(settings, name, COFFERDAM_VALUE_BOOLEAN, &found));
    if (found) *value = found->boolean;
    return COFFERDAM_OK;
}

cofferdam_error *cofferdam_get_secret(const cofferdam_settings *settings, const char *name, const char **secret) {
    COFFERDAM_TRY(cofferdam_get_text(settings, name, secret));
    /* The host knows it by the option's name. */
    if (*secret) *secret = cofferdam_text("%s", name);
    return COFFERDAM_OK;
}

cofferdam_error *cofferdam_require_secret(const cofferdam_settings *settings, const char *name, const char **secret) {
    COFFERDAM_TRY(cofferdam_require_text(settings, name, secret));
    *secret = cofferdam_text("%s", name);
    return COFFERDAM_OK;
}

static cofferdam_error *parse_url(const char *name, const char *text, const cofferdam_url **url) {
    const char *reason;
    *url = cofferdam_url_parse(text, &reason);
    return *url ? COFFERDAM_OK : cofferdam_invalid_configuration(name, "the URL cannot be used: %s", reason);
}

cofferdam_error *cofferdam_require_url(const cofferdam_settings *settings, const char *name, const cofferdam_url **url) {
    const char *text;
    COFFERDAM_TRY(cofferdam_require_text(settings, name, &text));
    return parse_url(name, text, url);
}

cofferdam_error *cofferdam_get_url(const cofferdam_settings *settings, const char *name, const cofferdam_url **url) {
    const char *text;
    *url = NULL;
    COFFERDAM_TRY(cofferdam_get_text(settings, name, &text));
    return text ? parse_url(name, text, url) : COFFERDAM_OK;
}
