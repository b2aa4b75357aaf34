/* Tests of the pure rules: `make test`. */
#include "check.h"

int passed, failed;

void test_multistatus(void);
void test_where(void);

int main(void) {
    test_multistatus();
    test_where();
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
