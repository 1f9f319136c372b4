// The operands of one problem, which both libraries read.
#pragma once

#include "tuner/loaded_kernel.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lamina::versus {

// Every operand of the call and of the kernel's packing, in memory aligned to cache lines as oneDNN's own is:
// an unaligned operand would slow Lamina alone. Values are small integers, so that every sum is exact.
class SharedData {
public:
    // error() says why the kernel could not be packed, or "".
    explicit SharedData(const LoadedKernel& loaded, const Problem& problem);

    // In the order of the loaded call.
    const std::vector<lamina_view>& views() const { return views_; }
    // Where the result takes the memory of what is added to it: as it is before the first call.
    void restore();
    // The operand of that name as it is before packing and before any call, or null.
    const float* find(std::string_view name) const;
    const std::string& error() const { return error_; }

private:
    struct Free {
        void operator()(float* memory) const;
    };
    struct Named {
        std::string name;
        std::unique_ptr<float[], Free> values;
    };

    std::vector<Named> operands_;
    std::vector<lamina_view> views_;
    std::string error_;
    std::span<float> added_to_; // the result, where it takes a residual's memory; empty elsewhere

    lamina_view make(const lamina_operand& operand);
    void put_in_place(const lamina_kernel& call, std::size_t result_elements);
    void pack(const LoadedKernel& loaded);
    void choose_maxima(const LoadedKernel& loaded, const Problem& problem);
};

} // namespace lamina::versus
