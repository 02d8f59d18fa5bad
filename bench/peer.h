/* A second program of the same area, linked with another oneDNN. SPDX-License-Identifier: Apache-2.0
 *
 * Two versions of oneDNN can't share a process. So the main program starts the other one
 * (`--serve FD`) and tells it over a socket when to prepare and when to run a benchmark of its oneDNN:
 * both versions meet in the same interleaved repetitions and the same table. One line each way:
 *   (start)         ok DESCRIPTION
 *   prepare NAME    ok IMPLEMENTATION         NAME as full_name() has it
 *   run COUNT NAME  ok SECONDS PREEMPTIONS    what was prepared, COUNT times
 * or "error MESSAGE". The peer ends when the socket closes.
 */
#ifndef WEIR_BENCH_PEER_H
#define WEIR_BENCH_PEER_H

#include <sys/types.h>

#include <string>
#include <vector>

#include "harness.h"

namespace bench {

class Peer {
  public:
    /* Starts options.peer with the same shapes, instruction sets and threads. Throws
     * std::runtime_error. */
    explicit Peer(const Options &options);
    ~Peer();
    Peer(const Peer &) = delete;
    Peer &operator=(const Peer &) = delete;

    /* "3.2.0, avx512_core, OpenMP" */
    const std::string &description() const { return words; }
    /* Throws std::runtime_error when the peer can't, or when it is gone. */
    Work prepare(const Group &group, const Backend &backend);

  private:
    std::string ask(const std::string &request);
    std::string answer();

    std::string program, words;
    int fd = -1;
    pid_t pid = -1;
};

/* The other end: the body of a program started with --serve. */
int serve(const std::vector<Group> &groups, bool quick, int fd);

} // namespace bench
#endif
