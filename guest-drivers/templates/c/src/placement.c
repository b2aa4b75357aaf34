#include "placement.h"

cofferdam_error *read_portions(const cofferdam_settings *settings, cofferdam_portions *portions) {
    *portions = (cofferdam_portions){COFFERDAM_DEFAULT_OBJECT_SIZE, COFFERDAM_DEFAULT_BLOCK_SIZE};
    return cofferdam_get_portions(settings, FILE_SIZE_OPTION, BLOCK_SIZE_OPTION, portions);
}

cofferdam_error *place(const cofferdam_backup *backup, const char *container, const cofferdam_portions *portions,
                       cofferdam_placement *placement) {
    if (!container) COFFERDAM_TRY(cofferdam_backup_folder(backup, &container));
    placement->container = container;
    placement->prefix = cofferdam_backup_prefix(backup);
    placement->object_size = portions->object_size;
    placement->block_size = portions->block_size;
    COFFERDAM_TRY(cofferdam_check_folder(placement->container));
    return cofferdam_check_object(placement->prefix);
}
