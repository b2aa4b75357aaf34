//! A driver in Zig over the C SDK's headers: backups as files in a directory, in the format of the posix driver.
//!
//! Everything of the SDK is used as it is from C, its rules of ownership too (the head of cofferdam_driver.h): what it hands out is
//! never freed here, so no allocator of Zig's is in play, least of all for what goes back to the host.

const c = @cImport({
    @cInclude("cofferdam_driver.h");
});

const Error = ?*c.cofferdam_error;

/// What do_setup keeps.
const Shelf = struct {
    directory: ?*c.cofferdam_directory,
    portions: c.cofferdam_portions,
};

const options = [_]c.cofferdam_option{
    .{
        .name = "shelf_zig_path",
        .kind = c.COFFERDAM_OPTION_DIRECTORY,
        .required = true,
        .description = "The absolute path of the directory that holds the backups.",
    },
    .{
        .name = "shelf_zig_file_size",
        .kind = c.COFFERDAM_OPTION_SIZE,
        .default_text = "1999994880",
        .description = "Bytes of volume in one object: a positive multiple of shelf_zig_sha_block_size_bytes.",
    },
    .{
        .name = "shelf_zig_sha_block_size_bytes",
        .kind = c.COFFERDAM_OPTION_SIZE,
        .default_text = "32768",
        .description = "Bytes of volume for which one SHA-256 is kept: 1 to 4294967295.",
    },
};

const info = c.cofferdam_info{
    .name = "shelf-zig",
    .version = "0.1.0",
    .vendor = "Cofferdam",
    .description = "Keeps backups as files in a directory; written in Zig.",
    .options = &options,
    .option_count = options.len,
};

fn shelf(self: ?*anyopaque) *Shelf {
    return @ptrCast(@alignCast(self.?));
}

fn describe() callconv(.c) *const c.cofferdam_info {
    return &info;
}

fn doSetup(settings: [*c]const c.cofferdam_settings, self: [*c]?*anyopaque) callconv(.c) Error {
    const made = shelf(c.cofferdam_alloc(@sizeOf(Shelf)));
    made.portions = .{ .object_size = c.COFFERDAM_DEFAULT_OBJECT_SIZE, .block_size = c.COFFERDAM_DEFAULT_BLOCK_SIZE };
    if (c.cofferdam_get_portions(settings, options[1].name, options[2].name, &made.portions)) |e| return e;
    if (c.cofferdam_require_directory(settings, options[0].name, &made.directory)) |e| return e;
    self.* = made;
    return null;
}

fn check(self: ?*anyopaque) callconv(.c) Error {
    return c.cofferdam_directory_check(shelf(self).directory);
}

fn probe(self: ?*anyopaque) callconv(.c) Error {
    return c.cofferdam_directory_probe(shelf(self).directory);
}

fn placeBackup(
    self: ?*anyopaque,
    backup: [*c]const c.cofferdam_backup,
    container: [*c]const u8,
    placement: [*c]c.cofferdam_placement,
) callconv(.c) Error {
    placement.*.container = container;
    if (container == null) {
        if (c.cofferdam_backup_folder(backup, &placement.*.container)) |e| return e;
    }
    placement.*.prefix = c.cofferdam_backup_prefix(backup);
    placement.*.object_size = shelf(self).portions.object_size;
    placement.*.block_size = shelf(self).portions.block_size;
    if (c.cofferdam_check_folder(placement.*.container)) |e| return e;
    return c.cofferdam_check_object(placement.*.prefix);
}

fn createContainer(self: ?*anyopaque, container: [*c]const u8) callconv(.c) Error {
    return c.cofferdam_directory_create(shelf(self).directory, container);
}

fn put(
    self: ?*anyopaque,
    at: [*c]const c.cofferdam_address,
    body: c.cofferdam_input,
    known: [*c]const c.cofferdam_body,
) callconv(.c) Error {
    return c.cofferdam_directory_put(shelf(self).directory, at, body, known);
}

fn get(
    self: ?*anyopaque,
    at: [*c]const c.cofferdam_address,
    range: [*c]const c.cofferdam_range,
    sink: c.cofferdam_output,
    written: [*c]u64,
) callconv(.c) Error {
    return c.cofferdam_directory_get(shelf(self).directory, at, range, sink, written);
}

fn stat(self: ?*anyopaque, at: [*c]const c.cofferdam_address, size: [*c]u64) callconv(.c) Error {
    return c.cofferdam_directory_stat(shelf(self).directory, at, size);
}

fn delete(self: ?*anyopaque, at: [*c]const c.cofferdam_address) callconv(.c) Error {
    return c.cofferdam_directory_delete(shelf(self).directory, at);
}

fn list(
    self: ?*anyopaque,
    container: [*c]const u8,
    prefix: [*c]const u8,
    after: [*c]const u8,
    limit: u32,
    page: [*c]c.cofferdam_page,
) callconv(.c) Error {
    return c.cofferdam_directory_list(shelf(self).directory, container, prefix, after, limit, page);
}

fn listContainers(self: ?*anyopaque, after: [*c]const u8, limit: u32, page: [*c]c.cofferdam_containers) callconv(.c) Error {
    return c.cofferdam_directory_containers(shelf(self).directory, after, limit, page);
}

export const cofferdam_this_driver = c.cofferdam_driver{
    .describe = describe,
    .do_setup = doSetup,
    .check_for_setup_error = check,
    .probe = probe,
    .place_backup = placeBackup,
    .create_container = createContainer,
    .put_object = put,
    .get_object = get,
    .stat_object = stat,
    .delete_object = delete,
    .list_objects = list,
    .list_containers = listContainers,
};
