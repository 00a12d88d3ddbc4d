// A filter in words, one line an instruction:
//
//   0012  jge  #272            t 0019  f 0013    ; unshare
//   0013  jeq  #56             t 0060  f 0014    ; clone
//   0060  ld   [16]                              ; argument 0, low half
//   0079  ret  #0x7fff0000                       ; SCMP_ACT_ALLOW
//
// Numbers get their names where the path tells the architecture.
#pragma once

#include <span>
#include <string>

#include "engine/bpf/program.h"

namespace portcullis::filter {

// A program that bpf::Check accepts.
std::string Disassemble(std::span<const bpf::Insn> program);

// The lines of a C initialiser for `struct sock_filter name[]`, with the same comments.
std::string ToCArray(std::span<const bpf::Insn> program, const std::string& name);

}  // namespace portcullis::filter
