// What generated headers call kernels with.
#pragma once

#include "lamina/context.hpp"

namespace lamina {

// Operands in the kernel's order: views, tensors or device tensors.
template <class... Operands>
Status call(const lamina_kernel& kernel, Context& context, const Operands&... operands) {
    const lamina_view views[] = {static_cast<lamina_view>(operands)...};
    lamina_call(&kernel, context.get(), views, static_cast<std::int32_t>(sizeof...(Operands)));
    return context.status();
}

} // namespace lamina
