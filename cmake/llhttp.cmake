# llhttp.cmake - The HTTP parser, compiled from the sources that the system's package has.
#
# Its warnings are not ours, so it gets none of our warning options.

find_path(SANWO_LLHTTP_INCLUDE llhttp.h
    HINTS ${SANWO_LLHTTP_SOURCES} ${SANWO_LLHTTP_SOURCES}/../include/llhttp
    PATHS /usr/share/include/llhttp
    DOC "The folder of llhttp.h")
if(NOT SANWO_LLHTTP_INCLUDE OR NOT EXISTS ${SANWO_LLHTTP_SOURCES}/llhttp.c)
    message(FATAL_ERROR
        "llhttp's sources are not here (looked for llhttp.c in ${SANWO_LLHTTP_SOURCES} and for "
        "llhttp.h beside it).\n"
        "Install the package node-llhttp (scripts/install-deps --run does it), or point "
        "-DSANWO_LLHTTP_SOURCES and -DSANWO_LLHTTP_INCLUDE at them, or build without HTTP: "
        "-DSANWO_HTTP=OFF.")
endif()

add_library(sanwo-llhttp OBJECT
    ${SANWO_LLHTTP_SOURCES}/api.c ${SANWO_LLHTTP_SOURCES}/http.c ${SANWO_LLHTTP_SOURCES}/llhttp.c)
set_target_properties(sanwo-llhttp PROPERTIES POSITION_INDEPENDENT_CODE ON C_EXTENSIONS ON)
target_include_directories(sanwo-llhttp PRIVATE ${SANWO_LLHTTP_INCLUDE})
target_compile_options(sanwo-llhttp PRIVATE -w)
