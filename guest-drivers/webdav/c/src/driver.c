/* The WebDAV driver in C: backups as resources of a WebDAV server (RFC 4918).
 *
 * A container is a collection right below `webdav_url`, an object a plain resource in it. The password stays with the host, the objects'
 * bytes pass by. The same driver stands beside this one in other languages: same options, same bytes in the same places.
 */
#include "dav.h"

#include <string.h>

#define URL "webdav_url"
#define USER "webdav_user"
#define PASSWORD "webdav_password"
#define CONTAINER "webdav_container"
#define FILE_SIZE "webdav_file_size"
#define BLOCK_SIZE "webdav_sha_block_size_bytes"
#define DEFAULT_CONTAINER "volumebackups"

enum { LONGEST_PREFIX = 1024 };

static const cofferdam_option options[] = {
    {URL, COFFERDAM_OPTION_URL, true, NULL, "The URL of the collection below which the containers are. It must be there."},
    {USER, COFFERDAM_OPTION_TEXT, false, "none", "The user, for basic authentication; together with " PASSWORD "."},
    {PASSWORD, COFFERDAM_OPTION_SECRET, false, "none", "The user's password."},
    {CONTAINER, COFFERDAM_OPTION_TEXT, false, DEFAULT_CONTAINER,
     "The container for backups whose user names none: the name of a collection right below the URL; made if it is missing."},
    {FILE_SIZE, COFFERDAM_OPTION_SIZE, false, "134217728", "Bytes of volume in one object: a positive multiple of " BLOCK_SIZE "."},
    {BLOCK_SIZE, COFFERDAM_OPTION_SIZE, false, "32768",
     "Bytes of volume for which one SHA-256 is kept, the unit of incremental backups: 1 to 4294967295."},
};

static const cofferdam_info *describe(void) {
    static const cofferdam_info info = {
        .name = "webdav",
        .version = "0.1.0",
        .vendor = "Cofferdam",
        .description = "Keeps backups on a WebDAV server.",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .wants_http = true,
    };
    return &info;
}

/* The header's value, with a placeholder in the place of user and password. */
static cofferdam_error *read_authorization(const cofferdam_settings *settings, const char **authorization) {
    const char *user, *password, *placeholder;
    COFFERDAM_TRY(cofferdam_get_text(settings, USER, &user));
    COFFERDAM_TRY(cofferdam_get_secret(settings, PASSWORD, &password));
    *authorization = NULL;
    if (!user && !password) return COFFERDAM_OK;
    if (!password) return cofferdam_invalid_configuration(PASSWORD, "it is absent, though " USER " is there");
    if (!user) return cofferdam_invalid_configuration(USER, "it is absent, though " PASSWORD " is there");
    for (const char *at = user; *at; at++)
        if (*at == ':' || (unsigned char)*at < ' ' || *at == 0x7F)
            return cofferdam_invalid_configuration(USER, "a user's name holds no `:` and no control character");
    /* What a host takes as the prefix of a placeholder, which the name and the `:` become. */
    if (strlen(user) >= LONGEST_PREFIX) return cofferdam_invalid_configuration(USER, "a user's name has at most 1023 bytes");
    COFFERDAM_TRY(cofferdam_placeholder(password, cofferdam_text("%s:", user), COFFERDAM_BASE64, &placeholder));
    *authorization = cofferdam_text("Basic %s", placeholder);
    return COFFERDAM_OK;
}

static cofferdam_error *do_setup(const cofferdam_settings *settings, void **self) {
    dav *server = cofferdam_alloc(sizeof *server);
    COFFERDAM_TRY(cofferdam_require_url(settings, URL, &server->root));
    if (server->root->query) return cofferdam_invalid_configuration(URL, "the URL holds a query (?)");
    COFFERDAM_TRY(cofferdam_get_text(settings, CONTAINER, &server->container));
    if (!server->container) server->container = DEFAULT_CONTAINER;
    cofferdam_error *refused = dav_check_container(server->container);
    if (refused) return cofferdam_invalid_configuration(CONTAINER, "%s", refused->text);
    server->portions = (cofferdam_portions){UINT64_C(128) << 20, COFFERDAM_DEFAULT_BLOCK_SIZE};
    COFFERDAM_TRY(cofferdam_get_portions(settings, FILE_SIZE, BLOCK_SIZE, &server->portions));
    COFFERDAM_TRY(read_authorization(settings, &server->authorization));
    *self = server;
    return COFFERDAM_OK;
}

static cofferdam_error *check_for_setup_error(void *self) { return dav_fly_canary(self); }

static cofferdam_error *probe(void *self) { return dav_check_root(self); }

static cofferdam_error *place_backup(void *self, const cofferdam_backup *backup, const char *container,
                                     cofferdam_placement *placement) {
    const dav *server = self;
    placement->container = container ? container : server->container;
    placement->prefix = cofferdam_backup_prefix(backup);
    placement->object_size = server->portions.object_size;
    placement->block_size = server->portions.block_size;
    COFFERDAM_TRY(dav_check_container(placement->container));
    return cofferdam_check_object(placement->prefix);
}

static cofferdam_error *create_container(void *self, const char *container) {
    COFFERDAM_TRY(dav_check_container(container));
    return dav_make_container(self, container);
}

static cofferdam_error *put_object(void *self, const cofferdam_address *at, cofferdam_input body, const cofferdam_body *info) {
    dav_body stream = {.stream = body, .info = info};
    COFFERDAM_TRY(dav_check(at));
    return dav_put(self, at, &stream);
}

static cofferdam_error *get_object(void *self, const cofferdam_address *at, const cofferdam_range *range, cofferdam_output sink,
                                   uint64_t *written) {
    COFFERDAM_TRY(dav_check(at));
    return dav_get(self, at, range, sink, written);
}

static cofferdam_error *stat_object(void *self, const cofferdam_address *at, uint64_t *size) {
    COFFERDAM_TRY(dav_check(at));
    return dav_size(self, at, size);
}

static cofferdam_error *delete_object(void *self, const cofferdam_address *at) {
    COFFERDAM_TRY(dav_check(at));
    return dav_delete(self, at);
}

static cofferdam_error *list_objects(void *self, const char *container, const char *prefix, const char *after, uint32_t limit,
                                     cofferdam_page *page) {
    COFFERDAM_TRY(dav_check_container(container));
    return dav_list(self, container, prefix, after, limit, page);
}

static cofferdam_error *list_containers(void *self, const char *after, uint32_t limit, cofferdam_containers *page) {
    return dav_list_containers(self, after, limit, page);
}

const cofferdam_driver cofferdam_this_driver = {
    .describe = describe,
    .do_setup = do_setup,
    .check_for_setup_error = check_for_setup_error,
    .probe = probe,
    .place_backup = place_backup,
    .create_container = create_container,
    .put_object = put_object,
    .get_object = get_object,
    .stat_object = stat_object,
    .delete_object = delete_object,
    .list_objects = list_objects,
    .list_containers = list_containers,
};
