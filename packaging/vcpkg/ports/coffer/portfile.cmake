# An overlay port: vcpkg install coffer --overlay-ports=<this tree>/packaging/vcpkg/ports
# It packages the tree that it lies in. A port for a registry names a release here instead, with
# vcpkg_from_github(OUT_SOURCE_PATH SOURCE_PATH ...).
set(VCPKG_BUILD_TYPE release) # header-only

get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../.." ABSOLUTE)

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DCOFFER_BUILD_TESTS=OFF
        -DCOFFER_BUILD_EXAMPLES=OFF
        -DCOFFER_INSTALL=ON
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME coffer CONFIG_PATH share/coffer)
vcpkg_fixup_pkgconfig()

file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/lib" "${CURRENT_PACKAGES_DIR}/debug"
                    "${CURRENT_PACKAGES_DIR}/share/licenses")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
