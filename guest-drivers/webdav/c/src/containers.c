/* Containers: made when missing, listed, and the objects in them listed.
 *
 * A listing is complete or an error. WebDAV knows no pages, so each page asks for the whole collection and keeps the names of the page.
 * Bound: one page of names. Cost: some 400 bytes on the wire for each object of the container, for each page.
 */
#include "dav.h"

static cofferdam_error *root_is_gone(void) {
    return cofferdam_unavailable("the collection of webdav_url is not there: make it, or mend what it stands on");
}

cofferdam_error *dav_check_root(const dav *server) {
    found kind;
    uint64_t size;
    COFFERDAM_TRY(dav_find(server, dav_root(server), "look at the collection of webdav_url", &kind, &size));
    if (kind == FOUND_NOTHING) return root_is_gone();
    if (kind == FOUND_RESOURCE) return cofferdam_unavailable("webdav_url names a plain resource and no collection");
    return COFFERDAM_OK;
}

/* The server says that something is there already. */
static cofferdam_error *check_there(const dav *server, const char *container, const char *what) {
    found kind;
    uint64_t size;
    COFFERDAM_TRY(dav_find(server, dav_container(server, container), what, &kind, &size));
    if (kind == FOUND_COLLECTION) return COFFERDAM_OK;
    if (kind == FOUND_RESOURCE) return cofferdam_already_exists("cannot %s: a plain resource stands in its place", what);
    return cofferdam_unavailable("cannot %s: the server said that it is there (405), and then that it is not", what);
}

cofferdam_error *dav_make_container(const dav *server, const char *container) {
    const char *what = cofferdam_text("make the container %s", container);
    cofferdam_response *response;
    COFFERDAM_TRY(cofferdam_send(dav_request(server, "MKCOL", dav_container(server, container)), &response));
    unsigned status = cofferdam_status(response);
    cofferdam_close(response);
    if (status == 201) return COFFERDAM_OK;
    if (status == 405) return check_there(server, container, what);
    if (status == 404 || status == 409) return root_is_gone();
    return dav_refused(response, what);
}

static cofferdam_error *take_object(void *context, const told *member) {
    if (member->kind == FOUND_RESOURCE && !cofferdam_is_reserved(member->path))
        cofferdam_picker_take(context, member->path, member->size);
    return COFFERDAM_OK;
}

cofferdam_error *dav_list(const dav *server, const char *container, const char *prefix, const char *after, uint32_t limit,
                          cofferdam_page *page) {
    cofferdam_picker *picker = cofferdam_picker_new(prefix, after, limit);
    bool there;
    COFFERDAM_TRY(dav_each(server, dav_container(server, container), cofferdam_text("list the container %s", container), take_object,
                           picker, &there));
    if (!there) return cofferdam_not_found("there is no container %s", container);
    cofferdam_picker_page(picker, page);
    return COFFERDAM_OK;
}

/* In what has no container's name no backup was ever placed. */
static cofferdam_error *take_container(void *context, const told *member) {
    if (member->kind == FOUND_COLLECTION && !dav_check_container(member->path)) cofferdam_picker_take(context, member->path, 0);
    return COFFERDAM_OK;
}

cofferdam_error *dav_list_containers(const dav *server, const char *after, uint32_t limit, cofferdam_containers *page) {
    cofferdam_picker *picker = cofferdam_picker_new("", after, limit);
    bool there;
    COFFERDAM_TRY(dav_each(server, dav_root(server), "list the containers", take_container, picker, &there));
    if (!there) return root_is_gone();
    cofferdam_picker_containers(picker, page);
    return COFFERDAM_OK;
}
