// Memory for a kernel's operands, filled with small random integers.
#pragma once

#include "tuner/loaded_kernel.hpp"

#include <optional>

namespace lamina {

// Small random integers, which depend on the seed and the operand's name alone; an open batch is one image.
std::vector<float> operand_values(const lamina_operand& operand, std::uint64_t seed);

// One buffer per operand of a problem, its kernel packed for `loaded`. An open batch is one image. An
// operand's values depend on the seed and its name alone, and so are the same for every schedule of a
// problem.
class OperandData {
public:
    // error() says why the kernel could not be packed, or "".
    OperandData(const LoadedKernel& loaded, std::uint64_t seed);

    const std::vector<lamina_view>& views() const { return views_; } // in the order of loaded.call()
    const std::string& error() const { return error_; }

private:
    std::vector<std::vector<float>> storage_; // of 32-bit elements, an i32 operand's too
    std::vector<lamina_view> views_;
    std::string error_;

    lamina_view make(const lamina_operand& operand, std::uint64_t seed);
};

} // namespace lamina
