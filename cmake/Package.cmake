# scripts/package, or `cmake --build build --target package`: a Debian package. What it links with is found by
# dpkg-shlibdeps; what it runs is listed here, as in scripts/install-packages.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME portcullis)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "Portcullis maintainers <root@localhost>")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/package)
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};portcullis;node;/")
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "conmon, runc | crun, containernetworking-plugins, iptables")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "crun, runc, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "jq, cri-tools")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Kubernetes node that is secure by default
 Runs pods from manifests, or serves the CRI to a kubelet, and gives every
 container the runtime's default seccomp profile unless its manifest says
 otherwise. One program: node, runtime, crictl, status, profile tools.
 .
 Nothing is started by the installation.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/deploy/debian/postinst
  ${CMAKE_SOURCE_DIR}/deploy/debian/prerm ${CMAKE_SOURCE_DIR}/deploy/debian/postrm ${CMAKE_SOURCE_DIR}/deploy/debian/conffiles)
include(CPack)
