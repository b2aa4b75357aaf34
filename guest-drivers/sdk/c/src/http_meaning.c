/* What statuses, ranges and dates of HTTP mean for the contract. Pure.
 *
 * A pause that a server asks for is at most an hour: who asks for more is asked again after it. An answer to a range is taken only
 * when it is the range that was asked for, cut at most where the object ends.
 */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_PAUSE_SECONDS UINT64_C(3600)

bool cofferdam_parse_number(const char *text, uint64_t *number) {
    if (!text || !*text) return false;
    uint64_t value = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}

bool cofferdam_parse_http_date(const char *text, uint64_t *seconds) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char name[4];
    unsigned day, year, hour, minute, second;
    int length = 0;
    if (sscanf(text, "%*3[A-Za-z], %2u %3[A-Za-z] %4u %2u:%2u:%2u GMT%n", &day, name, &year, &hour, &minute, &second, &length) != 6 ||
        length != 29 || text[length])
        return false;
    const char *found = strstr(months, name);
    if (!found || (found - months) % 3 || strlen(name) != 3) return false;
    unsigned month = (unsigned)(found - months) / 3 + 1;
    if (year < 1970 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return false;
    /* Days since 1970, counted in years that begin in March, so that the leap day is the last. */
    unsigned march_year = month > 2 ? year : year - 1, from_march = month > 2 ? month - 3 : month + 9;
    uint64_t days = (uint64_t)march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 + (153 * from_march + 2) / 5 +
                    day - 1 - 719468;
    *seconds = days * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

/* Milliseconds from a Retry-After: seconds, or a date. */
static bool pause_of(const char *text, uint64_t now, uint32_t *millis) {
    uint64_t seconds;
    if (*text && !text[strspn(text, "0123456789")]) {
        /* Digits that are no u64 are a very long time. */
        if (!cofferdam_parse_number(text, &seconds)) seconds = UINT64_MAX;
    } else if (cofferdam_parse_http_date(text, &seconds)) {
        seconds = seconds > now ? seconds - now : 0;
    } else {
        return false;
    }
    *millis = (uint32_t)(seconds < LONGEST_PAUSE_SECONDS ? seconds : LONGEST_PAUSE_SECONDS) * 1000;
    return true;
}

cofferdam_error *cofferdam_status_error(unsigned status, const char *retry_after, uint64_t now, const char *what) {
    const char *text = cofferdam_text("cannot %s: the server answered %u", what, status);
    if (status == 401 || status == 403) return cofferdam_unauthorized("%s", text);
    if (status == 404 || status == 410) return cofferdam_not_found("%s", text);
    if (status == 413 || status == 507) return cofferdam_out_of_space("%s", text);
    if (status == 429 || (status == 503 && retry_after)) {
        uint32_t millis;
        bool says = retry_after && pause_of(retry_after, now, &millis);
        return cofferdam_throttled(says ? &millis : NULL, "%s", text);
    }
    if (status == 408 || (status >= 500 && status < 600)) return cofferdam_unavailable("%s", text);
    if (status >= 300 && status < 400) return cofferdam_failed("%s; redirects are not followed", text);
    return cofferdam_failed("%s", text);
}

/* The last byte that the range asks for; the greatest number for the end of the object. */
static uint64_t last_of(const cofferdam_range *range) {
    if (!range->has_length) return UINT64_MAX;
    uint64_t more = range->length ? range->length - 1 : 0;
    return more > UINT64_MAX - range->offset ? UINT64_MAX : range->offset + more;
}

const char *cofferdam_range_header(const cofferdam_range *range) {
    if (!range) return NULL;
    uint64_t last = last_of(range);
    /* Servers that count in signed numbers pass over a range with a greater one. */
    if (last >= INT64_MAX) return cofferdam_text("bytes=%" PRIu64 "-", range->offset);
    return cofferdam_text("bytes=%" PRIu64 "-%" PRIu64, range->offset, last);
}

/* Takes `first-last/total` apart. */
static bool content_range_of(const char *text, uint64_t *first, uint64_t *last, uint64_t *total) {
    if (!text || strncmp(text, "bytes ", 6) != 0) return false;
    text += 6;
    size_t dash = strcspn(text, "-"), slash = strcspn(text, "/");
    if (dash > slash || !text[slash] || !text[dash]) return false;
    return cofferdam_parse_number(cofferdam_text_of(text, dash), first) &&
           cofferdam_parse_number(cofferdam_text_of(text + dash + 1, slash - dash - 1), last) &&
           cofferdam_parse_number(text + slash + 1, total) && *first <= *last && *last < *total;
}

bool cofferdam_range_length(unsigned status, const char *content_length, const char *content_range, const cofferdam_range *range,
                            uint64_t *length, const char **reason) {
    uint64_t announced, first, last, total;
    if (status == 416 && range) {
        if (content_range && strncmp(content_range, "bytes */", 8) == 0 && cofferdam_parse_number(content_range + 8, &total) &&
            total > range->offset)
            return *reason = "a range within the object was refused", false;
        *length = 0;
        return true;
    }
    if (status != 200 && (status != 206 || !range)) return *reason = cofferdam_text("the status %u was not expected", status), false;
    if (!cofferdam_parse_number(content_length, &announced)) return *reason = "its length was not announced", false;
    if (status == 200) {
        /* The whole object in answer to a range: its beginning may be what is wanted, or it has nothing of the range. */
        if (range && range->offset) {
            if (announced > range->offset) return *reason = "the whole object came in place of a range", false;
            announced = 0;
        }
        *length = range && range->has_length && range->length < announced ? range->length : announced;
        return true;
    }
    if (!content_range_of(content_range, &first, &last, &total)) return *reason = "the range that came is not told", false;
    uint64_t wanted = last_of(range);
    /* What ends early must end where the object ends. */
    bool whole = last == wanted || (last < wanted && last + 1 == total);
    if (first != range->offset || !whole || announced != last - first + 1)
        return *reason = "another range came than was asked for", false;
    *length = announced;
    return true;
}
