// What the sanitizers are told, in each program that a sanitised build links: tests start programs with environments of
// their own, by other programs too, so that no variable would reach all of them.
//
// REPORTS is the folder that reports go to, one file for each process.

#define COMMON "log_path=" REPORTS "/report:log_exe_name=1"

// exitcode: as if there were none, so that tests show what disbatch does; the files are what fails the run.
const char *__tsan_default_options(void) { return COMMON ":exitcode=0:atexit_sleep_ms=0:second_deadlock_stack=1"; }

const char *__asan_default_options(void) { return COMMON ":detect_leaks=1:detect_stack_use_after_return=0:quarantine_size_mb=4"; }

const char *__lsan_default_options(void) { return "exitcode=0:print_suppressions=0"; }

const char *__tsan_default_suppressions(void) { return ""; }

const char *__lsan_default_suppressions(void) {
    // XCTest, Foundation and regular expressions, in the test runner alone, keep what they allocate once. So do
    // libcrypto, and libcurl where a program exits; libssh2 1.10 keeps a host's key (51 bytes) where an exchange of keys
    // is broken off.
    return "leak:libXCTest.so\nleak:libFoundation.so\nleak:libFoundationEssentials.so\nleak:_StringProcessing\n"
           "leak:_RegexParser\nleak:libcrypto.so\nleak:libcurl.so\nleak:libssh2.so\n";
}
