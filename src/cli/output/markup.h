// Text inside HTML and XML, and on terminals, that may come from programs which mean to deceive.
#pragma once

#include <string>
#include <string_view>

namespace portcullis::cli {

// & < > " ' become entities; characters that XML 1.0 cannot hold, and bytes that are no UTF-8, become U+FFFD.
std::string EscapeMarkup(std::string_view text);

// Control characters become '?': nothing in it moves the cursor or ends a line.
std::string ForTerminal(std::string_view text);

// `text` in lines of at most `columns` characters, each behind `indent`; words are not cut. Ends in a newline.
std::string Wrapped(std::string_view text, std::string_view indent, size_t columns);

}  // namespace portcullis::cli
