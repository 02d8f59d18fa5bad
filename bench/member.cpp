/* The ways to run parallel calls, each in a process of its own. SPDX-License-Identifier: Apache-2.0 */
#include "member.h"

#include <dlfcn.h>

#include <cstdio>
#include <sstream>
#include <stdexcept>

#include "options.h"

namespace bench {

std::string openmp_name() {
#ifdef _OPENMP
    /* GNU's has no such function. */
    return dlsym(RTLD_DEFAULT, "__kmpc_fork_call") ? "libomp" : "libgomp";
#else
    return "";
#endif
}

Threading other_openmp() {
    const std::string library = WEIR_BENCH_LIBOMP;
    if (library.empty() || openmp_name() != "libgomp") return {};
    return {"libomp", WEIR_THREADING_OPENMP, {"LD_PRELOAD=" + library}};
}

std::vector<Threading> threadings() {
    std::vector<Threading> list{{"pool", WEIR_THREADING_POOL, {}}};
    if (!openmp_name().empty()) list.push_back({openmp_name(), WEIR_THREADING_OPENMP, {}});
    if (!other_openmp().name.empty()) list.push_back(other_openmp());
    return list;
}

std::vector<Threading> parse_threadings(const std::string &list) {
    const std::vector<Threading> all = threadings();
    std::string accepted;
    for (const Threading &one : all) accepted += (accepted.empty() ? "" : ",") + one.name;
    std::vector<Threading> chosen;
    for (const std::string &word : split(list)) {
        const size_t before = chosen.size();
        for (const Threading &one : all)
            if (one.name == word) chosen.push_back(one);
        if (chosen.size() == before)
            throw std::runtime_error("--backend: '" + word + "', accepted: " + accepted);
    }
    if (chosen.empty()) throw std::runtime_error("--backend: none, accepted: " + accepted);
    return chosen;
}

static std::vector<std::string> command_of(const std::string &name,
                                           const std::vector<std::string> &arguments) {
    std::vector<std::string> command{this_program(), "--backend", name};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
}

static std::vector<std::string> joined(std::vector<std::string> a,
                                       const std::vector<std::string> &b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

Member::Member(const Threading &threading, const std::vector<std::string> &arguments,
               const std::vector<std::string> &more)
    : label(threading.name),
      child(command_of(label, arguments), joined(threading.environment, more)) {
    child.pause();
}

std::vector<double> Member::ask(const std::string &request) {
    child.resume();
    std::istringstream answer(child.ask(request));
    child.pause();
    std::vector<double> numbers;
    for (double number; answer >> number;) numbers.push_back(number);
    return numbers;
}

std::string numbers_text(const std::vector<double> &numbers) {
    std::string text;
    char digits[32];
    for (const double number : numbers) {
        std::snprintf(digits, sizeof digits, " %.9g", number);
        text += digits;
    }
    return text;
}

} // namespace bench
