/* The command line of the benchmark programs. SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include "child.h"
#include "member.h"

namespace bench {

static const char *const help_text =
    "Usage: bench_%s [option]...\n"
    "  --shapes FILE     shapes to time; default %s\n"
    "  --isa LIST        instruction sets: scalar,generic,avx2,avx512; default: AVX2 and above\n"
    "  --threads LIST    numbers of threads; default %s\n"
    "  --scalar          the scalar oracle too (slow)\n"
    "  --best            best of 20 short repetitions instead of the median of 5: for a machine\n"
    "                    that others use too\n"
    "  --peer PROGRAM    the same program built with another oneDNN, timed in turns with this "
    "one;\n"
    "                    none: only this one; default: the one beside this program, if there is;\n"
    "                    of bench_runtime: this program with LLVM's OpenMP, if there is\n"
    "  --no-roofline     don't measure the machine first: for a profiler\n"
    "  --quick           one repetition, small batches: seconds, checks results\n"
    "  --benchmark_filter REGEX, --benchmark_repetitions N, --benchmark_min_time SECONDS,\n"
    "  --benchmark_perf_counters NAMES (into the JSON; needs libpfm and hardware counters),\n"
    "  --benchmark_out FILE (JSON), --benchmark_list_tests and others of Google Benchmark\n";

static void print_help(const Area &area) {
    std::string threads;
    for (const int n : area.threads) threads += (threads.empty() ? "" : ",") + std::to_string(n);
    if (threads.empty()) threads = "1 and the cores allowed";
    std::printf(help_text, area.name.c_str(),
                area.shapes.empty() ? "(none here)" : ("bench/shapes/" + area.shapes).c_str(),
                threads.c_str());
}

std::vector<std::string> split(const std::string &list) {
    std::vector<std::string> words;
    std::istringstream stream(list);
    for (std::string word; std::getline(stream, word, ',');) words.push_back(word);
    return words;
}

int parse_number(const std::string &name, const std::string &text, int least) {
    int n = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), n);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || n < least)
        throw std::runtime_error(name + ": '" + text + "', accepted: numbers above " +
                                 std::to_string(least - 1));
    return n;
}

static std::vector<int> parse_threads(const std::string &list) {
    std::vector<int> threads;
    for (const std::string &word : split(list))
        threads.push_back(parse_number("--threads", word, 1));
    return threads;
}

static std::vector<weir_isa> parse_isas(const std::string &list, const weir_machine_info &info) {
    std::vector<weir_isa> isas;
    for (const std::string &word : split(list)) {
        int isa = 0;
        while (isa < WEIR_ISA_COUNT && word != weir_isa_name(static_cast<weir_isa>(isa))) isa++;
        if (isa == WEIR_ISA_COUNT)
            throw std::runtime_error("--isa: '" + word +
                                     "', accepted: scalar, generic, avx2, avx512");
        if (!info.isa_available[isa])
            throw std::runtime_error("--isa: " + word + ": " + info.isa_why_not[isa]);
        isas.push_back(static_cast<weir_isa>(isa));
    }
    return isas;
}

/* AVX2 and above; without them the best there is. */
static std::vector<weir_isa> default_isas(const weir_machine_info &info) {
    std::vector<weir_isa> isas;
    for (const weir_isa isa : {WEIR_ISA_AVX2, WEIR_ISA_AVX512})
        if (info.isa_available[isa]) isas.push_back(isa);
    if (isas.empty())
        isas.push_back(info.isa_available[WEIR_ISA_GENERIC] ? WEIR_ISA_GENERIC : WEIR_ISA_SCALAR);
    return isas;
}

bool take_value(int argc, char **argv, int *i, const std::string &name, std::string *value) {
    const std::string word = argv[*i];
    if (word == name) {
        if (*i + 1 >= argc) throw std::runtime_error(name + " needs a value");
        *value = argv[++*i];
        return true;
    }
    if (word.rfind(name + "=", 0) != 0) return false;
    *value = word.substr(name.size() + 1);
    return true;
}

/* Google Benchmark keeps pointers into the words for the life of the program. */
static void initialize_benchmark(const CommandLine &line, const std::vector<std::string> &rest,
                                 const char *program) {
    static std::vector<std::string> words;
    words = {program, "--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=5",
             "--benchmark_min_time=0.02"};
    if (line.options.best) {
        words.push_back("--benchmark_repetitions=20");
        words.push_back("--benchmark_min_time=0.002");
    }
    if (line.options.quick) {
        words.push_back("--benchmark_repetitions=1");
        words.push_back("--benchmark_min_time=0.0001");
    }
    words.insert(words.end(), rest.begin(), rest.end());
    static std::vector<char *> argv;
    for (std::string &word : words) argv.push_back(word.data());
    int argc = static_cast<int>(argv.size());
    argv.push_back(nullptr);
    benchmark::Initialize(&argc, argv.data());
    if (argc > 1) throw std::runtime_error(std::string("unknown option ") + argv[1]);
}

/* The program that meson built with the other oneDNN, or this one with the other OpenMP. */
static void find_peer(const Area &area, Options &options) {
    const std::string other_onednn = WEIR_BENCH_PEER;
    if (area.baseline == "onednn") {
        if (!other_onednn.empty()) options.peer = this_program() + "_" + other_onednn;
    } else if (area.baseline == openmp_name() && !other_openmp().name.empty()) {
        options.peer = this_program();
        options.peer_environment = other_openmp().environment;
    }
}

CommandLine parse_command_line(int argc, char **argv, const Area &area) {
    weir_machine_info info;
    check(weir_machine_describe(&info));
    CommandLine line;
    Options &options = line.options;
    if (!area.shapes.empty()) options.shapes = std::string(WEIR_BENCH_SHAPES "/") + area.shapes;
    options.isas = default_isas(info);
    options.threads = area.threads;
    if (options.threads.empty()) options.threads.push_back(1);
    if (area.threads.empty() && info.cores_allowed > 1)
        options.threads.push_back(info.cores_allowed);
    find_peer(area, options);
    for (int i = 1; i < argc; i++) line.text += (i > 1 ? " " : "") + std::string(argv[i]);
    bool scalar = false;
    std::vector<std::string> rest;
    for (int i = 1; i < argc; i++) {
        const std::string word = argv[i];
        std::string value;
        if (word == "--help") {
            print_help(area);
            std::exit(0);
        }
        if (word == "--quick")
            options.quick = true;
        else if (word == "--best")
            options.best = true;
        else if (word == "--no-roofline")
            options.roofline = false;
        else if (word == "--scalar")
            scalar = true;
        else if (word == "--benchmark_list_tests")
            line.list = true;
        else if (take_value(argc, argv, &i, "--shapes", &options.shapes))
            continue;
        else if (take_value(argc, argv, &i, "--benchmark_out", &line.out))
            continue;
        else if (take_value(argc, argv, &i, "--peer", &options.peer))
            options.peer_environment.clear();
        else if (take_value(argc, argv, &i, "--serve", &value))
            line.serve = std::atoi(value.c_str());
        else if (take_value(argc, argv, &i, "--isa", &value))
            options.isas = parse_isas(value, info);
        else if (take_value(argc, argv, &i, "--threads", &value))
            options.threads = parse_threads(value);
        else if (take_value(argc, argv, &i, "--benchmark_perf_counters", &value)) {
            line.counters = split(value);
            rest.push_back("--benchmark_perf_counters=" + value);
        } else if (take_value(argc, argv, &i, "--benchmark_filter", &value))
            rest.push_back("--benchmark_filter=" + value);
        else
            rest.push_back(word);
    }
    if (options.peer == "none" || line.serve >= 0) options.peer.clear();
    if (scalar) options.isas.push_back(WEIR_ISA_SCALAR);
    initialize_benchmark(line, rest, argv[0]);
    return line;
}

} // namespace bench
