#define _GNU_SOURCE 1
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <nss.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

const int clinux_set_child_subreaper = PR_SET_CHILD_SUBREAPER;
const int clinux_set_name = PR_SET_NAME;

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

enum { child_stack_size = 64 * 1024 };

// Signals that we ignore and that what we start must find at their defaults.
enum { ignored_signals_limit = 64 };
static int ignored_signals[ignored_signals_limit];
static int ignored_signals_count;

void clinux_ignore(int number) {
    signal(number, SIG_IGN);
    if (ignored_signals_count < ignored_signals_limit) ignored_signals[ignored_signals_count++] = number;
}

// The limit of open files that we were started with, once it was raised.
static struct rlimit first_file_limit;
static int file_limit_is_raised;

// A sanitizer must not take what the child does for what the starting thread does: no instrumentation there, no wrapped
// calls that keep books of descriptors or of a process's end, and a clone that is not taken for fork.
#if defined(__has_attribute)
#if __has_attribute(disable_sanitizer_instrumentation)
#define UNINSTRUMENTED __attribute__((disable_sanitizer_instrumentation))
#endif
#endif
#ifndef UNINSTRUMENTED
#define UNINSTRUMENTED
#endif
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// The C library's other name for it.
extern int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...);
#define clone __clone
#endif
#endif

// What the child needs, in the memory it shares with us.
struct child {
    const struct clinux_spawn_request *request;
    volatile int error;
};

// Puts descriptor `from` in the place of `to`, kept across execve.
UNINSTRUMENTED static int place(int from, int to) {
    if (from == to) return fcntl(from, F_SETFD, 0);
    return (int)syscall(SYS_dup3, from, to, 0);
}

UNINSTRUMENTED static int fail(struct child *child) {
    child->error = errno;
    syscall(SYS_exit_group, 127);
    __builtin_unreachable();
}

// Runs in the child, on its own stack, in our memory, while the starting thread stands still. No malloc, no locks.
UNINSTRUMENTED static int run_child(void *argument) {
    struct child *child = argument;
    const struct clinux_spawn_request *request = child->request;
    struct sigaction by_default;
    memset(&by_default, 0, sizeof by_default);
    by_default.sa_handler = SIG_DFL;
    for (int i = 0; i < ignored_signals_count; i++) sigaction(ignored_signals[i], &by_default, NULL);
    setsid();
    if (request->death_signal) prctl(PR_SET_PDEATHSIG, request->death_signal);
    if (place(request->input, 0) < 0 || place(request->output, 1) < 0 || place(request->error, 2) < 0
        || (request->extra >= 0 && place(request->extra, request->extra_target) < 0)) {
        return fail(child);
    }
    if (request->directory && chdir(request->directory) != 0) return fail(child);
    if (request->processors) sched_setaffinity(0, request->processors_size, request->processors);
    if (file_limit_is_raised) setrlimit(RLIMIT_NOFILE, &first_file_limit);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(request->path, request->arguments, request->environment);
    return fail(child);
}

// Starts the process without sharing memory, where clone is refused.
static pid_t spawn_posix(const struct clinux_spawn_request *request) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (int i = 0; i < ignored_signals_count; i++) sigaddset(&defaults, ignored_signals[i]);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawn_file_actions_adddup2(&actions, request->input, 0);
    posix_spawn_file_actions_adddup2(&actions, request->output, 1);
    posix_spawn_file_actions_adddup2(&actions, request->error, 2);
    if (request->extra >= 0) posix_spawn_file_actions_adddup2(&actions, request->extra, request->extra_target);
    if (request->directory) posix_spawn_file_actions_addchdir_np(&actions, request->directory);
    pid_t pid;
    int error =
        posix_spawn(&pid, request->path, &actions, &attributes, request->arguments, request->environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error) return -error;
    // A moment late, but before the program can have used what it should not.
    if (request->processors) sched_setaffinity(pid, request->processors_size, request->processors);
    if (file_limit_is_raised) prlimit(pid, RLIMIT_NOFILE, &first_file_limit, NULL);
    return pid;
}

// Whether an error of clone tells that the call is not to be had, rather than what it would use up.
static int is_refusal(int error) { return error == EINVAL || error == ENOSYS || error == EPERM; }

// One stack for each thread that starts processes, made at its first start.
static __thread char *child_stack;

pid_t clinux_spawn(const struct clinux_spawn_request *request, int wants_pidfd, int *pidfd) {
    *pidfd = -1;
    if (!child_stack) {
        void *stack = mmap(NULL, child_stack_size, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (stack == MAP_FAILED) return -errno;
        child_stack = stack;
    }
    struct child child = {request, 0};
    sigset_t all, before;
    sigfillset(&all);
    // A signal handled in the child would run on memory that is ours.
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
    if (wants_pidfd) flags |= CLONE_PIDFD;
    pid_t pid = clone(run_child, child_stack + child_stack_size, flags, &child, pidfd);
    // A kernel before 5.2 takes the flag for another, or refuses it.
    if (pid < 0 && wants_pidfd && is_refusal(errno)) {
        *pidfd = -1;
        pid = clone(run_child, child_stack + child_stack_size, flags & ~CLONE_PIDFD, &child);
    }
    if (pid < 0) pid = is_refusal(errno) ? spawn_posix(request) : -errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid > 0 && child.error) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        if (*pidfd >= 0) close(*pidfd);
        *pidfd = -1;
        return -child.error;
    }
    return pid;
}

pid_t clinux_fork(void) { return fork(); }

int clinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

int clinux_syncfs(int file) { return syncfs(file); }

int clinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int clinux_pidfd_open(pid_t pid) {
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, pid, 0);
#else
    errno = ENOSYS;
    return -1;
#endif
}

void clinux_raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    first_file_limit = limit;
    limit.rlim_cur = limit.rlim_max;
    file_limit_is_raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

int clinux_prctl(int option, unsigned long argument) { return prctl(option, argument, 0, 0, 0); }

void clinux_prefer_short_turns(void) {
    // struct sched_attr of the first version of the call; the C library has none.
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {sizeof attributes, SCHED_OTHER, 1 /* SCHED_FLAG_RESET_ON_FORK */, 0, 0, 100000, 0, 0};
    attributes.nice = getpriority(PRIO_PROCESS, 0);
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}

int clinux_boot_timer(void) { return timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK); }

void clinux_set_boot_timer(int timer, int64_t nanoseconds) {
    struct itimerspec time = {{0, 0}, {nanoseconds / 1000000000, nanoseconds % 1000000000}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &time, NULL);
}

int clinux_memfd(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int clinux_processors(void *bits, size_t size) { return sched_getaffinity(0, size, bits); }

int clinux_terminal_columns(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : -1;
}

void clinux_use_builtin_name_services(void) {
    __nss_configure_lookup("hosts", "files dns");
    __nss_configure_lookup("passwd", "files");
    __nss_configure_lookup("group", "files");
    __nss_configure_lookup("services", "files");
}
