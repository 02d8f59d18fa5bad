/* Just enough to write JSON. SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <cmath>
#include <cstdio>

namespace bench {

static std::string quoted(const std::string &value) {
    std::string text = "\"";
    for (const char c : value) {
        char escaped[8];
        if (c == '"' || c == '\\')
            (text += '\\') += c;
        else if (static_cast<unsigned char>(c) < 0x20)
            text.append(escaped, static_cast<size_t>(std::snprintf(escaped, sizeof escaped,
                                                                   "\\u%04x", unsigned(c))));
        else
            text += c;
    }
    return text + '"';
}

JsonObject &JsonObject::add(const std::string &key, const std::string &value) {
    members += (members.empty() ? "" : ", ") + quoted(key) + ": " + value;
    return *this;
}

JsonObject &JsonObject::text(const std::string &key, const std::string &value) {
    return add(key, quoted(value));
}

JsonObject &JsonObject::number(const std::string &key, double value) {
    char digits[32] = "null";
    if (std::isfinite(value)) std::snprintf(digits, sizeof digits, "%.9g", value);
    return add(key, digits);
}

JsonObject &JsonObject::flag(const std::string &key, bool value) {
    return add(key, value ? "true" : "false");
}

JsonObject &JsonObject::array(const std::string &key, const std::vector<JsonObject> &values) {
    std::string list;
    for (const JsonObject &value : values) list += (list.empty() ? "\n" : ",\n") + value.str();
    return add(key, "[" + list + "]");
}

JsonObject &JsonObject::object(const std::string &key, const JsonObject &value) {
    return add(key, value.str());
}

} // namespace bench
