/* Where containers and objects are: their URLs, and which resource an answer tells of. Pure. */
#include "dav.h"

#include <string.h>

const cofferdam_url *dav_root(const dav *server) { return cofferdam_url_join(server->root, ""); }

const cofferdam_url *dav_container(const dav *server, const char *container) {
    return cofferdam_url_join(server->root, cofferdam_text("%s/", cofferdam_percent(container)));
}

const cofferdam_url *dav_object(const dav *server, const char *container, const char *name) {
    return cofferdam_url_join(server->root, cofferdam_text("%s/%s", cofferdam_percent(container), cofferdam_percent(name)));
}

const char *dav_below(const char *collection, char *path) {
    size_t length = strlen(collection);
    while (length && collection[length - 1] == '/') length--;
    if (!cofferdam_unpercent_here(path) || strncmp(path, collection, length) != 0) return NULL;
    char *rest = path + length;
    if (*rest != '/') return *rest ? NULL : rest;
    size_t left = strlen(++rest);
    if (left && rest[left - 1] == '/') rest[left - 1] = '\0';
    return rest;
}

cofferdam_error *dav_check_container(const char *container) {
    COFFERDAM_TRY(cofferdam_check_folder(container));
    if (strchr(container, '/'))
        return cofferdam_unsupported("the container %s is refused: it holds a `/`, and here containers have no containers in them",
                                     cofferdam_shown(container));
    return COFFERDAM_OK;
}

cofferdam_error *dav_check(const cofferdam_address *at) {
    COFFERDAM_TRY(dav_check_container(at->container));
    return cofferdam_check_object(at->name);
}
