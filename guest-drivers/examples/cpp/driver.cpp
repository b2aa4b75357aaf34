// A driver in C++ over the C SDK's headers: backups as files in a directory, in the format of the posix driver.
//
// The SDK is used as it is from C, its rules of ownership too (the head of cofferdam_driver.h). What do_setup keeps is an object whose
// methods are the contract's functions; `Bound` makes the C function of each. Without exceptions: errors are values.
#include <array>
#include <new>

#include "cofferdam_driver.h"

namespace {

constexpr auto path_option = "shelf_cpp_path";
constexpr auto file_size_option = "shelf_cpp_file_size";
constexpr auto block_size_option = "shelf_cpp_sha_block_size_bytes";

constexpr std::array options{
    cofferdam_option{path_option, COFFERDAM_OPTION_DIRECTORY, true, nullptr, "The absolute path of the directory that holds the backups."},
    cofferdam_option{file_size_option, COFFERDAM_OPTION_SIZE, false, "1999994880",
                     "Bytes of volume in one object: a positive multiple of shelf_cpp_sha_block_size_bytes."},
    cofferdam_option{block_size_option, COFFERDAM_OPTION_SIZE, false, "32768",
                     "Bytes of volume for which one SHA-256 is kept: 1 to 4294967295."},
};

const cofferdam_info *describe() {
    static constexpr cofferdam_info info{
        .name = "shelf-cpp",
        .version = "0.1.0",
        .vendor = "Cofferdam",
        .description = "Keeps backups as files in a directory; written in C++.",
        .options = options.data(),
        .option_count = options.size(),
        .needs = 0,
        .greatest_object = 0,
        .wants_http = false,
    };
    return &info;
}

// What do_setup keeps. It lives in memory of the SDK, so it needs no destructor: nothing of it is ever freed by hand.
class Shelf {
public:
    cofferdam_error *open(const cofferdam_settings *settings) {
        COFFERDAM_TRY(cofferdam_get_portions(settings, file_size_option, block_size_option, &portions_));
        return cofferdam_require_directory(settings, path_option, &directory_);
    }

    cofferdam_error *check() { return cofferdam_directory_check(directory_); }
    cofferdam_error *probe() { return cofferdam_directory_probe(directory_); }

    cofferdam_error *place(const cofferdam_backup *backup, const char *container, cofferdam_placement *placement) {
        if (container == nullptr) COFFERDAM_TRY(cofferdam_backup_folder(backup, &container));
        *placement = {container, cofferdam_backup_prefix(backup), portions_.object_size, portions_.block_size};
        COFFERDAM_TRY(cofferdam_check_folder(placement->container));
        return cofferdam_check_object(placement->prefix);
    }

    cofferdam_error *create(const char *container) { return cofferdam_directory_create(directory_, container); }

    cofferdam_error *put(const cofferdam_address *at, cofferdam_input body, const cofferdam_body *info) {
        return cofferdam_directory_put(directory_, at, body, info);
    }

    cofferdam_error *get(const cofferdam_address *at, const cofferdam_range *range, cofferdam_output sink, uint64_t *written) {
        return cofferdam_directory_get(directory_, at, range, sink, written);
    }

    cofferdam_error *stat(const cofferdam_address *at, uint64_t *size) { return cofferdam_directory_stat(directory_, at, size); }
    cofferdam_error *remove(const cofferdam_address *at) { return cofferdam_directory_delete(directory_, at); }

    cofferdam_error *list(const char *container, const char *prefix, const char *after, uint32_t limit, cofferdam_page *page) {
        return cofferdam_directory_list(directory_, container, prefix, after, limit, page);
    }

    cofferdam_error *containers(const char *after, uint32_t limit, cofferdam_containers *page) {
        return cofferdam_directory_containers(directory_, after, limit, page);
    }

private:
    cofferdam_directory *directory_ = nullptr;
    cofferdam_portions portions_{COFFERDAM_DEFAULT_OBJECT_SIZE, COFFERDAM_DEFAULT_BLOCK_SIZE};
};

cofferdam_error *do_setup(const cofferdam_settings *settings, void **self) {
    auto *shelf = new (cofferdam_alloc(sizeof(Shelf))) Shelf;
    COFFERDAM_TRY(shelf->open(settings));
    *self = shelf;
    return COFFERDAM_OK;
}

// The C function that calls a method.
template <auto Method> struct Bound;
template <typename... Arguments, cofferdam_error *(Shelf::*Method)(Arguments...)> struct Bound<Method> {
    static cofferdam_error *call(void *self, Arguments... arguments) { return (static_cast<Shelf *>(self)->*Method)(arguments...); }
};
template <auto Method> constexpr auto bound = &Bound<Method>::call;

} // namespace

const cofferdam_driver cofferdam_this_driver = {
    .describe = describe,
    .do_setup = do_setup,
    .check_for_setup_error = bound<&Shelf::check>,
    .probe = bound<&Shelf::probe>,
    .place_backup = bound<&Shelf::place>,
    .create_container = bound<&Shelf::create>,
    .put_object = bound<&Shelf::put>,
    .get_object = bound<&Shelf::get>,
    .stat_object = bound<&Shelf::stat>,
    .delete_object = bound<&Shelf::remove>,
    .list_objects = bound<&Shelf::list>,
    .list_containers = bound<&Shelf::containers>,
};
