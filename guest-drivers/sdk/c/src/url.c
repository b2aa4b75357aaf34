/* Addresses of storages, taken apart, and percent-encoding. Pure.
 *
 * Only what a driver needs: http and https, a host, perhaps a port, a path, perhaps a query. A scheme's usual port is left out, so
 * that the host header, a signature and a grant see the same text.
 */
#include "internal.h"

#include <string.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static int hex_digit(char c) {
    c = lower(c);
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether `text` begins with `start`, in any case. */
static bool begins(const char *text, const char *start) {
    for (; *start; text++, start++)
        if (lower(*text) != *start) return false;
    return true;
}

static bool is_name(const char *host, size_t length) {
    size_t label = 0;
    if (length == 0 || length > 253) return false;
    for (size_t i = 0; i < length; i++) {
        char c = host[i];
        if (c == '.') {
            if (label == 0) return false;
            label = 0;
        } else if ((is_digit(c) || is_letter(c) || c == '-' || c == '_') && label < 63) {
            label++;
        } else {
            return false;
        }
    }
    return label > 0;
}

/* Groups of 1 to 4 hex digits between colons: eight, or fewer and one `::`. An IPv4 tail is not taken. */
static bool is_ipv6(const char *text, size_t length) {
    size_t groups = 0, digits = 0;
    bool gap = false;
    if (length < 2 || (text[0] == ':' && text[1] != ':')) return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] != ':') {
            if (hex_digit(text[i]) < 0 || digits == 4) return false;
            groups += digits++ == 0;
        } else if (i + 1 < length && text[i + 1] == ':') {
            if (gap) return false;
            gap = true;
            digits = 0;
            i++;
        } else {
            if (digits == 0 || i + 1 == length) return false;
            digits = 0;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

/* Host and port in lower case, without the usual port; NULL with a reason. */
static const char *authority(bool tls, const char *text, size_t length, const char **reason) {
    if (memchr(text, '@', length)) return *reason = "it holds a user or password (@)", NULL;
    size_t host = length;
    for (size_t i = length; i-- > 0 && text[i] != ']';)
        if (text[i] == ':') {
            host = i;
            break;
        }
    bool brackets = host >= 2 && text[0] == '[' && text[host - 1] == ']';
    if (!(brackets ? is_ipv6(text + 1, host - 2) : is_name(text, host))) return *reason = "its host is missing or malformed", NULL;
    char *found = cofferdam_alloc(length + 1);
    for (size_t i = 0; i < host; i++) found[i] = lower(text[i]);
    if (host == length) return found;
    uint32_t port = 0;
    for (size_t i = host + 1; i < length; i++) {
        if (!is_digit(text[i])) return *reason = "its port is no number", NULL;
        port = port > 65535 ? port : port * 10 + (uint32_t)(text[i] - '0');
    }
    if (port == 0 || port > 65535) return *reason = "its port is not 1 to 65535", NULL;
    if (port == (tls ? 443u : 80u)) return found;
    return cofferdam_text("%s:%u", found, (unsigned)port);
}

const cofferdam_url *cofferdam_url_parse(const char *text, const char **reason) {
    const char *rest = strstr(text, "://");
    if (!rest) return *reason = "it does not begin with http:// or https://", NULL;
    bool tls = begins(text, "https://");
    if (!tls && !begins(text, "http://")) return *reason = "its scheme is neither http nor https", NULL;
    rest += 3;
    for (const char *at = rest; *at; at++)
        if (*at <= ' ' || *at > '~') return *reason = "it holds a space, a control character or one beyond ASCII", NULL;
    if (strchr(rest, '#')) return *reason = "it holds a fragment (#)", NULL;
    size_t host = strcspn(rest, "/?");
    cofferdam_url *url = cofferdam_alloc(sizeof *url);
    url->tls = tls;
    url->authority = authority(tls, rest, host, reason);
    if (!url->authority) return NULL;
    rest += host;
    size_t path = strcspn(rest, "?");
    url->path = path ? cofferdam_text_of(rest, path) : "/";
    if (rest[path] == '?') url->query = cofferdam_text("%s", rest + path + 1);
    return url;
}

const cofferdam_url *cofferdam_url_join(const cofferdam_url *url, const char *path) {
    cofferdam_url *joined = cofferdam_alloc(sizeof *joined);
    size_t length = strlen(url->path);
    while (length && url->path[length - 1] == '/') length--;
    joined->tls = url->tls;
    joined->authority = url->authority;
    joined->path = cofferdam_text("%.*s/%s", (int)length, url->path, path + strspn(path, "/"));
    return joined;
}

const char *cofferdam_url_origin(const cofferdam_url *url) {
    return cofferdam_text("%s://%s", url->tls ? "https" : "http", url->authority);
}

const char *cofferdam_percent(const char *text) {
    static const char digits[] = "0123456789ABCDEF";
    char *encoded = cofferdam_alloc(3 * strlen(text) + 1), *end = encoded;
    for (; *text; text++) {
        if (is_letter(*text) || is_digit(*text) || strchr("-._~", *text)) {
            *end++ = *text;
        } else {
            *end++ = '%';
            *end++ = digits[(uint8_t)*text >> 4];
            *end++ = digits[(uint8_t)*text & 15];
        }
    }
    return encoded;
}

bool cofferdam_unpercent_here(char *text) {
    char *start = text, *end = text;
    for (; *text; text++) {
        if (*text != '%') {
            *end++ = *text;
            continue;
        }
        int high = hex_digit(text[1]), low = high < 0 ? -1 : hex_digit(text[2]);
        if (low < 0 || (high == 0 && low == 0)) return false;
        *end++ = (char)(high << 4 | low);
        text += 2;
    }
    *end = '\0';
    return cofferdam_is_utf8(start, (size_t)(end - start));
}

const char *cofferdam_unpercent(const char *text) {
    char *decoded = cofferdam_text("%s", text);
    return cofferdam_unpercent_here(decoded) ? decoded : NULL;
}

const char *cofferdam_hex(cofferdam_bytes bytes) {
    static const char digits[] = "0123456789abcdef";
    char *text = cofferdam_alloc(2 * bytes.length + 1);
    for (size_t i = 0; i < bytes.length; i++) {
        text[2 * i] = digits[bytes.data[i] >> 4];
        text[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    return text;
}
