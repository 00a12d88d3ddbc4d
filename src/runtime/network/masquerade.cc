#include "runtime/network/masquerade.h"

#include <algorithm>

#include "base/spawn.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

using Words = std::vector<std::string>;

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// iptables and its nat table, or ip6tables and that one.
class NatTable {
 public:
  explicit NatTable(bool v6) : tool_(v6 ? "ip6tables" : "iptables") {}

  // Whether it exits with 0; an error when it does not run at all.
  Result<bool> Succeeds(const Words& arguments) const {
    ASSIGN_OR_RETURN(const base::CommandResult result, Call(arguments));
    return result.exit_code == 0;
  }

  Result<void> Do(const Words& arguments) const {
    ASSIGN_OR_RETURN(const base::CommandResult result, Call(arguments));
    if (result.exit_code == 0) return {};
    return Fail(Code::kInternal, "{} {}: exit code {}: {}", tool_, base::Join(arguments, " "), result.exit_code,
                base::Trim(result.err));
  }

 private:
  Result<base::CommandResult> Call(const Words& arguments) const {
    base::CommandOptions options;
    // -w: another program may hold the table's lock.
    options.spawn.argv = Words{tool_, "-w", "10", "-t", "nat"} + arguments;
    options.spawn.new_session = true;
    options.timeout = std::chrono::seconds(20);
    return base::RunCommand(options);
  }

  std::string tool_;
};

std::string ChainOf(const std::string& bridge) { return "PORTCULLIS-" + bridge; }

Words Commented(const std::string& text) { return {"-m", "comment", "--comment", text}; }

Words Jump(const std::string& bridge) {
  return Commented("portcullis: pods of " + bridge) + Words{"-j", ChainOf(bridge)};
}

Words Rule(const Subnet& subnet, const std::string& bridge) {
  return Words{"-s", subnet.text, "!", "-d", subnet.v6 ? "ff00::/8" : "224.0.0.0/4", "!", "-o", bridge} +
         Commented("portcullis: to beyond the pods") + Words{"-j", "MASQUERADE"};
}

Result<void> Ensure(const NatTable& table, const std::string& chain, const Words& rule) {
  ASSIGN_OR_RETURN(const bool there, table.Succeeds(Words{"-C", chain} + rule));
  if (there) return {};
  return table.Do(Words{"-A", chain} + rule);
}

}  // namespace

Result<void> EnsureMasquerade(const MasqueradeOptions& options) {
  const std::string chain = ChainOf(options.bridge);
  for (const Subnet& subnet : options.subnets) {
    const NatTable table(subnet.v6);
    const Words rule = Rule(subnet, options.bridge);
    ASSIGN_OR_RETURN(const bool there, table.Succeeds(Words{"-C", chain} + rule));
    if (!there) {
      // Fails when the chain is there with another subnet's rule.
      TRY(table.Succeeds({"-N", chain}));
      TRY(table.Do(Words{"-A", chain} + rule));
    }
    TRY(Ensure(table, "POSTROUTING", Jump(options.bridge)));
  }
  return {};
}

Result<void> RemoveMasquerade(const MasqueradeOptions& options) {
  const std::string chain = ChainOf(options.bridge);
  for (const bool v6 : {false, true}) {
    const bool wanted = std::ranges::any_of(options.subnets, [&](const Subnet& subnet) { return subnet.v6 == v6; });
    if (!wanted) continue;
    const NatTable table(v6);
    ASSIGN_OR_RETURN(const bool there, table.Succeeds({"-S", chain}));
    if (!there) continue;
    TRY(table.Succeeds(Words{"-D", "POSTROUTING"} + Jump(options.bridge)));
    TRY(table.Do({"-F", chain}));
    TRY(table.Do({"-X", chain}));
  }
  return {};
}

}  // namespace portcullis::runtime
