/* Cinder's names and portions for a new backup, as the posix driver has them. Pure.
 *
 * Source: cinder/backup/drivers/posix.py, `update_container_name` and `_generate_object_name_prefix`.
 */
#include "internal.h"

#include <inttypes.h>
#include <string.h>

cofferdam_error *cofferdam_get_portions(const cofferdam_settings *settings, const char *object_option, const char *block_option,
                                        cofferdam_portions *portions) {
    uint64_t block = portions->block_size, object = UINT64_MAX;
    COFFERDAM_TRY(cofferdam_get_size(settings, block_option, &block));
    COFFERDAM_TRY(cofferdam_get_size(settings, object_option, &object));
    bool given = object != UINT64_MAX;
    if (!given) object = portions->object_size;
    if (block == 0 || block > UINT32_MAX)
        return cofferdam_invalid_configuration(block_option, "expected 1 to 4294967295 bytes, found %" PRIu64, block);
    /* Who set only the block's size did nothing wrong with the other. */
    if (!given && object % block != 0)
        return cofferdam_invalid_configuration(block_option,
                                               "the default of %s, %" PRIu64 ", is no multiple of %" PRIu64 ": set that option too",
                                               object_option, object, block);
    if (object == 0 || object % block != 0)
        return cofferdam_invalid_configuration(object_option,
                                               "expected a positive multiple of %s (%" PRIu64 "), found %" PRIu64, block_option,
                                               block, object);
    portions->object_size = object;
    portions->block_size = (uint32_t)block;
    return COFFERDAM_OK;
}

const char *cofferdam_backup_prefix(const cofferdam_backup *backup) {
    return cofferdam_text("volume_%s_%s_backup_%s", backup->volume_id, backup->timestamp, backup->backup_id);
}

cofferdam_error *cofferdam_backup_folder(const cofferdam_backup *backup, const char **folder) {
    const char *id = backup->backup_id;
    /* Four bytes of ASCII: no character is cut. */
    for (int i = 0; i < 4; i++)
        if (id[i] == '\0' || (unsigned char)id[i] >= 0x80)
            return cofferdam_unsupported("the backup id %s is not a UUID", cofferdam_quoted(id));
    *folder = cofferdam_text("%.2s/%.2s/%s", id, id + 2, id);
    return COFFERDAM_OK;
}
