// tests/odr/side.hpp: what the shared object of this test offers.
#ifndef COFFER_TESTS_ODR_SIDE_HPP
#define COFFER_TESTS_ODR_SIDE_HPP

#include <string>
#include <system_error>

#if defined(_WIN32)
#define SIDE_EXPORT __declspec(dllexport)
#else
#define SIDE_EXPORT __attribute__((visibility("default")))
#endif

/// Opens the store at `path` with the shared object's own copy of coffer; says why it could not.
SIDE_EXPORT std::error_code side_open(const std::string& path);

/// The value of `key` in the store at `path`, read by the shared object's own copy.
SIDE_EXPORT std::string side_get(const std::string& path, const std::string& key);

/// From the other translation unit of the program.
std::string second_get(const std::string& path, const std::string& key);

#endif
