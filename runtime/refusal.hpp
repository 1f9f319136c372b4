// Why a call was not made or did not succeed, until it becomes a code and a message in the caller's context.
#pragma once

#include "lamina/runtime.h"
#include "lamina/text.hpp"

#include <optional>

namespace lamina::detail {

struct Refusal {
    lamina_code code;
    const char* operand = nullptr; // its name, where one is to blame
    Text reason;
};

// Nothing: all is well. Costs nothing where a Refusal would be cleared first.
using MaybeRefusal = std::optional<Refusal>;

// Writes code and message, `<subject>: operand '<name>': <code>: <reason>`, into the context, if there is
// one.
lamina_code report(lamina_context* context, std::string_view subject, const MaybeRefusal& refusal) noexcept;

} // namespace lamina::detail
