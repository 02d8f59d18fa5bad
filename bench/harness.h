/* The frame of every benchmark program: shapes in, checked and interleaved timings, a table out.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_HARNESS_H
#define WEIR_BENCH_HARNESS_H

#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "shapes.h"
#include "weir/weir.h"

namespace bench {

/* 64-byte aligned floats. */
template <class T> struct Aligned {
    using value_type = T;
    static constexpr std::align_val_t alignment{64};
    Aligned() = default;
    template <class U> Aligned(const Aligned<U> &) {}
    T *allocate(size_t n) { return static_cast<T *>(::operator new(n * sizeof(T), alignment)); }
    void deallocate(T *p, size_t) { ::operator delete(p, alignment); }
    bool operator==(const Aligned &) const { return true; }
    bool operator!=(const Aligned &) const { return false; }
};
using Tensor = std::vector<float, Aligned<float>>;

/* Floats in (-scale, scale), the same for the same seed. */
Tensor random_tensor(int64_t size, unsigned seed, float scale = 1.0f);
Tensor zero_tensor(int64_t size);

/* Who does the work. */
struct Backend {
    enum Library { WEIR, ONEDNN, OPENMP };
    std::string name; /* as in the name of the benchmark: avx2, onednn, ... */
    Library library = WEIR;
    int threads = 1;
    weir_isa isa = WEIR_ISA_AUTO;                   /* WEIR */
    weir_threading threading = WEIR_THREADING_POOL; /* WEIR */
    bool plain = false; /* ONEDNN: tensors stay in plain layouts, reorders are timed */
    bool peer = false;  /* ONEDNN, OPENMP: that of the peer program */
};

using Results = std::vector<std::pair<std::string, Tensor>>;

/* What a peer program measured. */
struct Measured {
    double seconds = 0; /* of all runs together */
    double preemptions = 0;
};

/* One operation on one backend, ready to be timed. */
struct Work {
    std::function<void()> run;        /* what is timed */
    std::function<Results()> results; /* outputs of the last run in Weir's layout; may be empty */
    std::string implementation;       /* name of what the backend chose; may be empty */
    /* Runs n times in another program, which measures; then nothing else is set. */
    std::function<Measured(int64_t n)> run_elsewhere = {};
};

/* Owns the tensors of one operation and shape. */
class Case {
  public:
    virtual ~Case() = default;
    virtual Work prepare(const Backend &backend) = 0;
};

/* One operation and shape on several backends: compared with each other, then timed in turns. */
struct Group {
    std::string op, shape;
    double flops = 0, bytes = 0; /* that one run needs at least; 0: no such column */
    double operations = 0; /* comparisons and the like, where there are no flops: for the chart */
    double samples = 0;    /* of a training step */
    bool bounded = true;   /* false: it is the roofline itself */
    /* Elements that go through an activation whose time belongs to the roofline's bound. */
    std::vector<std::pair<weir_activation, double>> activations;
    std::vector<Backend> backends;
    std::function<std::unique_ptr<Case>()> open; /* called when its turn comes */
};

struct Options {
    std::string shapes; /* file */
    std::vector<weir_isa> isas;
    std::vector<int> threads;
    bool quick = false;
    bool best = false;    /* show the best repetition, not the median */
    bool roofline = true; /* measure the machine first */
    std::string peer;     /* program of the same area with another library; empty: none */
    std::vector<std::string> peer_environment; /* that makes it so, "NAME=value" */
};

/* What one program measures. */
struct Area {
    std::string name;
    std::string shapes;   /* file in bench/shapes; empty: none */
    std::string baseline; /* backend that the others are compared with */
    std::function<std::vector<Group>(const Options &)> groups;
    std::vector<int> threads = {}; /* to time; empty: 1 and the cores allowed */
};

/* The body of main. */
int run_area(int argc, char **argv, const Area &area);

/* Every instruction set asked for with every number of threads, then oneDNN if it is built in, then
 * the oneDNN of the peer program if there is one. */
std::vector<Backend> op_backends(const Options &options);
/* The same without oneDNN. */
std::vector<Backend> weir_backends(const Options &options);

/* The runtime of a WEIR backend; kept until the program ends. */
weir_runtime *runtime_of(const Backend &backend);
/* Throws std::runtime_error with weir_last_error() unless ok. */
void check(weir_status status);

} // namespace bench
#endif
