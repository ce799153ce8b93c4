#include "options/option.h"

#include <sstream>

namespace vext::client {

namespace {

std::vector<std::string>
split_names(const std::string& names) {
    std::vector<std::string> parts;
    std::istringstream stream(names);
    for (std::string part; std::getline(stream, part, ',');)
        parts.push_back(part);
    return parts;
}

}  // namespace

ValueKind
Option::kind() const {
    if (std::holds_alternative<bool*>(target))
        return ValueKind::kNone;
    if (!choices.empty())
        return ValueKind::kChoice;
    return value.find("FILE") != std::string::npos ? ValueKind::kFile : ValueKind::kOther;
}

std::vector<std::string>
Option::flags() const {
    std::vector<std::string> found;
    for (std::string& name : split_names(names))
        if (name.front() == '-')
            found.push_back(std::move(name));
    return found;
}

std::string
Option::positional() const {
    for (const std::string& name : split_names(names))
        if (name.front() != '-')
            return name;
    return {};
}

}  // namespace vext::client
