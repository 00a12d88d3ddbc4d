"""A CRI client over gRPC that is none of ours: its messages are protoc's, from the description that our build made.

    client = cri_client.Client(runtime.socket)
    client.call("RuntimeService", "Version", version="v1").runtime_name
"""

import importlib
import os
import sys

import harness
from harness import SUITE

try:
    import grpc
except ImportError:  # python3-grpcio is not installed
    grpc = None


class Client:
    """CRI calls by name, over one connection."""

    def __init__(self, socket):
        self.api = compiled_api()
        self.channel = grpc.insecure_channel("unix://" + socket)

    def call(self, service, method, deadline=60, **fields):  # seconds
        request = getattr(self.api, method + "Request")(**fields)
        send = self.channel.unary_unary(f"/runtime.v1.{service}/{method}", request_serializer=type(request).SerializeToString,
                                        response_deserializer=getattr(self.api, method + "Response").FromString)
        return send(request, timeout=deadline)

    def stream(self, service, method, request_name, response_name, **fields):
        request = getattr(self.api, request_name)(**fields)
        send = self.channel.unary_stream(f"/runtime.v1.{service}/{method}", request_serializer=type(request).SerializeToString,
                                         response_deserializer=getattr(self.api, response_name).FromString)
        return send(request, timeout=60)

    def close(self):
        self.channel.close()


def compiled_api():
    folder = f"{SUITE.scratch}/api"
    if not os.path.isdir(folder):
        os.makedirs(folder)
        harness.run("protoc", f"--proto_path={SUITE.build}/gen/cri/grpc", f"--python_out={folder}", "api.proto")
        sys.path.insert(0, folder)
    return importlib.import_module("api_pb2")
