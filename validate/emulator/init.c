/* The first process of an emulated machine: runs a list of commands and switches it off.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each line of /run is a command and its arguments, parted by blanks. The console gets their output
 * and the lines that tools/emulator.py looks for:
 *   EMU-START
 *   EMU-RUN <command>          before each command
 *   EMU-RESULT rc=<n> ms=<n>   after it; 128 + n: ended by signal n
 *   EMU-DONE run=<n> failed=<n>
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 64, MAX_LINE = 1024, BOCHS_EXIT_PORT = 0x8900 };

static long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void console_open(void) {
    mkdir("/dev", 0755);
    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mkdir("/tmp", 01777);
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    int console = open("/dev/console", O_RDWR);
    for (int fd = 0; fd <= 2 && console >= 0; fd++) dup2(console, fd);
    setvbuf(stdout, NULL, _IOLBF, 0);
}

/* The exit status of the command in a line, which is taken apart. */
static int command_run(char *line) {
    char *arguments[MAX_ARGUMENTS + 1] = {NULL};
    int count = 0, status;
    for (char *word = strtok(line, " \n"); word && count < MAX_ARGUMENTS;
         word = strtok(NULL, " \n"))
        arguments[count++] = word;
    pid_t child = fork();
    if (child < 0) return 126;
    if (child == 0) {
        execv(arguments[0], arguments);
        printf("%s: %s\n", arguments[0], strerror(errno));
        fflush(stdout);
        _exit(127);
    }
    if (waitpid(child, &status, 0) != child) return 126;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Bochs ends when this word comes through this port. */
static void power_off(void) {
    fflush(stdout);
    tcdrain(STDOUT_FILENO);
    if (!iopl(3))
        for (const char *s = "Shutdown"; *s; s++) outb((unsigned char)*s, BOCHS_EXIT_PORT);
    reboot(RB_POWER_OFF);
    for (;;) pause();
}

int main(void) {
    char line[MAX_LINE];
    int run = 0, failed = 0;
    console_open();
    printf("\nEMU-START\n");
    FILE *list = fopen("/run", "r");
    while (list && fgets(line, sizeof line, list)) {
        if (line[strspn(line, " \n")] == 0) continue;
        printf("EMU-RUN %s", line);
        fflush(stdout);
        long begin = now_ms();
        int status = command_run(line);
        printf("EMU-RESULT rc=%d ms=%ld\n", status, now_ms() - begin);
        run++;
        failed += status != 0;
    }
    printf("EMU-DONE run=%d failed=%d\n", run, failed);
    power_off();
}
