#pragma once

#include <sqlite3.h>

// Swift can't call variadic functions: this passes its one argument on, by its type.
static inline int csqlite_config_int(int option, int value) { return sqlite3_config(option, value); }
