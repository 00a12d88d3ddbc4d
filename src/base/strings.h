// Small string helpers that the standard library lacks.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::base {

// "a,b,,c" -> {"a","b","","c"}; "" -> {""}.
std::vector<std::string> Split(std::string_view text, char separator);
std::string Join(std::span<const std::string> parts, std::string_view separator);
std::string_view Trim(std::string_view text);  // ASCII white space
std::string ToLower(std::string_view text);    // ASCII

// A Go-style quoted string ("a\"b" -> "\"a\\\"b\""), as Kubernetes prints values in errors.
std::string Quote(std::string_view text);

// Whole-string decimal parse; nullopt for anything else (sign, blanks, overflow).
std::optional<uint64_t> ParseUint(std::string_view text);
// The same for hexadecimal digits of either case, without 0x.
std::optional<uint64_t> ParseHex(std::string_view text);
// The same for integers as C writes them: decimal, hexadecimal after 0x, octal after 0; -1 is UINT64_MAX.
std::optional<uint64_t> ParseCInteger(std::string_view text);

// Go's strconv.ParseBool: 1 t T TRUE true True 0 f F FALSE false False and nothing else.
std::optional<bool> ParseGoBool(std::string_view text);

// The candidate nearest to `text` (edit distance, case-insensitive match first), or nullopt when nothing is near.
std::optional<std::string> Nearest(std::string_view text, std::span<const std::string_view> candidates);

// Lower-case hex of random bytes from getrandom(2): RandomHex(32) is a 64-digit container id.
std::string RandomHex(size_t bytes);
std::string Sha256Hex(std::string_view data);
// Standard alphabet, padded (RFC 4648 section 4).
std::string ToBase64(std::string_view data);
// The reverse, of whole groups of four; nullopt for anything else.
std::optional<std::string> FromBase64(std::string_view text);

}  // namespace portcullis::base
