/* Just enough to write JSON. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_JSON_H
#define WEIR_BENCH_JSON_H

#include <string>
#include <vector>

namespace bench {

class JsonObject {
  public:
    JsonObject &text(const std::string &key, const std::string &value);
    /* null when it isn't finite. */
    JsonObject &number(const std::string &key, double value);
    JsonObject &flag(const std::string &key, bool value);
    JsonObject &array(const std::string &key, const std::vector<JsonObject> &values);
    JsonObject &object(const std::string &key, const JsonObject &value);
    std::string str() const { return "{" + members + "}"; }

  private:
    JsonObject &add(const std::string &key, const std::string &value);
    std::string members;
};

} // namespace bench
#endif
