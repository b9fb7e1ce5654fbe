// Runs a command and prints what it took: seconds, and the peak of its resident memory in KiB.
//
//     timed COMMAND [ARGUMENT]...
//
// The command's standard output goes to /dev/null. The peak is the command's own or that of the largest child that it
// waited for.
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    double begin = now();
    pid_t pid;
    if (posix_spawnp(&pid, argv[1], &actions, NULL, argv + 1, environ) != 0) {
        perror(argv[1]);
        return 1;
    }
    int status;
    struct rusage usage;
    wait4(pid, &status, 0, &usage);
    double seconds = now() - begin;
    if (status != 0) {
        fprintf(stderr, "timed: %s: wait status %#x\n", argv[1], status);
        return 1;
    }
    printf("%.6f %ld\n", seconds, usage.ru_maxrss);
    return 0;
}
