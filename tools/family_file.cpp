#include "tools/family_file.hpp"

#include "generators/temporary_folder.hpp"
#include "generators/whole_file.hpp"
#include "tools/build_cache.hpp"
#include "tools/child_process.hpp"
#include "tools/compiler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>

#include <dlfcn.h>

namespace lamina::tools {

namespace {

namespace fs = std::filesystem;

// What to compile a family with, beside the source and the output.
std::vector<std::string> family_command() {
    std::vector<std::string> command = compiler_command();
    // The family runs for milliseconds, but Halide's header takes seconds: no optimisation. Its own names are
    // hidden, so that none is mistaken for one of this program's.
    command.insert(command.end(), {"-shared", "-fPIC", "-O0", "-w", "-fvisibility=hidden"});
    const std::vector<std::string> options = halide_options();
    command.insert(command.end(), options.begin(), options.end());
    return command;
}

// The name in the cache of what that command makes of the source; changes with all of them.
std::string object_name(const fs::path& source, const std::vector<std::string>& command, std::string& error) {
    const Finished compiler = run_child({command[0], "--version"});
    if (compiler.status != 0)
        error = fmt::format("{}: cannot be compiled: {}", source.string(), shortened(compiler.output));
    Digest digest;
    digest.add(LAMINA_VERSION);
    digest.add(compiler.output);
    for (const std::string& word : command)
        digest.add(word);
    if (error.empty())
        error = add_source(digest, source, include_folders());
    return fmt::format("{}-{}.so", source.stem().string(), digest.text());
}

// A shared object that is open for the rest of the process, or why it is not.
struct Opened {
    void* object = nullptr;
    const FamilyExport* families = nullptr;
    std::string error;
};

Opened open_object(const fs::path& object) {
    void* handle = dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return {.error = dlerror()};
    const auto* families = static_cast<const FamilyExport*>(dlsym(handle, "lamina_families"));
    return {handle, families,
            families ? "" : "it registers no family: end it with LAMINA_REGISTER_FAMILY(name)"};
}

// Keeps a copy in the cache where that can be; a later run does without otherwise.
void keep(const fs::path& object, const fs::path& place) {
    std::ifstream file(object, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (!file || place.empty())
        return;
    [[maybe_unused]] const std::string ignored = write_whole_file(place, std::as_bytes(std::span(bytes)));
}

Opened compile_and_open(const fs::path& source, std::vector<std::string> command, const fs::path& place) {
    const TemporaryFolder folder;
    if (!folder.error().empty())
        return {.error = folder.error()};
    const std::string object = folder.path() + "/family.so";
    command.insert(command.end(), {source.string(), "-o", object});
    const Finished compiled = run_child(command);
    if (compiled.status != 0)
        return {.error = fmt::format("does not compile:\n{}", shortened(compiled.output))};
    keep(object, place);
    return open_object(object);
}

std::string interface_text(const FamilyInterface& interface) {
    return fmt::format("family interface {} of layout {} with Halide {}.{}.{}", interface.version,
                       interface.layout, interface.halide / 10'000, interface.halide / 100 % 100,
                       interface.halide % 100);
}

LoadedFamilies add_families(const FamilyExport& exported) {
    constexpr FamilyInterface own;
    if (exported.interface != own)
        return {{},
                fmt::format("it was compiled for another Lamina: {}, this is {}",
                            interface_text(exported.interface), interface_text(own))};
    for (const Family* family : std::span(exported.families, exported.count))
        if (std::string error = add_family(*family); !error.empty())
            return {{}, std::move(error)};
    return {{exported.families, exported.families + exported.count}, ""};
}

LoadedFamilies load_canonical(const fs::path& source) {
    const std::vector<std::string> command = family_command();
    std::string error;
    const fs::path place = cached_path(object_name(source, command, error));
    if (!error.empty())
        return {{}, std::move(error)};
    std::error_code ignored;
    Opened opened;
    if (!place.empty() && fs::exists(place, ignored))
        opened = open_object(place);
    if (!opened.object) // also where a file of the cache was spoilt
        opened = compile_and_open(source, command, place);
    LoadedFamilies loaded;
    if (opened.families)
        loaded = add_families(*opened.families);
    else
        loaded.error = std::move(opened.error);
    if (!loaded.error.empty())
        loaded.error = fmt::format("{}: {}", source.string(), loaded.error);
    return loaded;
}

bool is_source(std::string_view name) {
    const std::string extension = fs::path(name).extension().string();
    return extension == ".cpp" || extension == ".cc" || extension == ".cxx";
}

std::string names_of(const std::vector<const Family*>& families) {
    std::string names;
    for (const Family* family : families)
        names += fmt::format("{}{}", names.empty() ? "" : ", ", family->name);
    return names;
}

} // namespace

LoadedFamilies load_families(const std::string& file) {
    static std::map<fs::path, LoadedFamilies> loaded;
    std::error_code error;
    const fs::path source = fs::canonical(file, error);
    if (error || !fs::is_regular_file(source, error))
        return {{}, fmt::format("{}: {}", file, error ? error.message() : "not a file")};
    const auto known = loaded.find(source);
    if (known != loaded.end())
        return known->second;
    return loaded[source] = load_canonical(source);
}

ResolvedSchedule resolve_schedule(const std::string& text) {
    const std::string word = text.substr(0, text.find(',')), knobs = text.substr(word.size());
    std::string file = word, name;
    if (const std::size_t colon = word.rfind(':'); !is_source(word) && colon != std::string::npos) {
        file = word.substr(0, colon);
        name = word.substr(colon + 1);
    }
    if (!is_source(file))
        return {text, ""};
    const LoadedFamilies loaded = load_families(file);
    if (!loaded.error.empty())
        return {"", loaded.error};
    if (name.empty() && loaded.families.size() == 1)
        name = loaded.families[0]->name;
    const auto is_named = [&](const Family* family) { return family->name == name; };
    if (std::none_of(loaded.families.begin(), loaded.families.end(), is_named))
        return {"", name.empty() ? fmt::format("{}: name one of its families, as {}:{}", file, file,
                                               loaded.families.empty() ? "" : loaded.families[0]->name)
                                 : fmt::format("{}: has no family {}; it has {}", file,
                                               in_quotes(name).view(), names_of(loaded.families))};
    return {name + knobs, ""};
}

} // namespace lamina::tools
