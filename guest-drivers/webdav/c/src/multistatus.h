/* What a server tells of resources: RFC 4918's multistatus, resource by resource, as it comes. Pure. */
#ifndef MULTISTATUS_H
#define MULTISTATUS_H

#include "cofferdam_driver.h"

typedef enum found { FOUND_NOTHING, FOUND_COLLECTION, FOUND_RESOURCE } found;

/* A resource that the server tells of; `path` is as in a request line, still encoded, and may be written to. */
typedef struct told { char *path; found kind; uint64_t size; } told;

typedef cofferdam_error *(*take_told)(void *context, const told *resource);

typedef struct multistatus multistatus;

/* `what` completes "cannot ...". */
multistatus *multistatus_new(const char *what, take_told take, void *context);
cofferdam_error *multistatus_push(multistatus *status, cofferdam_bytes piece);
/* An error when it is not whole. */
cofferdam_error *multistatus_end(const multistatus *status);

#endif
