"""Certificates for tests, made by openssl."""

import os
import subprocess


def make_ca(folder, name):
    """A certificate authority of our own: (certificate, key)."""
    os.makedirs(folder, exist_ok=True)
    paths = f"{folder}/{name}.pem", f"{folder}/{name}.key"
    run_openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", paths[1],
                "-out", paths[0])
    return paths


def make_certificate(folder, authority, name="server", names="IP:127.0.0.1"):
    """(certificate, key) of the authority; `names` is what the certificate is for."""
    paths = f"{folder}/{name}.pem", f"{folder}/{name}.key"
    request, extensions = f"{folder}/{name}.csr", f"{folder}/{name}.ext"
    run_openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", paths[1], "-out", request)
    with open(extensions, "w", encoding="utf-8") as file:
        file.write(f"subjectAltName={names}\n")
    run_openssl("x509", "-req", "-in", request, "-CA", authority[0], "-CAkey", authority[1], "-CAcreateserial", "-days", "2",
                "-extfile", extensions, "-out", paths[0])
    return paths


def run_openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)
