// The whole DSL.
#pragma once

#include "lamina/describe.hpp"
