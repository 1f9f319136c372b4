#include "lamina/training.hpp"

#include "lamina/text.hpp"

namespace lamina::detail {

Status check_memory(std::string_view function, std::initializer_list<Lent> memory) {
    for (const Lent& lent : memory)
        if (lent.needed < 0 || lent.given < static_cast<std::size_t>(lent.needed))
            return {LAMINA_BAD_SHAPE, Text(function)
                                          << ": " << lent.name << ": expected " << lent.needed << " "
                                          << lent.unit << ", got " << static_cast<std::int64_t>(lent.given)};
    return {};
}

} // namespace lamina::detail
