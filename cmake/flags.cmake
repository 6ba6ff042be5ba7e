# flags.cmake - Compiler options, as three interface targets:
#
#     sanwo-core-flags      the core: no libc but four functions of <string.h>
#     sanwo-hosted-flags    libraries that live on an operating system
#     sanwo-program-flags   the command, examples, benchmarks and tests
#
# C17 without extensions: a file that needs more of the system says #define _GNU_SOURCE itself.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_C_FLAGS_RELEASE "-O3 -DNDEBUG")
set(CMAKE_C_FLAGS_DEBUG "-Og -g")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(sanwo-common-flags INTERFACE)
target_compile_options(sanwo-common-flags INTERFACE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual
    -Wundef -Wvla)
if(SANWO_WERROR)
    target_compile_options(sanwo-common-flags INTERFACE -Werror)
endif()

# Sanitizers and coverage belong to everything that is compiled, llhttp too.
if(SANWO_SANITIZE)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                        -fno-omit-frame-pointer -O1)
    add_link_options(-fsanitize=address,undefined)
elseif(SANWO_COVERAGE)
    add_compile_options(--coverage -O0)
    add_link_options(--coverage)
else()
    add_link_options(-Wl,--as-needed)
    set(SANWO_SHARED_LINK_OPTIONS -Wl,--no-undefined -Wl,-Bsymbolic-functions)
endif()

# Link-time optimisation keeps ordinary code beside the intermediate one, so that the static
# libraries serve programs that are linked without it.
if(SANWO_LTO AND CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_C_COMPILER_ID STREQUAL "GNU"
   AND NOT SANWO_SANITIZE AND NOT SANWO_COVERAGE)
    target_compile_options(sanwo-common-flags INTERFACE -flto=auto -ffat-lto-objects)
    add_link_options(-flto=auto)
endif()

# What the core clears and copies is small. GCC would take the processor's string instructions for more
# than 32 bytes of it, which take longer to begin than plain stores take to end.
include(CheckCCompilerFlag)
set(unrolled unrolled_loop:512:noalign,libcall:-1:noalign)
check_c_compiler_flag(-mmemset-strategy=${unrolled} SANWO_HAS_STRING_STRATEGIES)
if(SANWO_HAS_STRING_STRATEGIES)
    target_compile_options(sanwo-common-flags INTERFACE
        -mmemset-strategy=${unrolled} -mmemcpy-strategy=${unrolled})
endif()

# Blocks of a stack's region change their type as they are given out again, and fortified calls
# would be symbols that a freestanding build does not have.
add_library(sanwo-core-flags INTERFACE)
target_link_libraries(sanwo-core-flags INTERFACE sanwo-common-flags)
target_compile_options(sanwo-core-flags INTERFACE
    -fno-strict-aliasing -fno-semantic-interposition -U_FORTIFY_SOURCE)

add_library(sanwo-hosted-flags INTERFACE)
target_link_libraries(sanwo-hosted-flags INTERFACE sanwo-common-flags)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(sanwo-hosted-flags INTERFACE
        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
endif()

add_library(sanwo-program-flags INTERFACE)
target_link_libraries(sanwo-program-flags INTERFACE sanwo-hosted-flags)
