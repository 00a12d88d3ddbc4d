"""Programs of a few x86 instructions, made without a compiler, and what they tell of the kernel."""

import functools
import os
import platform
import struct
import subprocess
import tempfile


def x86_program(code):
    """A whole static x86-64 program of these instructions."""
    entry, headers = 0x400000, 64 + 56
    elf = b"\x7fELF\x02\x01\x01" + bytes(9)
    elf += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, entry + headers, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    elf += struct.pack("<IIQQQQQQ", 1, 5, 0, entry, entry, headers + len(code), headers + len(code), 0x1000)
    return elf + code


@functools.cache
def kernel_has_i386():
    """Does this kernel make x86's 32-bit calls? Some are built or booted without (CONFIG_IA32_EMULATION, ia32_emulation=0)."""
    if platform.machine() != "x86_64":
        return False
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/exit"
        with open(path, "wb") as file:  # xor ebx,ebx; mov eax,1 (exit); int 0x80
            file.write(x86_program(b"\x31\xdb\xb8\x01\x00\x00\x00\xcd\x80"))
        os.chmod(path, 0o755)
        return subprocess.run([path], check=False).returncode == 0
