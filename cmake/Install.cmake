# `cmake --install build [--prefix /usr/local]`, and what the Debian package holds (component "node").
if(CMAKE_INSTALL_PREFIX_INITIALIZED_TO_DEFAULT)
  set(CMAKE_INSTALL_PREFIX /usr CACHE PATH "where things are installed" FORCE)
endif()
include(GNUInstallDirs)
set(deploy ${CMAKE_SOURCE_DIR}/deploy)

install(TARGETS portcullis RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT node)
# Under its plain name only where no cri-tools is; the package, which cannot know, has it in a folder of its own.
install(CODE [[
  set(link "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/bin/crictl")
  if(NOT EXISTS "${link}" AND NOT IS_SYMLINK "${link}")
    file(CREATE_LINK portcullis "${link}" SYMBOLIC)
    message(STATUS "Installing: ${link}")
  endif()]] COMPONENT crictl)
install(CODE [[
  set(folder "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/lib/portcullis/bin")
  file(MAKE_DIRECTORY "${folder}")
  file(CREATE_LINK ../../../bin/portcullis "${folder}/crictl" SYMBOLIC)]] COMPONENT node)

install(FILES ${deploy}/systemd/portcullis.service ${deploy}/systemd/portcullis-runtime.service
  DESTINATION lib/systemd/system COMPONENT node)
file(GLOB sysctls CONFIGURE_DEPENDS ${deploy}/sysctl.d/*.conf)
if(sysctls)
  install(FILES ${sysctls} DESTINATION lib/sysctl.d COMPONENT node)
endif()
install(FILES ${deploy}/default/portcullis ${deploy}/default/portcullis-runtime
  DESTINATION /etc/default COMPONENT node)
install(FILES ${deploy}/etc/kubelet-config.yaml DESTINATION /etc/portcullis COMPONENT node)

file(GLOB docs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/*.md)
install(FILES ${docs} ${deploy}/debian/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/portcullis COMPONENT node)
file(GLOB examples CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/*.yaml ${deploy}/examples/*.conf)
install(FILES ${examples} DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/portcullis/examples COMPONENT node)

# Manual pages and completions come from the program's own words, so they are made after it.
set(man_pages portcullis.1 portcullis-node.8 portcullis-runtime.8 portcullis-image.1 portcullis-profile.1
  portcullis-status.1 portcullis-evidence.1 portcullis-preflight.1 portcullis-try.1 portcullis-tolerate.1 portcullis-crictl.1 portcullis-record.8 portcullis-drain.8 portcullis-uncordon.8)
set(made_man "")
set(installed_man "")
foreach(page ${man_pages})
  list(APPEND made_man ${CMAKE_BINARY_DIR}/man/${page})
  get_filename_component(section ${page} LAST_EXT)
  string(SUBSTRING ${section} 1 -1 section)
  install(FILES ${CMAKE_BINARY_DIR}/man/${page}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT node)
endforeach()
file(GLOB man_prose CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/man/*.txt)
add_custom_command(
  OUTPUT ${CMAKE_BINARY_DIR}/man/made
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/scripts/generate-man $<TARGET_FILE:portcullis> ${CMAKE_SOURCE_DIR}/man
    ${CMAKE_BINARY_DIR}/man ${PROJECT_VERSION} ${man_pages}
  COMMAND $<TARGET_FILE:portcullis> completion bash > ${CMAKE_BINARY_DIR}/man/portcullis.bash
  COMMAND $<TARGET_FILE:portcullis> completion zsh > ${CMAKE_BINARY_DIR}/man/_portcullis
  COMMAND $<TARGET_FILE:portcullis> completion fish > ${CMAKE_BINARY_DIR}/man/portcullis.fish
  COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_BINARY_DIR}/man/made
  DEPENDS portcullis ${CMAKE_SOURCE_DIR}/scripts/generate-man ${man_prose}
  COMMENT "Making manual pages and completions")
add_custom_target(portcullis_man ALL DEPENDS ${CMAKE_BINARY_DIR}/man/made)
install(FILES ${CMAKE_BINARY_DIR}/man/portcullis.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME portcullis COMPONENT node)
install(FILES ${CMAKE_BINARY_DIR}/man/_portcullis DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT node)
install(FILES ${CMAKE_BINARY_DIR}/man/portcullis.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT node)
