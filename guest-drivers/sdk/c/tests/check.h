/* A test of few words: CHECK counts, and says where and what did not hold. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

extern int passed, failed;

#define CHECK(what)                                                              \
    do {                                                                         \
        if (what) passed++;                                                      \
        else failed++, printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
    } while (0)

#define SAME(expected, found)                                                                                  \
    do {                                                                                                       \
        const char *check_found = (found);                                                                     \
        if (check_found && strcmp((expected), check_found) == 0) passed++;                                     \
        else failed++, printf("%s:%d: expected %s\n    found %s\n", __FILE__, __LINE__, (expected),               \
                              check_found ? check_found : "nothing");                                          \
    } while (0)

#endif
