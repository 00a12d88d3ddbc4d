// For tests: an authority, and certificates of it, made on the spot.
#pragma once

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace portcullis::http {

class TestAuthority {
 public:
  // Writes PATH.pem; its name is the last part of the path.
  explicit TestAuthority(const std::string& path)
      : key_(EVP_EC_gen("P-256")), cert_(Make(path.substr(path.rfind('/') + 1).c_str(), key_)) {
    Extend(cert_, NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(cert_, key_, EVP_sha256());
    Write(path + ".pem", cert_, nullptr);
  }
  ~TestAuthority() {
    X509_free(cert_);
    EVP_PKEY_free(key_);
  }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  // Writes PATH.pem and PATH.key, of a certificate for these names ("DNS:localhost,IP:127.0.0.1").
  void Issue(const std::string& path, const std::string& names) const {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* cert = Make("test", key);
    X509_set_issuer_name(cert, X509_get_subject_name(cert_));
    Extend(cert, NID_subject_alt_name, names);
    X509_sign(cert, key_, EVP_sha256());
    Write(path + ".pem", cert, nullptr);
    Write(path + ".key", nullptr, key);
    X509_free(cert);
    EVP_PKEY_free(key);
  }

 private:
  static X509* Make(const char* name, EVP_PKEY* key) {
    static long serial = 1;
    X509* cert = X509_new();
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME* subject = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(cert, subject);
    X509_set_pubkey(cert, key);
    return cert;
  }

  static void Extend(X509* cert, int kind, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    ASSERT_NE(extension, nullptr) << value;
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
  }

  static void Write(const std::string& path, X509* cert, EVP_PKEY* key) {
    BIO* file = BIO_new_file(path.c_str(), "w");
    ASSERT_NE(file, nullptr) << path;
    if (cert != nullptr) PEM_write_bio_X509(file, cert);
    if (key != nullptr) PEM_write_bio_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    BIO_free(file);
  }

  EVP_PKEY* const key_;
  X509* const cert_;
};

}  // namespace portcullis::http
