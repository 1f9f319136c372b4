// The functions of a whole network, as C++ for its header: infer, and forward, backward and update.
#pragma once

#include "generators/network_plan.hpp"

namespace lamina {

// What stands in namespace `library`, behind the kernels' functions. The plan's buffers have their places.
std::string driver_text(const std::string& library, const NetworkPlan& plan);

// What of a network must not be a layer's name, since the header has it by that name.
bool is_driver_name(std::string_view name);

} // namespace lamina
