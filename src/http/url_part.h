// One part of a parsed URL, with the scheme's own port where it names none; "" when it has no such part. For this room.
#pragma once

#include <curl/curl.h>

#include <string>

namespace portcullis::http {

std::string UrlPart(CURLU* url, CURLUPart part);

}  // namespace portcullis::http
