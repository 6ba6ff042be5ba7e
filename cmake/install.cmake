# install.cmake - What "make install" puts where: libraries, headers, the command, and how
# pkg-config and CMake find them. Both kinds of description are relative to themselves, so the
# installed tree may be moved.

include(CMakePackageConfigHelpers)
get_property(libraries GLOBAL PROPERTY SANWO_LIBRARIES)
if(NOT libraries)
    return()
endif()

set(SANWO_PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(SANWO_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/sanwo)
file(RELATIVE_PATH SANWO_PC_PREFIX /prefix/${SANWO_PC_DIR} /prefix)
string(REGEX REPLACE "/$" "" SANWO_PC_PREFIX "${SANWO_PC_PREFIX}")

set(SANWO_PC_DESCRIPTION_sanwo "TCP as a C library: the core")
set(SANWO_PC_DESCRIPTION_sanwo-drivers "TCP as a C library: drivers and the event loop")
set(SANWO_PC_DESCRIPTION_sanwo-http "TCP as a C library: HTTP/1.1 server and client")
set(SANWO_PC_DESCRIPTION_sanwo-trace "TCP as a C library: explaining captures")
set(SANWO_PC_DESCRIPTION_sanwo-socket "TCP as a C library: sockets")

foreach(library ${libraries})
    get_property(requires GLOBAL PROPERTY SANWO_REQUIRES_${library})
    get_property(internal GLOBAL PROPERTY SANWO_INTERNAL_${library})
    set(SANWO_PC_NAME ${library})
    set(SANWO_PC_DESCRIPTION ${SANWO_PC_DESCRIPTION_${library}})
    list(JOIN requires ", " SANWO_PC_REQUIRES)
    set(SANWO_PC_REQUIRES_PRIVATE)
    if(internal)
        set(SANWO_PC_REQUIRES_PRIVATE ${SANWO_PC_REQUIRES})
        set(SANWO_PC_REQUIRES)
    endif()
    configure_file(cmake/sanwo.pc.in ${PROJECT_BINARY_DIR}/pkgconfig/${library}.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/pkgconfig/${library}.pc DESTINATION ${SANWO_PC_DIR})
    install(TARGETS ${library} ${library}-static EXPORT sanwo-targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endforeach()

install(DIRECTORY include/sanwo DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
if(TARGET sanwo-command)
    install(TARGETS sanwo-command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

install(EXPORT sanwo-targets NAMESPACE sanwo:: DESTINATION ${SANWO_CMAKE_DIR})
configure_package_config_file(cmake/sanwo-config.cmake.in
    ${PROJECT_BINARY_DIR}/sanwo-config.cmake INSTALL_DESTINATION ${SANWO_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/sanwo-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/sanwo-config.cmake
    ${PROJECT_BINARY_DIR}/sanwo-config-version.cmake DESTINATION ${SANWO_CMAKE_DIR})
