#include "http/url_part.h"

namespace portcullis::http {

std::string UrlPart(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  std::string out;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK) out = text;
  curl_free(text);
  return out;
}

}  // namespace portcullis::http
