// What a plain scalar of YAML means: YAML 1.1's view, as sigs.k8s.io/yaml has it.
//
//   PlainScalar("yes")    -> true
//   PlainScalar("0644")   -> 420
//   PlainScalar("1.5e3")  -> 1500.0
//   PlainScalar("1.2.3")  -> "1.2.3"
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace portcullis::base {

nlohmann::json PlainScalar(std::string_view text);

}  // namespace portcullis::base
