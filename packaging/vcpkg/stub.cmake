# cmake -DOUT=<folder> -P stub.cmake
# Runs the real portfile with stand-ins for vcpkg's functions, installs to OUT, and checks what
# vcpkg would check of the result. It shows that the port is sound; it is no replacement for vcpkg.
cmake_minimum_required(VERSION 3.23)
get_filename_component(OUT "${OUT}" ABSOLUTE)

set(port_dir ${CMAKE_CURRENT_LIST_DIR}/ports/coffer)
file(READ ${port_dir}/vcpkg.json manifest)
string(JSON PORT GET "${manifest}" name)
string(JSON VERSION GET "${manifest}" version)
set(CURRENT_PACKAGES_DIR ${OUT})

macro(vcpkg_cmake_configure)
    cmake_parse_arguments(arg "" "SOURCE_PATH" "OPTIONS" ${ARGN})
    execute_process(COMMAND ${CMAKE_COMMAND} -S ${arg_SOURCE_PATH} -B ${OUT}-build -G Ninja
                            -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=${OUT} ${arg_OPTIONS}
                    COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endmacro()

macro(vcpkg_cmake_install)
    execute_process(COMMAND ${CMAKE_COMMAND} --install ${OUT}-build
                    COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endmacro()

macro(vcpkg_cmake_config_fixup)
    cmake_parse_arguments(arg "" "PACKAGE_NAME;CONFIG_PATH" "" ${ARGN})
    if(NOT arg_CONFIG_PATH STREQUAL "share/${arg_PACKAGE_NAME}")
        message(FATAL_ERROR "the stand-in moves nothing: CONFIG_PATH must be share/<name>")
    endif()
    if(NOT EXISTS ${OUT}/${arg_CONFIG_PATH}/${arg_PACKAGE_NAME}Config.cmake)
        message(FATAL_ERROR "no ${arg_PACKAGE_NAME}Config.cmake in ${arg_CONFIG_PATH}")
    endif()
endmacro()

macro(vcpkg_fixup_pkgconfig)
    file(READ ${OUT}/share/pkgconfig/${PORT}.pc pc)
    if(pc MATCHES "${OUT}")
        message(FATAL_ERROR "${PORT}.pc names the prefix it was installed to")
    endif()
endmacro()

macro(vcpkg_install_copyright)
    cmake_parse_arguments(arg "" "" "FILE_LIST" ${ARGN})
    configure_file(${arg_FILE_LIST} ${OUT}/share/${PORT}/copyright COPYONLY)
endmacro()

file(REMOVE_RECURSE ${OUT} ${OUT}-build)
include(${port_dir}/portfile.cmake)

foreach(left bin lib debug share/licenses)
    if(EXISTS ${OUT}/${left})
        message(FATAL_ERROR "the port leaves ${left}/ behind")
    endif()
endforeach()
foreach(needed include/coffer/coffer.hpp share/${PORT}/copyright share/${PORT}/usage)
    if(NOT EXISTS ${OUT}/${needed})
        message(FATAL_ERROR "the port installs no ${needed}")
    endif()
endforeach()
file(STRINGS ${OUT}/share/${PORT}/${PORT}ConfigVersion.cmake installed
     REGEX "set\\(PACKAGE_VERSION \"${VERSION}\"\\)")
if(NOT installed)
    message(FATAL_ERROR "vcpkg.json says ${VERSION}, and what is installed is another version")
endif()
message(STATUS "vcpkg port ${PORT} ${VERSION}: sound")
