// What Swift needs of libFuzzer and of the address sanitizer, which come with the compiler and have no headers of
// their own that it could import.
#ifndef DISBATCH_FUZZER_H
#define DISBATCH_FUZZER_H

#include <stddef.h>
#include <stdint.h>

/// libFuzzer's main program; it calls `test` for each input.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test)(const uint8_t *bytes, size_t count));

/// Bytes that are allocated now.
size_t __sanitizer_get_current_allocated_bytes(void);

#endif
