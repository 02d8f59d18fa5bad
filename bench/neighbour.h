/* A busy process on one processor. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_NEIGHBOUR_H
#define WEIR_BENCH_NEIGHBOUR_H

#include <sys/types.h>

namespace bench {

/* A real process, pinned to a place (team.h), that computes without end. It ends with this object, and
 * when this process ends in any other way. */
class Neighbour {
  public:
    /* Starts it, paused. Throws std::runtime_error. */
    explicit Neighbour(int place);
    ~Neighbour();
    Neighbour(const Neighbour &) = delete;
    Neighbour &operator=(const Neighbour &) = delete;
    void pause() const;
    void resume() const;
    /* CPU time it has used. */
    double seconds() const;

  private:
    pid_t pid;
};

} // namespace bench
#endif
