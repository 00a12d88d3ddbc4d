"""Traces of `portcullis record` and `portcullis evidence`, and the programs whose calls are in them."""

import gzip
import json
import os
import shutil

import harness
from harness import SUITE

PROGRAMS = {"calls": ["-O1", "-lpthread"],
            "i386": ["-m32", "-nostdlib", "-static", "-O1", "-fno-stack-protector", "-fno-pic"]}


class Trace:
    def __init__(self, path):
        opener = gzip.open if path.endswith(".gz") else open
        with opener(path, "rt", encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.source = lines[0]["source"]
        self.workloads = [line for line in lines[1:-1] if "count" not in line]
        self.calls = [line for line in lines[1:-1] if "count" in line]
        self.losses = lines[-1]["end"]["losses"]
        self.unseen = lines[-1]["end"]["unseen"]

    def find(self, **wanted):
        return [call for call in self.calls if all(call.get(name) == value for name, value in wanted.items())]

    def count(self, **wanted):
        return sum(call["count"] for call in self.find(**wanted))

    def phases(self):
        return {call["phase"] for call in self.calls}


def compile_program(folder, name):
    """record_NAME.c as `folder`/NAME."""
    ready = f"{SUITE.build}/bin/record_{name}"  # where there is no compiler: in the guest of scripts/vm-test
    if os.path.exists(ready):
        shutil.copy(ready, f"{folder}/{name}")
    else:
        source = os.path.join(os.path.dirname(__file__), f"record_{name}.c")
        harness.run("gcc", "-o", f"{folder}/{name}", source, *PROGRAMS[name])
    return f"{folder}/{name}"
