import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class CofferConan(ConanFile):
    name = "coffer"
    description = "Header-only C++20 embedded key-value store with a choice per axis"
    license = "MIT"
    topics = ("key-value", "embedded", "database", "storage", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"  # read by validate, no part of the package id
    exports_sources = "include/*", "LICENSE"
    no_copy_source = True

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, "include/coffer/config/version.hpp"))
        self.version = ".".join(
            re.search(rf"#define COFFER_VERSION_{part} (\d+)", text)[1]
            for part in ("MAJOR", "MINOR", "PATCH")
        )

    def layout(self):
        basic_layout(self, src_folder=".")

    def package_id(self):
        self.info.clear()

    def validate(self):
        check_min_cppstd(self, 20)

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(
            self,
            "*.hpp",
            os.path.join(self.source_folder, "include"),
            os.path.join(self.package_folder, "include"),
        )

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "coffer")
        self.cpp_info.set_property("cmake_target_name", "coffer::coffer")
        self.cpp_info.set_property("pkg_config_name", "coffer")
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread"]
