// What a network's generated functions do: which kernels they call, on which buffers, and where these lie.
#pragma once

#include "generators/arena.hpp"
#include "generators/compile.hpp"
#include "generators/network_text.hpp"

#include <map>

namespace lamina {

struct NetworkRequest {
    std::vector<NetworkLayer> layers;
    std::string loss;      // an operator; "" for a network that is not trained
    std::string optimiser; // an operator
};

// A tensor that belongs to the network's weights, gradients and states of the optimiser alike.
struct PlannedParameter {
    std::string layer, role; // the operand's name
    Operand operand;
    std::int64_t offset = 0;                         // in floats
    std::int64_t packed_size = 0, packed_offset = 0; // in floats, among the packed weights
};

// A buffer in the arena. The kernel that packs weights into it settles its size once it is compiled.
struct PlannedBuffer {
    Operand operand;
    std::string packed_by; // a kernel; "" for maps
    ArenaBuffer place;     // bytes of one image where the batch is open
    bool is_per_image = false;
};

using PlannedBuffers = std::map<std::string, PlannedBuffer>; // by the name of its variable

struct PlannedCall {
    std::string function;               // a kernel, or KERNEL_pack
    std::vector<std::string> arguments; // variables, in the order of the operands
};

// Functions that share one arena, their calls in the order in which they run.
struct PlannedRun {
    std::vector<PlannedCall> calls;
    PlannedBuffers buffers;
    std::int64_t bytes = 0, bytes_per_image = 0; // of the arena
};

struct NetworkPlan {
    std::string error; // why there is none
    NetworkRequest request;
    bool has_open_batch = false;
    std::vector<KernelRequest> kernels; // those of the layers first, by their names
    std::vector<PlannedParameter> parameters;
    std::int64_t weight_count = 0, packed_weight_count = 0; // floats
    PlannedRun inference, training;
    std::size_t forward_calls = 0; // of training; the others go backward
    Problem loss, update;

    bool is_trained() const { return !request.loss.empty(); }
    // What a layer reads, as a variable: a buffer, or the caller's input.
    std::string value(int source) const;
};

// The plan but for what depends on the kernels' schedules.
NetworkPlan plan_network(const NetworkRequest& request);

// Floats of the packed weights, by the kernel that reads them.
using PackedSizes = std::map<std::string, std::int64_t>;

// Completes it.
void place_buffers(NetworkPlan& plan, const PackedSizes& packed_sizes);

} // namespace lamina
