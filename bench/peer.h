/* A second program of the same area with another library. SPDX-License-Identifier: Apache-2.0
 *
 * Two versions of oneDNN, or two OpenMP runtimes, can't share a process. So the main program starts
 * the other one (child.h) and tells it when to prepare and when to run a benchmark of its library: both
 * meet in the same interleaved repetitions and the same table. Between its turns the peer stands still.
 * Requests and answers:
 *   (start)         DESCRIPTION
 *   prepare NAME    IMPLEMENTATION         NAME as full_name() has it
 *   run COUNT NAME  SECONDS PREEMPTIONS    what was prepared, COUNT times
 */
#ifndef WEIR_BENCH_PEER_H
#define WEIR_BENCH_PEER_H

#include <string>
#include <vector>

#include "child.h"
#include "harness.h"

namespace bench {

class Peer {
  public:
    /* Starts options.peer with the same shapes, instruction sets and threads. Throws
     * std::runtime_error. */
    explicit Peer(const Options &options);

    /* "3.2.0, avx512_core, OpenMP" */
    const std::string &description() const { return child.greeting(); }
    /* Throws std::runtime_error when the peer can't, or when it is gone. */
    Work prepare(const Group &group, const Backend &backend);

  private:
    std::string ask(const std::string &request);

    Child child;
};

/* The other end: the body of a program started with --serve. */
int serve(const std::vector<Group> &groups, bool quick, int fd);

} // namespace bench
#endif
