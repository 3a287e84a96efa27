# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` lays out: library, headers, command, and the two ways a program finds them,
# find_package(tenrec) and pkg-config. scripts/check_package.sh tests both.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set_target_properties(tenrec_lib PROPERTIES EXPORT_NAME tenrec)
add_library(tenrec::tenrec ALIAS tenrec_lib)

install(TARGETS tenrec_lib EXPORT tenrec LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET tenrec_imgcodecs)
  install(TARGETS tenrec_imgcodecs LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
if(TARGET tenrec)
  install(TARGETS tenrec RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
# TensorRT's names lie in a folder of their own, so that nobody finds them by accident.
install(TARGETS nvinfer nvonnxparser nvinfer_plugin cudart13
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/trt)
install(FILES $<TARGET_FILE:cudart12> DESTINATION ${CMAKE_INSTALL_LIBDIR}/trt)
install(TARGETS trtexec RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/trt ${PROJECT_SOURCE_DIR}/include/cudart
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tenrec DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/tenrec)
install(EXPORT tenrec NAMESPACE tenrec:: FILE tenrec-targets.cmake DESTINATION ${package})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/tenrec-config.cmake.in
                              ${PROJECT_BINARY_DIR}/tenrec-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tenrec-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tenrec-config.cmake
              ${PROJECT_BINARY_DIR}/tenrec-config-version.cmake DESTINATION ${package})

configure_file(${CMAKE_CURRENT_LIST_DIR}/tenrec.pc.in ${PROJECT_BINARY_DIR}/tenrec.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tenrec.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_file(${CMAKE_CURRENT_LIST_DIR}/tenrec-trt.pc.in ${PROJECT_BINARY_DIR}/tenrec-trt.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tenrec-trt.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
