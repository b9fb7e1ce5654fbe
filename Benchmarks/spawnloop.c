// The least that running a file of lines can cost: posix_spawn and wait, with so many in flight. It records nothing.
//
//     spawnloop shell|direct IN_FLIGHT FILE
//
// shell: each line is run by bash -c; direct: its words are started without a shell.
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void start(char *line, int by_shell, const posix_spawn_file_actions_t *actions)
{
    char *words[64] = {"/bin/bash", "-c", line};
    if (!by_shell) {
        size_t count = 0;
        for (char *word = strtok(line, " "); word && count < 63; word = strtok(NULL, " "))
            words[count++] = word;
        words[count] = NULL;
    }
    pid_t pid;
    if (posix_spawn(&pid, words[0], actions, NULL, words, environ) != 0)
        fail(words[0]);
}

static void await_one(void)
{
    int status;
    if (wait(&status) < 0 || status != 0)
        fail("a task failed");
}

int main(int argc, char **argv)
{
    FILE *file = argc == 4 ? fopen(argv[3], "r") : NULL;
    if (!file) {
        fputs("usage: spawnloop shell|direct IN_FLIGHT FILE\n", stderr);
        return 2;
    }
    int by_shell = strcmp(argv[1], "shell") == 0;
    int slots = atoi(argv[2]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addclose(&actions, fileno(file));

    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    int running = 0;
    while ((length = getline(&line, &room, file)) > 0) {
        if (line[length - 1] == '\n')
            line[length - 1] = 0;
        if (running == slots) {
            await_one();
            running--;
        }
        start(line, by_shell, &actions);
        running++;
    }
    while (running-- > 0)
        await_one();
    return 0;
}
