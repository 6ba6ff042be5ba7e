# library.cmake - One way to declare a library: objects once, then a shared and a static library.

# Puts what matches the patterns into @out; looked up again at each build.
macro(sanwo_find_sources out)
    file(GLOB ${out} CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${ARGN})
endmacro()

# All C files in and under @folder.
macro(sanwo_find_sources_below out folder)
    file(GLOB_RECURSE ${out} CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${folder}/*.c)
endmacro()

# sanwo_library(NAME [CORE | INTERNAL] SOURCES ... [LINKS other libraries] [OBJECTS object libraries])
#
# CORE: compiled under the core's rules. INTERNAL: uses functions of the core that its shared
# library does not show, so the shared form carries its own copy of those few objects. Without
# sources there is no target; links to libraries that are not there are left out.
function(sanwo_library name)
    cmake_parse_arguments(PARSE_ARGV 1 lib "CORE;INTERNAL" "" "SOURCES;LINKS;OBJECTS")
    if(NOT lib_SOURCES)
        message(STATUS "sanwo: ${name} is not built: no sources")
        return()
    endif()

    add_library(${name}-objects OBJECT ${lib_SOURCES})
    set_target_properties(${name}-objects PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_include_directories(${name}-objects PRIVATE
        ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
    if(lib_CORE)
        target_link_libraries(${name}-objects PRIVATE sanwo-core-flags)
    else()
        target_link_libraries(${name}-objects PRIVATE sanwo-hosted-flags)
    endif()

    set(objects $<TARGET_OBJECTS:${name}-objects>)
    foreach(other ${lib_OBJECTS})
        list(APPEND objects $<TARGET_OBJECTS:${other}>)
    endforeach()
    add_library(${name} SHARED ${objects})
    add_library(${name}-static STATIC ${objects})
    set_target_properties(${name} PROPERTIES
        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINKER_LANGUAGE C
        INSTALL_RPATH "$ORIGIN")
    set_target_properties(${name}-static PROPERTIES OUTPUT_NAME ${name} LINKER_LANGUAGE C)
    target_link_options(${name} PRIVATE ${SANWO_SHARED_LINK_OPTIONS})

    string(REGEX REPLACE "^sanwo-" "" export_name ${name})
    set_target_properties(${name} PROPERTIES EXPORT_NAME ${export_name})
    set_target_properties(${name}-static PROPERTIES EXPORT_NAME ${export_name}-static)
    add_library(sanwo::${export_name} ALIAS ${name})
    add_library(sanwo::${export_name}-static ALIAS ${name}-static)

    foreach(form ${name} ${name}-static)
        target_include_directories(${form} INTERFACE
            $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    endforeach()
    set(requires)
    foreach(other ${lib_LINKS})
        if(TARGET ${other})
            list(APPEND requires ${other})
            target_link_libraries(${name}-static PUBLIC ${other}-static)
            if(lib_INTERNAL)
                target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:${other}-static>)
                target_link_options(${name} PRIVATE -Wl,--exclude-libs,lib${other}.a)
            else()
                target_link_libraries(${name} PUBLIC ${other})
            endif()
        endif()
    endforeach()
    set_property(GLOBAL APPEND PROPERTY SANWO_LIBRARIES ${name})
    set_property(GLOBAL PROPERTY SANWO_REQUIRES_${name} ${requires})
    set_property(GLOBAL PROPERTY SANWO_INTERNAL_${name} ${lib_INTERNAL})
endfunction()
