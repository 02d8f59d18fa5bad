/* A second program of the same area, linked with another oneDNN. SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "entry.h"
#include "onednn.h"
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

/* False at the end. Lines are short and strictly in turns: nothing is read ahead. */
static bool read_line(int fd, std::string &line) {
    line.clear();
    for (char c; read(fd, &c, 1) == 1;) {
        if (c == '\n') return true;
        line += c;
    }
    return false;
}

template <class T, class Name> static std::string join(const std::vector<T> &list, Name name) {
    std::string text;
    for (const T &item : list) text += (text.empty() ? "" : ",") + name(item);
    return text;
}

Peer::Peer(const Options &options) : program(options.peer) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        throw std::runtime_error(std::string("socketpair: ") + std::strerror(errno));
    fcntl(ends[1], F_SETFD, 0); /* the peer keeps its end */
    std::vector<std::string> command{
        program,
        "--serve",
        std::to_string(ends[1]),
        "--isa",
        join(options.isas, [](weir_isa isa) { return std::string(weir_isa_name(isa)); }),
        "--threads",
        join(options.threads, [](int n) { return std::to_string(n); })};
    if (!options.shapes.empty()) command.insert(command.end(), {"--shapes", options.shapes});
    if (options.quick) command.push_back("--quick");
    std::vector<char *> argv;
    for (std::string &word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    team_unbind_main(); /* the peer inherits the processors */
    const int failed = posix_spawn(&pid, program.c_str(), nullptr, nullptr, argv.data(), environ);
    close(ends[1]);
    fd = ends[0];
    if (failed) throw std::runtime_error(program + ": " + std::strerror(failed));
    words = answer();
}

Peer::~Peer() {
    close(fd);
    waitpid(pid, nullptr, 0);
}

std::string Peer::answer() {
    std::string line;
    if (!read_line(fd, line)) throw std::runtime_error(program + " has ended");
    if (line.rfind("ok ", 0) != 0)
        throw std::runtime_error(line.rfind("error ", 0) == 0 ? line.substr(6) : line);
    return line.substr(3);
}

std::string Peer::ask(const std::string &request) {
    if (!write_line(fd, request)) throw std::runtime_error(program + " has ended");
    return answer();
}

Work Peer::prepare(const Group &group, const Backend &backend) {
    Backend its_own = backend;
    its_own.name = backend.plain ? "onednn_plain" : "onednn";
    const std::string name = full_name(group, its_own);
    Work work;
    work.implementation = ask("prepare " + name);
    work.run_elsewhere = [this, name](int64_t count) {
        std::istringstream answered(ask("run " + std::to_string(count) + " " + name));
        Measured measured;
        answered >> measured.seconds >> measured.preemptions;
        return measured;
    };
    return work;
}

namespace {

/* What the peer program has prepared: benchmarks of one group at a time. */
class Server {
  public:
    Server(const std::vector<Group> &all, bool is_quick) : groups(all), quick(is_quick) {}

    std::string prepare(const std::string &name) {
        const Group *group = nullptr;
        const Backend *backend = nullptr;
        for (const Group &g : groups)
            for (const Backend &b : g.backends)
                if (full_name(g, b) == name) group = &g, backend = &b;
        if (!group) throw std::runtime_error("no benchmark " + name);
        if (group != open_group) open(*group);
        entries.push_back({backend, name, {}, ""});
        bench->prepare(entries.back());
        if (!entries.back().error.empty()) throw std::runtime_error(entries.back().error);
        return entries.back().work.implementation;
    }

    std::string run(int64_t count, const std::string &name) {
        using clock = std::chrono::steady_clock;
        const auto entry = std::find_if(entries.begin(), entries.end(),
                                        [&](const Entry &e) { return e.name == name; });
        if (entry == entries.end()) throw std::runtime_error(name + " is not prepared");
        enter(*entry->backend, quick);
        const double before = preemptions();
        const auto start = clock::now();
        for (int64_t i = 0; i < count; i++) entry->work.run();
        const double seconds = std::chrono::duration<double>(clock::now() - start).count();
        char text[64];
        std::snprintf(text, sizeof text, "%.9g %.9g", seconds, preemptions() - before);
        return text;
    }

  private:
    /* Weir's results come first: what oneDNN is compared with. */
    void open(const Group &group) {
        entries.clear();
        bench = std::make_unique<Bench>(group, nullptr, quick);
        open_group = &group;
        Entry weir{&group.backends.front(), "", {}, ""};
        bench->prepare(weir);
        if (!weir.error.empty()) throw std::runtime_error(weir.error);
    }

    const std::vector<Group> &groups;
    const bool quick;
    const Group *open_group = nullptr;
    std::unique_ptr<Bench> bench;
    std::vector<Entry> entries;
};

} // namespace

int serve(const std::vector<Group> &groups, bool quick, int fd) {
    Server server(groups, quick);
    std::string line = "ok " + onednn_description();
    while (write_line(fd, line) && read_line(fd, line)) {
        std::istringstream request(line);
        std::string verb, name;
        int64_t count = 0;
        request >> verb;
        if (verb == "run") request >> count;
        request >> name;
        try {
            line = "ok " + (verb == "run" ? server.run(count, name) : server.prepare(name));
        } catch (const std::exception &e) {
            line = std::string("error ") + e.what();
            std::replace(line.begin(), line.end(), '\n', ' ');
        }
    }
    return 0;
}

} // namespace bench
