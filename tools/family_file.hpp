// Schedule families from C++ files outside Lamina: compiled into shared objects, kept in the cache, loaded.
#pragma once

#include "schedules/family.hpp"

namespace lamina::tools {

struct LoadedFamilies {
    std::vector<const Family*> families; // as LAMINA_REGISTER_FAMILY lists them
    std::string error;                   // names the file
};

// Adds the families of that file to family_table(), once, however often it is asked to.
LoadedFamilies load_families(const std::string& file);

// A schedule's text with a family's name in the place of a file: FILE.cpp[:FAMILY][,KNOB:VALUE...] loads the
// file. Other text comes back as it is.
struct ResolvedSchedule {
    std::string text, error;
};
ResolvedSchedule resolve_schedule(const std::string& text);

} // namespace lamina::tools
