/* The ways to run parallel calls, each in a process of its own. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_MEMBER_H
#define WEIR_BENCH_MEMBER_H

#include <memory>
#include <string>
#include <vector>

#include "child.h"
#include "harness.h"

namespace bench {

struct Threading {
    std::string name = {};                          /* pool, libgomp, libomp */
    weir_threading threading = WEIR_THREADING_POOL; /* of Weir's runtime */
    std::vector<std::string> environment = {};      /* that makes it so */
};

/* The OpenMP runtime in this process: libgomp, libomp; empty: built without. */
std::string openmp_name();
/* LLVM's, where it is installed and not the one above; else without a name. */
Threading other_openmp();
/* The pool, the OpenMP runtime in this process, and LLVM's where it is installed: it has GNU's interface
 * too, and loaded before GNU's it takes its place. */
std::vector<Threading> threadings();
/* Those in a list of names. Throws std::runtime_error that says what is accepted. */
std::vector<Threading> parse_threadings(const std::string &list);

/* A threading at work in another process of this program. It stands still except while asked. */
class Member {
  public:
    /* arguments: of the other process, which gets "--backend NAME" too. `more`: environment. */
    Member(const Threading &threading, const std::vector<std::string> &arguments,
           const std::vector<std::string> &more = {});
    const std::string &name() const { return label; }
    /* The numbers that it answers. */
    std::vector<double> ask(const std::string &request);

  private:
    std::string label;
    Child child;
};

/* The answer for Member::ask. */
std::string numbers_text(const std::vector<double> &numbers);

} // namespace bench
#endif
