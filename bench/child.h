/* Another process that answers requests. SPDX-License-Identifier: Apache-2.0
 *
 * Two versions of oneDNN, or two OpenMP runtimes, can't share a process. So a program starts another
 * one, with `--serve FD` at the end of its command line, and talks with it over that socket, a line
 * each way: a request, and "ok ANSWER" or "error MESSAGE". It begins with an "ok", and ends when the
 * socket closes or its parent dies.
 */
#ifndef WEIR_BENCH_CHILD_H
#define WEIR_BENCH_CHILD_H

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace bench {

class Child {
  public:
    /* command: path of the program and its arguments. environment: "NAME=value", beside this
     * program's. Throws std::runtime_error, as all do here. */
    Child(const std::vector<std::string> &command, const std::vector<std::string> &environment);
    ~Child();
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;

    const std::string &greeting() const { return hello; }
    std::string ask(const std::string &request);
    /* Not its turn: its threads stand still, also those that would spin or sleep for a while. */
    void pause() const;
    void resume() const;

  private:
    std::string answer();

    std::string program, hello;
    int fd = -1;
    pid_t pid = -1;
};

/* Path of the running program. */
std::string this_program();
/* The system kills the calling process when the process that started it ends, in whatever way. */
void end_with_parent();
/* The other end: returns when the socket closes. What `answer` throws becomes the error. */
void serve_requests(int fd, const std::string &greeting,
                    const std::function<std::string(const std::string &)> &answer);

} // namespace bench
#endif
