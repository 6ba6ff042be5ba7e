# tests.cmake - Every tests/<folder>/test_*.c is a cmocka program, every tests/<folder>/*.sh a
# script; the folder's name is the label.
#
# Other C files of a folder are shared by its programs; lib.sh and common.sh are for scripts to
# source. Tests are linked with the static libraries, where the functions inside the core can be
# reached: a debug build of those has its asserts on. A script is told the command in $SANWO and
# says "skipped" with exit status 77.

find_path(SANWO_CMOCKA_INCLUDE cmocka.h DOC "The folder of cmocka.h")
find_library(SANWO_CMOCKA_LIBRARY cmocka DOC "cmocka's library")
if(NOT SANWO_CMOCKA_INCLUDE OR NOT SANWO_CMOCKA_LIBRARY)
    message(FATAL_ERROR
        "The tests need cmocka: install the package libcmocka-dev (scripts/install-deps --test "
        "does it), or build without tests: -DSANWO_TESTS=OFF.")
endif()

set(command "${SANWO_COMMAND}")
if(NOT command)
    set(command ${PROJECT_BINARY_DIR}/sanwo)
endif()
set(environment SANWO=${command} SANWO_SOURCE=${PROJECT_SOURCE_DIR})
set(seconds 60)
if(SANWO_SANITIZE OR SANWO_COVERAGE)
    set(seconds 300)
endif()

function(sanwo_test_program folder source)
    cmake_path(GET source STEM stem)
    set(program test-${folder}-${stem})
    add_executable(${program} ${source})
    set_target_properties(${program} PROPERTIES
        OUTPUT_NAME ${stem} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/${folder})
    target_include_directories(${program} PRIVATE
        ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
    target_include_directories(${program} SYSTEM PRIVATE
        ${SANWO_CMOCKA_INCLUDE} ${SANWO_LLHTTP_INCLUDE})
    if(TARGET test-${folder}-shared)
        target_link_libraries(${program} PRIVATE test-${folder}-shared)
    endif()
    target_link_libraries(${program} PRIVATE
        sanwo-program-flags ${all_static} ${SANWO_CMOCKA_LIBRARY} m)

    string(REGEX REPLACE "^test_" "" name ${stem})
    add_test(NAME ${folder}/${name} COMMAND ${program})
    set_tests_properties(${folder}/${name} PROPERTIES
        LABELS ${folder} TIMEOUT ${seconds} ENVIRONMENT "${environment}")
    if(folder STREQUAL "drivers")
        set_tests_properties(${folder}/${name} PROPERTIES SKIP_RETURN_CODE 77)
    endif()
endfunction()

function(sanwo_test_script folder source)
    cmake_path(GET source STEM stem)
    if(stem STREQUAL "lib" OR stem STREQUAL "common")
        return()
    endif()
    string(REGEX REPLACE "^test_" "" name ${stem})
    add_test(NAME ${folder}/${name} COMMAND bash ${PROJECT_SOURCE_DIR}/${source})
    set_tests_properties(${folder}/${name} PROPERTIES
        LABELS ${folder} TIMEOUT 300 SKIP_RETURN_CODE 77 ENVIRONMENT "${environment}")
    if(folder STREQUAL "interop")
        set_tests_properties(${folder}/${name} PROPERTIES RUN_SERIAL ON TIMEOUT 900)
    endif()
endfunction()

set(uses_matrix tcp) # folders whose shared files those of another use
set(uses_attacks tcp)
set(uses_faults sim)

file(GLOB folders CONFIGURE_DEPENDS LIST_DIRECTORIES true RELATIVE ${PROJECT_SOURCE_DIR}/tests
     tests/*)
foreach(folder ${folders})
    sanwo_find_sources(programs tests/${folder}/test_*.c)
    sanwo_find_sources(shared tests/${folder}/*.c)
    sanwo_find_sources(scripts tests/${folder}/*.sh)
    if(programs)
        list(REMOVE_ITEM shared ${programs})
    endif()
    if(programs AND shared)
        add_library(test-${folder}-shared STATIC ${shared})
        target_include_directories(test-${folder}-shared PRIVATE
            ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
        target_include_directories(test-${folder}-shared SYSTEM PRIVATE ${SANWO_CMOCKA_INCLUDE})
        foreach(other ${uses_${folder}})
            target_link_libraries(test-${folder}-shared PRIVATE test-${other}-shared)
        endforeach()
        target_link_libraries(test-${folder}-shared PRIVATE sanwo-program-flags ${all_static})
    endif()
    foreach(source ${programs})
        sanwo_test_program(${folder} ${source})
    endforeach()
    foreach(source ${scripts})
        sanwo_test_script(${folder} ${source})
    endforeach()
endforeach()

# Scripts for `sanwo drill` (docs/drill.md). Nothing that the stack sends may be left over: --strict.
function(sanwo_drill_test name)
    add_test(NAME script/${name} COMMAND ${command} drill --strict ${ARGN})
    set_tests_properties(script/${name} PROPERTIES LABELS script TIMEOUT ${seconds})
endfunction()

# By section, in both families; what a profile chooses in profile/, under that profile.
file(GLOB script_folders CONFIGURE_DEPENDS tests/script/rfc* tests/script/api
     tests/script/pacing tests/script/bbr)
foreach(family ipv4 ipv6)
    sanwo_drill_test(${family} --ip_version=${family} ${script_folders})
endforeach()
foreach(profile sanwo linux freebsd)
    if(EXISTS ${PROJECT_SOURCE_DIR}/tests/script/profile/${profile})
        sanwo_drill_test(profile-${profile} --profile ${profile}
                         ${PROJECT_SOURCE_DIR}/tests/script/profile/${profile})
    endif()
endforeach()

# Tables of states, segments and calls, as scripts in the build folder.
find_package(Python3 QUIET COMPONENTS Interpreter)
set(generated ${PROJECT_BINARY_DIR}/tests/script/generated)
foreach(table synchronised unsynchronised orders calls icmp urgent options paws arrivals
        sack_edges peer_windows silly_windows round_trips congestion_windows recoveries
        recoveries_newreno
        stalls)
    if(Python3_FOUND)
        add_test(NAME script/generate-${table} COMMAND ${Python3_EXECUTABLE} -B
                 ${PROJECT_SOURCE_DIR}/tests/script/generate/${table}.py ${generated})
        set_tests_properties(script/generate-${table} PROPERTIES
            LABELS script FIXTURES_SETUP script-${table})
        foreach(family ipv4 ipv6)
            sanwo_drill_test(${table}-${family} --ip_version=${family} ${generated}/${table})
            set_tests_properties(script/${table}-${family} PROPERTIES
                FIXTURES_REQUIRED script-${table})
        endforeach()
    endif()
endforeach()
