/* A busy process on one processor. SPDX-License-Identifier: Apache-2.0 */
#include "neighbour.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include "child.h"
#include "team.h"

namespace bench {

[[noreturn]] static void spin_forever(int place, pid_t parent) {
    end_with_parent();
    if (getppid() != parent) _exit(0); /* it ended before */
    if (!team_bind_thread(place)) _exit(1);
    raise(SIGSTOP);
    for (volatile unsigned long turns = 0;;) turns = turns + 1;
}

Neighbour::Neighbour(int place) {
    const pid_t parent = getpid();
    pid = fork();
    if (pid < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
    if (pid == 0) spin_forever(place, parent);
    int status = 0;
    waitpid(pid, &status, WUNTRACED);
    if (!WIFSTOPPED(status))
        throw std::runtime_error("the busy process can't be bound to processor " +
                                 std::to_string(place));
}

Neighbour::~Neighbour() {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
}

void Neighbour::pause() const { kill(pid, SIGSTOP); }
void Neighbour::resume() const { kill(pid, SIGCONT); }

double Neighbour::seconds() const {
    clockid_t clock;
    timespec t{};
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0) return 0;
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

} // namespace bench
