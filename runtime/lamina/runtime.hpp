// Everything that an app needs to call kernels.
#pragma once

#include "lamina/call.hpp"
#include "lamina/context.hpp"
#include "lamina/device_tensor.hpp"
#include "lamina/status.hpp"
#include "lamina/tensor.hpp"
#include "lamina/view.hpp"
