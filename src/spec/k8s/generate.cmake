# Tables of src/spec/k8s, made from data/*.tsv at build time. Sets K8S_GENERATED_SOURCES.
set(K8S_GENERATED_SOURCES "")
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/gen/spec/k8s)
set(k8s_generator ${CMAKE_SOURCE_DIR}/scripts/generate-k8s-tables.py)

function(portcullis_k8s_table output data)
  set(out ${CMAKE_BINARY_DIR}/gen/spec/k8s/${output})
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${Python3_EXECUTABLE} ${k8s_generator} ${ARGN} ${CMAKE_SOURCE_DIR}/data/${data} ${out}
    DEPENDS ${k8s_generator} ${CMAKE_SOURCE_DIR}/data/${data}
    VERBATIM)
  set(K8S_GENERATED_SOURCES ${K8S_GENERATED_SOURCES} ${out} PARENT_SCOPE)
endfunction()

portcullis_k8s_table(feature_gate_table.cc feature-gates.tsv gates)
portcullis_k8s_table(pod_schema.cc pod-fields.tsv schema PodSchema)
portcullis_k8s_table(kubelet_config_schema.cc kubelet-config-fields.tsv schema KubeletConfigSchema)
