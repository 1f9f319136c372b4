// The pictures that the example writes.
#pragma once

#include "stack.hpp"

#include <filesystem>
#include <string>

namespace photo {

// Writes them into the folder, which is made where it is missing, and says on stdout what they show. Returns
// "", or the reason why one could not be written, which names its path.
std::string write_gallery(const std::filesystem::path& folder, lamina::View<const float> picture,
                          const StackResult& correlation, const StackResult& convolution);

} // namespace photo
