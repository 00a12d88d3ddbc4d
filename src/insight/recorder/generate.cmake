# record.bpf.c -> record.bpf.o -> record.skel.h, which holds the object. Needs no vmlinux.h: see bpf/kernel_types.h.
find_program(BPF_CLANG NAMES clang-19 clang-16 clang-14 clang REQUIRED)
find_program(BPFTOOL bpftool PATHS /usr/sbin /sbin REQUIRED)
set(bpf_dir ${CMAKE_CURRENT_SOURCE_DIR}/insight/recorder/bpf)
set(bpf_out ${CMAKE_BINARY_DIR}/gen/insight/recorder)
file(MAKE_DIRECTORY ${bpf_out})
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(bpf_arch arm64)
else()
  set(bpf_arch x86)
endif()
add_custom_command(
  OUTPUT ${bpf_out}/record.skel.h
  COMMAND ${BPF_CLANG} -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_${bpf_arch} -Wall -Wextra -Werror -Wno-unused-parameter
    -ffile-prefix-map=${CMAKE_BINARY_DIR}=build -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.
    -I${CMAKE_SOURCE_DIR}/src -I/usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -c ${bpf_dir}/record.bpf.c -o ${bpf_out}/record.bpf.o
  COMMAND ${BPFTOOL} gen skeleton ${bpf_out}/record.bpf.o name record > ${bpf_out}/record.skel.h
  DEPENDS ${bpf_dir}/record.bpf.c ${bpf_dir}/kernel_types.h ${bpf_dir}/counts.h
  COMMENT "Compiling the recorder's kernel program")
set(RECORDER_GENERATED_SOURCES ${bpf_out}/record.skel.h)
