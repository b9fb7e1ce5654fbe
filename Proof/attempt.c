/* One attempt at a task, which leaves marks of its beginning and end. Usage: attempt FOLDER MILLISECONDS [WORD]...
 *
 * Words: "flaky" fails at the first attempt that ends; "daemon" has a child in a session of its own as long as it runs.
 * Nothing is removed: ID.N.start and ID.N.end are made with O_EXCL for the N-th attempt, and hold nanoseconds of the
 * monotonic clock; ID.lock is locked as long as the attempt, or its daemon, lives; ID.N.overlap says that another held it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int make(const char *folder, const char *id, int attempt, const char *what) {
    char path[4096], text[100];
    snprintf(path, sizeof path, "%s/%s.%d.%s", folder, id, attempt, what);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        if (errno == EEXIST) return 0;
        perror(path);
        exit(98);
    }
    int size = snprintf(text, sizeof text, "%lld %d\n", now(), (int)getpid());
    if (write(file, text, size) != size) exit(97);
    close(file);
    return 1;
}

int main(int count, char **words) {
    const char *id = getenv("DISBATCH_TASKID");
    if (count < 3 || !id) return 96;
    const char *folder = words[1];
    int is_flaky = 0, has_daemon = 0, attempt = 1;
    for (int i = 3; i < count; i++) {
        is_flaky |= !strcmp(words[i], "flaky");
        has_daemon |= !strcmp(words[i], "daemon");
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.lock", folder, id);
    int lock = open(path, O_RDWR | O_CREAT, 0600);
    int is_alone = lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0;
    while (!make(folder, id, attempt, "start")) attempt++;
    if (!is_alone) make(folder, id, attempt, "overlap");

    pid_t daemon = has_daemon ? fork() : 0;
    if (has_daemon && daemon == 0) {
        setsid();
        signal(SIGTERM, SIG_IGN);
        for (;;) pause();
    }
    long long end = now() + atoll(words[2]) * 1000000LL;
    for (long long left; (left = end - now()) > 0;) {
        struct timespec pause = {left / 1000000000LL, left % 1000000000LL};
        nanosleep(&pause, NULL);
    }
    if (daemon > 0) {
        kill(daemon, SIGKILL);
        waitpid(daemon, NULL, 0);
    }
    int fails = 0;
    if (is_flaky) {
        snprintf(path, sizeof path, "%s/%s.flaked", folder, id);
        int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        fails = file >= 0;
    }
    make(folder, id, attempt, "end");
    printf("%s %s %d\n", fails ? "failed" : "done", id, attempt);
    return fails;
}
