/* Where a new backup goes. Pure, so that it can be tested on any machine. */
#ifndef PLACEMENT_H
#define PLACEMENT_H

#include "cofferdam_driver.h"

#define FILE_SIZE_OPTION "{{ident}}_file_size"
#define BLOCK_SIZE_OPTION "{{ident}}_sha_block_size_bytes"

/* Reads in what portions a volume is stored. */
cofferdam_error *read_portions(const cofferdam_settings *settings, cofferdam_portions *portions);

/* The container that the user asked for, else one named after the backup; `container` may be NULL. */
cofferdam_error *place(const cofferdam_backup *backup, const char *container, const cofferdam_portions *portions,
                       cofferdam_placement *placement);

#endif
