// Which arguments of which calls some default profile, of any runtime and release, looks at: what a recorder must keep
// so that its evidence can be replayed against each of them.
//
//   TestedArguments().at("socket")   -> 0b101: the family and the protocol
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace portcullis::seccomp {

// Name of a call -> bit i is set when argument i is tested. Calls that no profile tests are not in it.
std::map<std::string, uint8_t> TestedArguments();

}  // namespace portcullis::seccomp
