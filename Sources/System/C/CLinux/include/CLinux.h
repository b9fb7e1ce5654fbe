// What Swift can't import or do on Linux: calls missing from the Glibc module, variadic functions, macros, and
// starting a process from a child that shares our memory.
#pragma once

// Only headers that the Glibc module doesn't have, read without _GNU_SOURCE: a type that the two modules see
// differently is an error.
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/types.h>

/// How to start a process.
struct clinux_spawn_request {
    /// File to execute, its arguments and its environment, the last two ending with NULL.
    const char *path;
    char *const *arguments;
    char *const *environment;
    /// The directory it starts in, or NULL for ours.
    const char *directory;
    /// What becomes descriptors 0, 1 and 2 of the new process. All others must be close-on-exec.
    int input, output, error;
    /// A descriptor that the new process gets as `extra_target` too, or -1.
    int extra, extra_target;
    /// Bits of the processors it may run on (cpu_set_t), or NULL for ours.
    const void *processors;
    size_t processors_size;
    /// Signal it gets when the starting thread ends, or 0.
    int death_signal;
};

/// Starts a process in a session of its own, with default signal handling and no signal blocked.
///
/// The caller's memory is shared until the new program runs (clone with CLONE_VM and CLONE_VFORK), so that the cost
/// doesn't grow with our size; where the kernel refuses that, posix_spawn serves.
///
/// Returns the process id, or minus an errno, execve's included: then there is no process. `*pidfd` is a descriptor of
/// the process, or -1 where the kernel has none (before Linux 5.2) or `wants_pidfd` is 0.
pid_t clinux_spawn(const struct clinux_spawn_request *request, int wants_pidfd, int *pidfd);

/// Ignores a signal in this process; what clinux_spawn starts has it at its default again.
void clinux_ignore(int number);

/// fork(2), which Swift hides. Only for a process of one thread.
pid_t clinux_fork(void);

/// Opens a file as open(2) does; Swift can't call a variadic function.
int clinux_open(const char *path, int flags, mode_t mode);

/// syncfs(2), which Swift's module of the C library lacks.
int clinux_syncfs(int file);

/// pipe2(2) with O_CLOEXEC: the ends to read from and to write to.
int clinux_pipe(int ends[2]);

/// pidfd_open(2), or -1 with errno ENOSYS where the kernel lacks it.
int clinux_pidfd_open(pid_t pid);

/// prctl(2) with one argument.
int clinux_prctl(int option, unsigned long argument);
extern const int clinux_set_child_subreaper;
extern const int clinux_set_name;

/// Lets this process open as many files as it may (RLIMIT_NOFILE). What `clinux_spawn` starts has the limit that we
/// were started with: more would upset programs that use select(2). To be called before any thread exists.
void clinux_raise_file_limit(void);

/// Asks the scheduler for short turns of the calling thread: one that used much CPU otherwise waits behind each child
/// that it starts. Newer kernels heed it (6.12); others ignore it.
void clinux_prefer_short_turns(void);

/// Fills in the bits (cpu_set_t) of the processors that the calling thread may run on; -1 where they don't fit.
int clinux_processors(void *bits, size_t size);

/// Columns of a terminal, or -1 (ioctl(2) is variadic).
int clinux_terminal_columns(int descriptor);

/// A timer's descriptor on CLOCK_BOOTTIME, non-blocking; or -1.
int clinux_boot_timer(void);

/// Lets it become readable at that time of the clock; never, and unreadable, for 0.
void clinux_set_boot_timer(int timer, int64_t nanoseconds);

/// An anonymous file in memory for a long command line, readable from its start; or -1.
int clinux_memfd(const char *name);

/// Lets names be looked up by what is built in alone: the files in /etc, and DNS.
///
/// A statically linked program would load what /etc/nsswitch.conf names (myhostname, sss, ldap), which belongs to the
/// machine's own C library: with another version of that, loading it kills the program. To be called before anything
/// is looked up.
void clinux_use_builtin_name_services(void);
