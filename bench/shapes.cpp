/* Shapes of benchmarks: lines of key:value. SPDX-License-Identifier: Apache-2.0 */
#include "shapes.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace bench {

int64_t Shape::get(const std::string &key, int64_t fallback) const {
    for (const auto &value : values)
        if (value.first == key) return value.second;
    return fallback;
}

bool Shape::has(const std::string &key) const {
    return std::any_of(values.begin(), values.end(),
                       [&](const auto &value) { return value.first == key; });
}

void Shape::set(const std::string &key, int64_t value) {
    for (auto &known : values) {
        if (known.first != key) continue;
        known.second = value;
        return;
    }
    values.emplace_back(key, value);
}

std::string Shape::name(std::initializer_list<const char *> keys) const {
    std::string text;
    for (const char *key : keys) {
        if (!has(key)) continue;
        if (!text.empty()) text += '/';
        text += std::string(key) + ':' + std::to_string(get(key));
    }
    return text;
}

static Shape parse_line(const std::string &line, std::initializer_list<const char *> required,
                        std::initializer_list<const char *> optional) {
    Shape shape;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
        const size_t colon = word.find(':');
        const std::string key = word.substr(0, colon);
        const auto is_key = [&](const char *known) { return key == known; };
        if (std::none_of(required.begin(), required.end(), is_key) &&
            std::none_of(optional.begin(), optional.end(), is_key))
            throw std::runtime_error("unknown key '" + key + "'");
        int64_t value = -1;
        const char *end = word.data() + word.size();
        const char *begin = colon == std::string::npos ? end : word.data() + colon + 1;
        const auto parsed = std::from_chars(begin, end, value);
        if (parsed.ec != std::errc() || parsed.ptr != end || value < 0)
            throw std::runtime_error("'" + word + "': expected key:number, number >= 0");
        shape.set(key, value);
    }
    for (const char *key : required)
        if (!shape.has(key)) throw std::runtime_error(std::string("no ") + key + ":");
    return shape;
}

std::vector<Shape> read_shapes(const std::string &path,
                               std::initializer_list<const char *> required,
                               std::initializer_list<const char *> optional) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error(path + ": can't be read");
    std::vector<Shape> shapes;
    std::string line;
    for (int number = 1; std::getline(file, line); number++) {
        line.erase(std::min(line.find('#'), line.size()));
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        try {
            shapes.push_back(parse_line(line, required, optional));
        } catch (const std::runtime_error &e) {
            throw std::runtime_error(path + ":" + std::to_string(number) + ": " + e.what());
        }
    }
    if (shapes.empty()) throw std::runtime_error(path + ": no shapes");
    return shapes;
}

} // namespace bench
