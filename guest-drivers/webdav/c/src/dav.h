/* Requests to the server, and the URLs of containers and objects in it.
 *
 * Bound: nothing is sent twice and no redirect is followed. What a server says of a collection is read as it comes, so memory does not
 * depend on how much is in it.
 */
#ifndef DAV_H
#define DAV_H

#include "multistatus.h"

#include "cofferdam_http.h"

/* What do_setup keeps. */
typedef struct dav {
    const cofferdam_url *root;
    const char *authorization; /* the header's value, with a placeholder for user and password; or NULL */
    const char *container;
    cofferdam_portions portions;
} dav;

/* ---- URLs: where.c, pure ---- */

/* With a `/` at the end: some servers redirect without. */
const cofferdam_url *dav_root(const dav *server);
const cofferdam_url *dav_container(const dav *server, const char *container);
const cofferdam_url *dav_object(const dav *server, const char *container, const char *name);
/* The way from a collection, whose decoded path is given, to a resource, decoded in place, without the `/` at a collection's end;
 * empty for the collection itself. NULL when the resource is not in it, or its name is not UTF-8. */
const char *dav_below(const char *collection, char *path);
/* Refuses a container that is not one safe segment. */
cofferdam_error *dav_check_container(const char *container);
/* Refuses an object whose URL would be another's, or whose name is kept for unfinished objects. */
cofferdam_error *dav_check(const cofferdam_address *at);

/* ---- Requests: dav.c ---- */

cofferdam_request *dav_request(const dav *server, const char *method, const cofferdam_url *url);
/* What stands under the URL. `what` completes "cannot ...". */
cofferdam_error *dav_find(const dav *server, const cofferdam_url *url, const char *what, found *kind, uint64_t *size);
/* Tells `take` each member of the collection by its name, in no order; no success before all were told. `there` is false when there is no
 * such collection. */
cofferdam_error *dav_each(const dav *server, const cofferdam_url *url, const char *what, take_told take, void *context, bool *there);
/* Deletes a resource, or a collection with all in it; `was_there` (may be NULL) is false when nothing was. */
cofferdam_error *dav_remove(const dav *server, const cofferdam_url *url, const char *what, bool *was_there);
/* What an answer means that is not the success that was expected. */
cofferdam_error *dav_refused(const cofferdam_response *response, const char *what);

/* ---- Containers and objects: containers.c, objects.c, canary.c ---- */

/* Whether the collection of the containers is there. Gone, it is `unavailable`: it may come back. */
cofferdam_error *dav_check_root(const dav *server);
cofferdam_error *dav_make_container(const dav *server, const char *container);
cofferdam_error *dav_list(const dav *server, const char *container, const char *prefix, const char *after, uint32_t limit,
                          cofferdam_page *page);
cofferdam_error *dav_list_containers(const dav *server, const char *after, uint32_t limit, cofferdam_containers *page);

/* A body of a few bytes, or a stream. */
typedef struct dav_body { const char *text; cofferdam_input stream; const cofferdam_body *info; } dav_body;

cofferdam_error *dav_put(const dav *server, const cofferdam_address *at, const dav_body *body);
/* The answer to a GET, whatever it is. */
cofferdam_error *dav_fetch(const dav *server, const cofferdam_address *at, const cofferdam_range *range, cofferdam_response **response);
cofferdam_error *dav_get(const dav *server, const cofferdam_address *at, const cofferdam_range *range, cofferdam_output sink,
                         uint64_t *written);
cofferdam_error *dav_size(const dav *server, const cofferdam_address *at, uint64_t *size);
cofferdam_error *dav_delete(const dav *server, const cofferdam_address *at);
cofferdam_error *dav_fly_canary(const dav *server);

#endif
