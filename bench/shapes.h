/* Shapes of benchmarks: lines of key:value. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_SHAPES_H
#define WEIR_BENCH_SHAPES_H

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace bench {

class Shape {
  public:
    /* Value of a key; fallback when the line does not have it. */
    int64_t get(const std::string &key, int64_t fallback = 1) const;
    bool has(const std::string &key) const;
    void set(const std::string &key, int64_t value);
    /* "N:128/T:240": the keys asked for, in this order, those that the line has. */
    std::string name(std::initializer_list<const char *> keys) const;

  private:
    std::vector<std::pair<std::string, int64_t>> values;
};

/*
 * Reads a file of shapes. Throws std::runtime_error naming file and line for a key that is not in
 * `required` or `optional`, a required one that is missing, a value below 0 or not a number, and a
 * file without shapes.
 */
std::vector<Shape> read_shapes(const std::string &path,
                               std::initializer_list<const char *> required,
                               std::initializer_list<const char *> optional = {});

} // namespace bench
#endif
