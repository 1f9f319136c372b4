// Loads object files into this process, so that what is run and timed is the object that ships.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace lamina {

// Code of some object files. What they call (Halide's runtime, the C library) is resolved against this
// process, which must export it (ENABLE_EXPORTS).
class LoadedObjects {
public:
    LoadedObjects();
    LoadedObjects(LoadedObjects&&) noexcept;
    LoadedObjects& operator=(LoadedObjects&&) noexcept;
    ~LoadedObjects();

    // Returns why an object cannot be loaded, or "".
    std::string add(const std::string& path);
    // The function's address, or null and a reason in error().
    void* find(const std::string& function);
    const std::string& error() const { return error_; }

private:
    struct Session;
    std::unique_ptr<Session> session_;
    std::string error_;
};

} // namespace lamina
