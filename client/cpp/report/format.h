// Numbers as people read them.

#pragma once

#include <cstdint>
#include <string>

namespace vext::report {

/// "950 ns", "104 µs", "1.25 ms", "3.4 s", "2 min 5 s", "1 h 12 min".
std::string duration(double seconds);

/// "512 B", "86.9 MB", "1.2 GB", by powers of 1024.
std::string bytes(double n);

/// "1,234,567"
std::string count(double n);

/// "95 %", "99.12 %", of a share between 0 and 1, with at most so many decimals.
std::string percent(double share, int decimals = 1);

/// The number without zeros at its end: for ticks.
std::string plain(double value);

}  // namespace vext::report
