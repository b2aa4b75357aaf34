/* Proof that the server is usable: a container and an object are made, read back, compared and deleted, each in the way of a real one,
 * so that whatever would stop a backup stops the canary.
 *
 * Nothing stays behind, on failure neither; only a check that is killed in the middle leaves its collection, whose name begins with
 * `.cofferdam-canary-` and which no listing of containers shows.
 */
#include "dav.h"

#include <string.h>

/* Bytes that are read of the canary at most. */
enum { LONGEST_TEXT = 4096 };

static cofferdam_error *fly(const dav *server, const cofferdam_address *at) {
    dav_body body = {.text = cofferdam_text("cofferdam canary %016llx\n", (unsigned long long)cofferdam_random())};
    cofferdam_response *response;
    cofferdam_bytes found;
    uint64_t size;
    COFFERDAM_TRY(dav_make_container(server, at->container));
    COFFERDAM_TRY(dav_put(server, at, &body));
    COFFERDAM_TRY(dav_fetch(server, at, NULL, &response));
    if (cofferdam_status(response) != 200) return dav_refused(response, "read the canary");
    COFFERDAM_TRY(cofferdam_response_bytes(response, LONGEST_TEXT, &found));
    if (found.length != strlen(body.text) || memcmp(found.data, body.text, found.length) != 0)
        return cofferdam_corrupted("the canary was read back with other bytes than were written");
    COFFERDAM_TRY(dav_delete(server, at));
    cofferdam_error *error = dav_size(server, at, &size);
    if (!error) return cofferdam_failed("the canary is still there after it was deleted");
    return error->kind == COFFERDAM_NOT_FOUND ? COFFERDAM_OK : error;
}

cofferdam_error *dav_fly_canary(const dav *server) {
    COFFERDAM_TRY(dav_check_root(server));
    cofferdam_address at = {cofferdam_text(".cofferdam-canary-%016llx", (unsigned long long)cofferdam_random()), "canary"};
    cofferdam_error *flown = fly(server, &at);
    cofferdam_error *cleared = dav_remove(server, dav_container(server, at.container), "delete the canary's container", NULL);
    /* The first failure is the cause; the second is only its echo. */
    return flown ? flown : cleared;
}
