// coffer/config/version.hpp: the version of the library and of the format on disk.
//
// The one place where either is written; the build files and the packages read them from here.
#ifndef COFFER_CONFIG_VERSION_HPP
#define COFFER_CONFIG_VERSION_HPP

#define COFFER_VERSION_MAJOR 0
#define COFFER_VERSION_MINOR 1
#define COFFER_VERSION_PATCH 0
#define COFFER_VERSION \
    (COFFER_VERSION_MAJOR * 10000 + COFFER_VERSION_MINOR * 100 + COFFER_VERSION_PATCH)
#define COFFER_VERSION_STRING "0.1.0"

#define COFFER_FORMAT_VERSION 2

#endif
