/* A second program of the same area, with another library. SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "entry.h"
#include "onednn.h"

namespace bench {

template <class T, class Name> static std::string join(const std::vector<T> &list, Name name) {
    std::string text;
    for (const T &item : list) text += (text.empty() ? "" : ",") + name(item);
    return text;
}

static std::vector<std::string> command_of(const Options &options) {
    std::vector<std::string> command{
        options.peer, "--isa",
        join(options.isas, [](weir_isa isa) { return std::string(weir_isa_name(isa)); }),
        "--threads", join(options.threads, [](int n) { return std::to_string(n); })};
    if (!options.shapes.empty()) command.insert(command.end(), {"--shapes", options.shapes});
    if (options.quick) command.push_back("--quick");
    return command;
}

Peer::Peer(const Options &options) : child(command_of(options), options.peer_environment) {
    child.pause();
}

std::string Peer::ask(const std::string &request) {
    child.resume();
    const std::string answer = child.ask(request);
    child.pause();
    return answer;
}

Work Peer::prepare(const Group &group, const Backend &backend) {
    Backend its_own = backend;
    if (backend.library == Backend::ONEDNN)
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
    serve_requests(fd, onednn_description(), [&](const std::string &line) {
        std::istringstream request(line);
        std::string verb, name;
        int64_t count = 0;
        request >> verb;
        if (verb == "run") request >> count;
        request >> name;
        return verb == "run" ? server.run(count, name) : server.prepare(name);
    });
    return 0;
}

} // namespace bench
