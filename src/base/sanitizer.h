// Whether this is built with a sanitizer, for the few things that cannot be done under one. gcc and clang tell it in
// different ways.
#pragma once

#if defined(__has_feature)
#define PORTCULLIS_HAS_FEATURE_(name) __has_feature(name)
#else
#define PORTCULLIS_HAS_FEATURE_(name) 0
#endif

namespace portcullis::base {

#if defined(__SANITIZE_ADDRESS__) || PORTCULLIS_HAS_FEATURE_(address_sanitizer)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif

#if defined(__SANITIZE_THREAD__) || PORTCULLIS_HAS_FEATURE_(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

}  // namespace portcullis::base

#undef PORTCULLIS_HAS_FEATURE_
