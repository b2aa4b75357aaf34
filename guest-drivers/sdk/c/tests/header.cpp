// The headers include as C++20, and a table of functions can be made there.
#include "../cofferdam_http.h"

static const cofferdam_info *describe() {
    static const cofferdam_info info = {"plus", "0.1.0", "", "", nullptr, 0, COFFERDAM_NEEDS_SIZE | COFFERDAM_NEEDS_MD5, 0, false};
    return &info;
}

static cofferdam_error *do_setup(const cofferdam_settings *settings, void **self) {
    const cofferdam_url *url;
    COFFERDAM_TRY(cofferdam_require_url(settings, "plus_url", &url));
    *self = nullptr;
    return COFFERDAM_OK;
}

const cofferdam_driver cofferdam_this_driver = {
    .describe = describe,
    .do_setup = do_setup,
    .check_for_setup_error = nullptr,
    .probe = nullptr,
    .place_backup = nullptr,
    .create_container = nullptr,
    .put_object = nullptr,
    .get_object = nullptr,
    .stat_object = nullptr,
    .delete_object = nullptr,
    .list_objects = nullptr,
    .list_containers = nullptr,
};
