# fuzz.cmake - Every tests/fuzz/fuzz_NAME.c is a fuzz target, with the NAME_*.c of its own.
#
#     replay-NAME    runs files and seeds; any compiler; a test with label "fuzz"
#     fuzz-NAME      searches, by libFuzzer; with SANWO_FUZZ, which needs clang (scripts/fuzz)
#
# The test runs tests/fuzz/seeds/NAME.txt, made by hand, and tests/fuzz/corpus/NAME.txt, found by
# searching.
option(SANWO_FUZZ "Build the programs that search; needs clang with libFuzzer" OFF)
if(NOT SANWO_TESTS AND NOT SANWO_FUZZ)
    return()
endif()
if(SANWO_FUZZ AND NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "SANWO_FUZZ needs clang: scripts/fuzz sets it up.")
endif()

sanwo_find_sources(shared tests/fuzz/shared_*.c)
add_library(fuzz-shared STATIC ${shared} tests/tcp/packet.c)
target_include_directories(fuzz-shared PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(fuzz-shared PRIVATE sanwo-program-flags PUBLIC sanwo-static)
# The second opinion on every packet need not be watched itself; it would take a third of the time.
set_source_files_properties(tests/tcp/packet.c TARGET_DIRECTORY fuzz-shared
    PROPERTIES COMPILE_OPTIONS "-fno-sanitize=all;-O2")

function(sanwo_fuzz_target source)
    cmake_path(GET source STEM stem)
    string(REGEX REPLACE "^fuzz_" "" name ${stem})
    if(name STREQUAL "http" AND NOT TARGET sanwo-http-static)
        return()
    endif()
    sanwo_find_sources(parts tests/fuzz/${name}_*.c)
    add_library(fuzz-parts-${name} OBJECT ${source} ${parts})
    target_include_directories(fuzz-parts-${name} PRIVATE
        ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(fuzz-parts-${name} PRIVATE sanwo-program-flags)

    set(libraries fuzz-shared)
    if(name STREQUAL "http")
        list(APPEND libraries sanwo-http-static)
        target_include_directories(fuzz-parts-${name} SYSTEM PRIVATE ${SANWO_LLHTTP_INCLUDE})
    endif()
    add_executable(replay-${name} tests/fuzz/replay.c $<TARGET_OBJECTS:fuzz-parts-${name}>)
    target_link_libraries(replay-${name} PRIVATE sanwo-program-flags ${libraries})
    if(name STREQUAL "stateful")
        target_compile_definitions(replay-${name} PRIVATE STATEFUL=1)
    endif()
    set(programs replay-${name})
    if(SANWO_FUZZ)
        sanwo_find_sources(mutator tests/fuzz/libfuzzer_${name}.c)
        add_executable(fuzz-${name} ${mutator} $<TARGET_OBJECTS:fuzz-parts-${name}>)
        set_target_properties(fuzz-${name} PROPERTIES LINKER_LANGUAGE C)
        target_link_libraries(fuzz-${name} PRIVATE sanwo-program-flags ${libraries})
        target_link_options(fuzz-${name} PRIVATE -fsanitize=fuzzer)
        list(APPEND programs fuzz-${name})
    endif()
    set_target_properties(${programs} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/fuzz)
    add_dependencies(fuzz-targets ${programs})

    if(SANWO_TESTS)
        set(inputs ${PROJECT_SOURCE_DIR}/tests/fuzz/seeds/${name}.txt)
        if(EXISTS ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}.txt)
            list(APPEND inputs ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}.txt)
        endif()
        add_test(NAME fuzz/${name} COMMAND replay-${name} ${inputs})
        set_tests_properties(fuzz/${name} PROPERTIES LABELS fuzz TIMEOUT 300)
    endif()
endfunction()

add_custom_target(fuzz-targets)
sanwo_find_sources(fuzz_sources tests/fuzz/fuzz_*.c)
foreach(source ${fuzz_sources})
    sanwo_fuzz_target(${source})
endforeach()
