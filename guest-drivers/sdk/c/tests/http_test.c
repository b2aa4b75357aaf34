#include "../src/internal.h"
#include "check.h"

static const cofferdam_url *parse(const char *text) {
    const char *reason;
    return cofferdam_url_parse(text, &reason);
}

static const char *written(const char *text) {
    const cofferdam_url *url = parse(text);
    return url ? cofferdam_text("%s%s?%s", cofferdam_url_origin(url), url->path, url->query ? url->query : "") : NULL;
}

static void an_address_is_taken_apart(void) {
    SAME("https://s3.example.org:9000/base/?a=b", written("HTTPS://S3.Example.org:9000/base/?a=b"));
    SAME("http://h/?x", written("http://h?x"));
    SAME("http://h/?", written("http://h:80"));
    SAME("https://h/?", written("https://h:443/"));
    SAME("https://h:80/?", written("https://h:80"));
    SAME("http://[::1]/?", written("http://[::1]:80"));
    SAME("http://[fe80::1:2]:8080/x?", written("http://[FE80::1:2]:8080/x"));
    SAME("/base/bucket/key", cofferdam_url_join(parse("http://h/base/"), "/bucket/key")->path);
    SAME("/k", cofferdam_url_join(parse("http://h"), "k")->path);
}

static void what_is_no_plain_address_is_refused_without_being_shown(void) {
    const char *const wrong[] = {"", "host", "ftp://h", "http://", "http:///p", "http://u:secret@h/", "http://h:0/", "http://h:65536/",
                                 "http://h:+1/", "http://h:/", "http://h h/", "http://h/#f", "http://h\n/", "http://[::g]/",
                                 "http://a..b/", "http://é/", "http://[1:2]/", "http://[::1::]/", "http://h:99999999999999999999/"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *reason = NULL;
        CHECK(!cofferdam_url_parse(wrong[i], &reason) && reason && !strstr(reason, "secret"));
    }
}

static void encoding_is_undone_by_decoding(void) {
    SAME("aZ09-._~%20%2F%2B%25%C3%A9", cofferdam_percent("aZ09-._~ /+%é"));
    const char *const all[] = {"a b", "ü/+%", "", "100%"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) SAME(all[i], cofferdam_unpercent(cofferdam_percent(all[i])));
    CHECK(!cofferdam_unpercent("%ff") && !cofferdam_unpercent("%0") && !cofferdam_unpercent("%") && !cofferdam_unpercent("%00"));
    SAME("00abff", cofferdam_hex((cofferdam_bytes){(const uint8_t *)"\0\xab\xff", 3}));
}

static const cofferdam_error *of(unsigned status, const char *retry_after) {
    return cofferdam_status_error(status, retry_after, 784111767, "put it");
}

static void each_status_has_its_error(void) {
    const struct { unsigned status; const char *retry_after; cofferdam_error_kind kind; } all[] = {
        {401, NULL, COFFERDAM_UNAUTHORIZED}, {403, NULL, COFFERDAM_UNAUTHORIZED}, {404, NULL, COFFERDAM_NOT_FOUND},
        {413, NULL, COFFERDAM_OUT_OF_SPACE}, {507, NULL, COFFERDAM_OUT_OF_SPACE}, {429, NULL, COFFERDAM_THROTTLED},
        {503, NULL, COFFERDAM_UNAVAILABLE},  {503, "1", COFFERDAM_THROTTLED},     {500, NULL, COFFERDAM_UNAVAILABLE},
        {408, NULL, COFFERDAM_UNAVAILABLE},  {400, NULL, COFFERDAM_FAILED},       {301, NULL, COFFERDAM_FAILED},
        {99, NULL, COFFERDAM_FAILED}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) CHECK(of(all[i].status, all[i].retry_after)->kind == all[i].kind);
    SAME("cannot put it: the server answered 403", of(403, NULL)->text);
}

static void a_pause_is_read_in_both_forms_and_capped(void) {
    CHECK(of(429, "7")->pause_millis == 7000);
    CHECK(of(429, "Sun, 06 Nov 1994 08:49:37 GMT")->pause_millis == 10000);
    CHECK(of(429, "Sun, 06 Nov 1994 08:49:20 GMT")->says_pause && of(429, "Sun, 06 Nov 1994 08:49:20 GMT")->pause_millis == 0);
    CHECK(of(429, "99999999999999999999999")->pause_millis == 3600000);
    const char *const odd[] = {"", "-1", "soon", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT+1"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) CHECK(!of(429, odd[i])->says_pause);
    uint64_t seconds;
    CHECK(cofferdam_parse_http_date("Tue, 29 Feb 2000 00:00:00 GMT", &seconds) && seconds == 951782400);
    CHECK(cofferdam_parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT", &seconds) && seconds == 0);
}

static bool length_of(unsigned status, const char *length, const char *range, const cofferdam_range *asked, uint64_t expected) {
    uint64_t found;
    const char *reason = NULL;
    return cofferdam_range_length(status, length, range, asked, &found, &reason) ? found == expected : expected == UINT64_MAX && reason;
}

static void the_answer_must_be_what_was_asked_for(void) {
    const cofferdam_range start = {0, true, 5}, five = {5, true, 5}, fifty = {5, true, 50}, rest = {5, false, 0}, ten = {10, false, 0};
    SAME("bytes=5-9", cofferdam_range_header(&five));
    SAME("bytes=5-", cofferdam_range_header(&rest));
    SAME("bytes=9-", cofferdam_range_header(&(cofferdam_range){9, true, UINT64_MAX}));
    CHECK(!cofferdam_range_header(NULL));
    CHECK(length_of(200, "7", NULL, NULL, 7));
    CHECK(length_of(200, "7", NULL, &start, 5));
    CHECK(length_of(200, "5", NULL, &five, 0));
    CHECK(length_of(206, "5", "bytes 5-9/100", &five, 5));
    CHECK(length_of(206, "5", "bytes 5-9/10", &fifty, 5));
    CHECK(length_of(206, "5", "bytes 5-9/10", &rest, 5));
    CHECK(length_of(416, NULL, NULL, &ten, 0));
    CHECK(length_of(416, NULL, "bytes */10", &ten, 0));
    CHECK(length_of(416, NULL, "bytes */11", &ten, UINT64_MAX));
    CHECK(length_of(416, NULL, NULL, NULL, UINT64_MAX));
    const struct { unsigned status; const char *length, *range; } wrong[] = {
        {200, "100", NULL}, {206, "5", NULL}, {206, "5", "bytes 4-8/100"}, {206, "4", "bytes 5-8/100"}, {206, "6", "bytes 5-10/100"},
        {206, "9", "bytes 5-9/100"}, {206, NULL, "bytes 5-9/100"}, {206, "5", "bytes 9-5/100"}, {206, "5", "bytes 5-9/9"},
        {206, "5", "bytes 5-9/*"}, {206, "5", "bytes 5/9-100"}, {206, "5", "bytes "},
        {206, "0", "bytes 5-18446744073709551615/18446744073709551615"}, {204, "0", NULL}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(length_of(wrong[i].status, wrong[i].length, wrong[i].range, &five, UINT64_MAX));
}

static void only_digits_are_a_number(void) {
    uint64_t number;
    CHECK(cofferdam_parse_number("18446744073709551615", &number) && number == UINT64_MAX);
    const char *const wrong[] = {"", "+5", "-1", " 1", "1 ", "18446744073709551616", "0x1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) CHECK(!cofferdam_parse_number(wrong[i], &number));
    CHECK(!cofferdam_parse_number(NULL, &number));
}

void test_http(void) {
    an_address_is_taken_apart();
    what_is_no_plain_address_is_refused_without_being_shown();
    encoding_is_undone_by_decoding();
    each_status_has_its_error();
    a_pause_is_read_in_both_forms_and_capped();
    the_answer_must_be_what_was_asked_for();
    only_digits_are_a_number();
}
