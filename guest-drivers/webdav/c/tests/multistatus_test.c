#include "../src/multistatus.h"
#include "../src/xml.h"
#include "check.h"
#include "src/internal.h"

#include <stdlib.h>

#define OK "<D:status>HTTP/1.1 200 OK</D:status>"
#define FILE_OF(href, length)                                                                                            \
    "<D:response><D:href>" href "</D:href><D:propstat><D:prop><D:getcontentlength>" length "</D:getcontentlength>"         \
    "<D:resourcetype/></D:prop>" OK "</D:propstat></D:response>"
#define FOLDER_OF(href)                                                                                                  \
    "<D:response><D:href>" href "</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop>" OK \
    "</D:propstat><D:propstat><D:prop><D:getcontentlength/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status>"           \
    "</D:propstat></D:response>"
#define ALL(inside) "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\">" inside "</D:multistatus>\n"

static cofferdam_error *note(void *context, const told *resource) {
    const char **all = context;
    *all = cofferdam_text("%s%s %s %llu;", *all, resource->path,
                          resource->kind == FOUND_NOTHING ? "nothing" : resource->kind == FOUND_COLLECTION ? "folder" : "file",
                          (unsigned long long)resource->size);
    return COFFERDAM_OK;
}

/* Pushed in pieces of that many bytes; what was told, or the error's text. */
static const char *read_in(const char *text, size_t piece) {
    const char *all = "";
    multistatus *status = multistatus_new("look", note, &all);
    cofferdam_error *error = NULL;
    for (size_t at = 0, length = strlen(text); !error && at < length; at += piece) {
        size_t now = length - at < piece ? length - at : piece;
        error = multistatus_push(status, (cofferdam_bytes){(const uint8_t *)text + at, now});
    }
    if (!error) error = multistatus_end(status);
    return error ? error->text : all;
}

static void resources_are_told_of_however_the_bytes_come(void) {
    static const char text[] = ALL(FOLDER_OF("/dav/c/") "\n" FILE_OF("/dav/c/a&amp;b%20&#x63;", " 300000 ") FILE_OF("http://h/dav/c/x", "0"));
    for (size_t piece = 1; piece < sizeof text; piece += 7)
        SAME("/dav/c/ folder 0;/dav/c/a&b%20c file 300000;/dav/c/x file 0;", read_in(text, piece));
}

static void namespaces_decide_and_not_prefixes(void) {
    SAME("/x folder 0;", read_in("<multistatus xmlns=\"DAV:\"><response><href>/x</href><propstat><prop><resourcetype><collection/></resourcetype>"
                                 "</prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>", 9));
    /* Another's `collection` and `getcontentlength` mean nothing, even within ours. */
    SAME("/x file 5;", read_in(ALL("<D:response xmlns:E='other:'><D:href>/x</D:href><D:propstat><D:prop><E:getcontentlength>9</E:getcontentlength>"
                                   "<D:resourcetype><E:collection/></D:resourcetype><D:getcontentlength>5</D:getcontentlength></D:prop>" OK
                                   "</D:propstat></D:response>"), 9));
    /* A prefix may be bound anew within. */
    SAME("/x file 5;", read_in(ALL("<D:response><D:href>/x</D:href><D:propstat><D:prop><D:resourcetype><D:collection xmlns:D='other:'/>"
                                   "</D:resourcetype><D:getcontentlength>5</D:getcontentlength></D:prop>" OK "</D:propstat></D:response>"), 9));
}

static void comments_sections_and_instructions_are_read(void) {
    SAME("/<x> file 5;", read_in("\xEF\xBB\xBF<?xml version='1.0'?><!-- a > b --><D:multistatus xmlns:D=\"DAV:\"><?php ?><D:response><D:href>"
                                 "<![CDATA[/<x>]]></D:href><D:propstat><D:prop><D:resourcetype/><D:getcontentlength>5</D:getcontentlength>"
                                 "</D:prop>" OK "</D:propstat></D:response></D:multistatus><!-- end -->", 3));
}

static void what_went_meanwhile_is_told_of_as_nothing(void) {
    SAME("/x nothing 0;", read_in(ALL("<D:response><D:href>/x</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>"), 9));
}

static void a_resource_that_cannot_be_read_ends_the_reading(void) {
    CHECK(strstr(read_in(ALL("<D:response><D:href>/x</D:href><D:status>HTTP/1.1 403 Forbidden</D:status></D:response>"), 9), "403"));
    CHECK(strstr(read_in(ALL("<D:response><D:href>/x</D:href><D:propstat><D:prop/><D:status>HTTP/1.1 500 X</D:status></D:propstat></D:response>"),
                         9), "500"));
    CHECK(strstr(read_in(ALL(FILE_OF("/x", "")), 9), "length"));
    CHECK(strstr(read_in(ALL(FILE_OF("/x", "-1")), 9), "length"));
}

static void what_is_no_whole_multistatus_is_refused(void) {
    static const char *const wrong[] = {
        "", "<", "<a/>", "hello", "<multistatus/>", "<D:multistatus/>", "<D:multistatus xmlns:D='DAV:'>", "<D:multistatus xmlns:D='DAV:'></D:multistatu>",
        "<!DOCTYPE x []><D:multistatus xmlns:D='DAV:'/>", "<D:multistatus xmlns:D='DAV:'>&x;</D:multistatus>",
        "<D:multistatus xmlns:D='DAV:'>&#0;</D:multistatus>", "<D:multistatus xmlns:D='DAV:'/><D:multistatus xmlns:D='DAV:'/>",
        "<D:multistatus xmlns:D='DAV:'/>x", "x<D:multistatus xmlns:D='DAV:'/>", "<D:multistatus xmlns:D='DAV:'><E:x/></D:multistatus>",
        "<D:multistatus xmlns:D='DAV:'><D:x y/></D:multistatus>", "<D:multistatus xmlns:D='DAV:'><D:x y=z/></D:multistatus>",
        "<D:multistatus xmlns:D='DAV:'><D:x y='<'/></D:multistatus>", "<D:multistatus xmlns:D='DAV:'>]]></D:multistatus>",
        "<D:multistatus xmlns:D='DAV:'>\xff</D:multistatus>", "<D:multistatus xmlns:D='DAV:'/><", "<D:multistatus xmlns:D='DAV:'/><!--",
        "<?xml version='1.0' encoding='utf-16'?><D:multistatus xmlns:D='DAV:'/>", "<D:multistatus xmlns:D=''/>",
        ALL("<D:response/>"), ALL("<D:response><D:href>/x</D:href></D:response>"),
        ALL("<D:response><D:href>/x</D:href><D:href>/y</D:href><D:status>HTTP/1.1 404 N</D:status></D:response>"),
        ALL("<D:response><D:href>/x</D:href><D:propstat><D:prop/>" OK "</D:propstat></D:response>"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) CHECK(strstr(read_in(wrong[i], 5), "no whole multistatus"));
    SAME("", read_in("<D:multistatus xmlns:D='DAV:'/>", 5));
}

static void bounds_are_kept(void) {
    char *deep = cofferdam_alloc(4096), *wide = cofferdam_alloc(XML_LONGEST_TOKEN + 4096);
    strcpy(deep, "<D:multistatus xmlns:D='DAV:'>");
    for (int i = 0; i < 15; i++) strcat(deep, "<x>");
    const char *within = cofferdam_text("%s%s</D:multistatus>", deep, "</x></x></x></x></x></x></x></x></x></x></x></x></x></x></x>");
    SAME("", read_in(within, 64));
    CHECK(strstr(read_in(cofferdam_text("%s<x>", deep), 64), "no whole multistatus"));
    memset(wide, 'x', XML_LONGEST_TOKEN + 10);
    CHECK(strstr(read_in(cofferdam_text("<D:multistatus xmlns:D='DAV:'>%s", wide), 999), "no whole multistatus"));
    CHECK(strstr(read_in(cofferdam_text("<D:multistatus xmlns:D='DAV:'><%s", wide), 999), "no whole multistatus"));
    wide[9000] = '\0';
    CHECK(strstr(read_in(cofferdam_text("<D:multistatus xmlns:D='DAV:'><D:response><D:href>%s</D:href>", wide), 999), "no whole multistatus"));
    CHECK(strstr(read_in(cofferdam_text("<%s xmlns='DAV:'/>", wide), 999), "no whole multistatus"));
}

/* Bytes changed, lost and doubled by chance: any answer is right that is one, under the sanitizers. */
static void damaged_answers_do_no_harm(void) {
    static const char text[] = ALL(FOLDER_OF("/dav/c/") FILE_OF("/dav/c/a&amp;b", "300000") "<!-- x --><![CDATA[y]]>");
    static const char odd[] = "<>&;'\"=/!?-[]:x \xff\xc3";
    srand(7);
    for (int round = 0; round < 20000; round++) {
        char copy[sizeof text];
        memcpy(copy, text, sizeof text);
        for (int changes = 1 + rand() % 4; changes; changes--) copy[(size_t)rand() % (sizeof text - 1)] = odd[(size_t)rand() % (sizeof odd - 1)];
        if (rand() % 4 == 0) copy[(size_t)rand() % (sizeof text - 1)] = '\0';
        CHECK(read_in(copy, 1 + (size_t)rand() % 50));
        if (round % 100 == 0) cofferdam_arena_free(&cofferdam_call_arena);
    }
}

void test_multistatus(void) {
    resources_are_told_of_however_the_bytes_come();
    namespaces_decide_and_not_prefixes();
    comments_sections_and_instructions_are_read();
    what_went_meanwhile_is_told_of_as_nothing();
    a_resource_that_cannot_be_read_ends_the_reading();
    what_is_no_whole_multistatus_is_refused();
    bounds_are_kept();
    damaged_answers_do_no_harm();
}
