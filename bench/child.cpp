/* Another process that answers requests. SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "team.h"

namespace bench {

static bool write_line(int fd, const std::string &line) {
    const std::string text = line + "\n";
    for (size_t sent = 0; sent < text.size();) {
        const ssize_t n = send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) return false;
        sent += static_cast<size_t>(n);
    }
    return true;
}

/* False at the end. Lines are strictly in turns: nothing is read ahead. */
static bool read_line(int fd, std::string &line) {
    line.clear();
    for (char c; read(fd, &c, 1) == 1;) {
        if (c == '\n') return true;
        line += c;
    }
    return false;
}

static std::vector<char *> pointers(std::vector<std::string> &words) {
    std::vector<char *> list;
    for (std::string &word : words) list.push_back(word.data());
    list.push_back(nullptr);
    return list;
}

/* This program's environment with some variables set. */
static std::vector<std::string> environment_with(const std::vector<std::string> &more) {
    std::vector<std::string> all = more;
    for (char **variable = environ; *variable; variable++) {
        const std::string text = *variable, name = text.substr(0, text.find('=') + 1);
        if (std::none_of(more.begin(), more.end(),
                         [&](const std::string &m) { return m.rfind(name, 0) == 0; }))
            all.push_back(text);
    }
    return all;
}

Child::Child(const std::vector<std::string> &command, const std::vector<std::string> &environment)
    : program(command.front()) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        throw std::runtime_error(std::string("socketpair: ") + std::strerror(errno));
    fcntl(ends[1], F_SETFD, 0); /* the child keeps its end */
    std::vector<std::string> words = command, variables = environment_with(environment);
    words.insert(words.end(), {"--serve", std::to_string(ends[1])});
    team_unbind_main(); /* the child inherits the processors */
    const int failed = posix_spawn(&pid, program.c_str(), nullptr, nullptr, pointers(words).data(),
                                   pointers(variables).data());
    close(ends[1]);
    fd = ends[0];
    if (!failed) {
        try {
            hello = answer();
            return;
        } catch (const std::runtime_error &) {
            close(fd);
            waitpid(pid, nullptr, 0);
            throw;
        }
    }
    close(fd);
    throw std::runtime_error(program + ": " + std::strerror(failed));
}

Child::~Child() {
    close(fd);
    resume();
    waitpid(pid, nullptr, 0);
}

std::string Child::answer() {
    std::string line;
    if (!read_line(fd, line)) throw std::runtime_error(program + " has ended");
    if (line.rfind("ok ", 0) != 0)
        throw std::runtime_error(line.rfind("error ", 0) == 0 ? line.substr(6) : line);
    return line.substr(3);
}

std::string Child::ask(const std::string &request) {
    if (!write_line(fd, request)) throw std::runtime_error(program + " has ended");
    return answer();
}

void Child::pause() const { kill(pid, SIGSTOP); }
void Child::resume() const { kill(pid, SIGCONT); }

std::string this_program() {
    char path[4096];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    if (length <= 0) throw std::runtime_error("/proc/self/exe can't be read");
    return std::string(path, static_cast<size_t>(length));
}

void end_with_parent() { prctl(PR_SET_PDEATHSIG, SIGKILL); }

void serve_requests(int fd, const std::string &greeting,
                    const std::function<std::string(const std::string &)> &answer) {
    end_with_parent();
    std::string line = "ok " + greeting;
    while (write_line(fd, line) && read_line(fd, line)) {
        try {
            line = "ok " + answer(line);
        } catch (const std::exception &e) {
            line = std::string("error ") + e.what();
            std::replace(line.begin(), line.end(), '\n', ' ');
        }
    }
}

} // namespace bench
