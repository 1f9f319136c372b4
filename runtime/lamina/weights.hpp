// Trained values of a network: where they lie in its buffer of weights, how training begins with them, and
// the file that keeps them.
#pragma once

#include "lamina/status.hpp"
#include "lamina/view.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace lamina {

// One trained tensor in a network's buffer of weights. A table of them is constexpr where its names are
// literals.
struct Parameter {
    std::string_view name; // "<layer>.kernel" or "<layer>.bias", UTF-8
    Extents shape;         // {height, width, in channels of a group, out channels}, {features, out channels};
                           // a bias has one dimension, {out channels}
    std::size_t offset;    // of its first value in the buffer, in floats
};

enum class Initialisation {
    he,    // for layers before a relu: He et al., "Delving Deep into Rectifiers", 2015
    glorot // for layers before tanh, sigmoid or nothing: Glorot and Bengio, "Understanding the difficulty of
           // training deep feedforward neural networks", 2010
};

// Fills the whole buffer: kernels with random values of the uniform distribution over (-b, b),
// b = sqrt(6 / fan_in) for he and sqrt(6 / (fan_in + fan_out)) for glorot, where a kernel of one position has
// fan_in = in channels of a group, fan_out = out channels, and others that times height * width; biases and
// what belongs to no parameter with 0. A parameter's values depend on the seed, its place in the table and
// its shape alone, and are the same bits on every machine. A parameter that does not lie within the buffer is
// left out.
void initialise(std::span<float> weights, std::span<const Parameter> parameters, Initialisation kind,
                std::uint64_t seed);

// Writes the parameters, in the table's order, to a file in the safetensors format: the whole file or, on any
// failure, nothing, so that a file which was there before stays as it was. A link is followed. The folder
// needs room for both files.
//
// LAMINA_BAD_FILE where the file cannot be written or there can be no such file, because two parameters have
// one name or a name is not UTF-8; LAMINA_BAD_SHAPE where a parameter does not lie within the buffer;
// LAMINA_OVERLAP where two share a value; LAMINA_NULL_POINTER; LAMINA_OUT_OF_MEMORY. Nothing is thrown.
Status save_weights(const char* path, std::span<const float> weights,
                    std::span<const Parameter> parameters) noexcept;

// Reads a safetensors file that holds exactly these parameters, in any order, as F32. Any value is taken,
// infinities and NaN as well, bit for bit. What belongs to no parameter stays as it was; on any failure,
// everything does, for which as much memory again as the parameters take is used meanwhile.
//
// Codes as above; LAMINA_BAD_FILE also where the file is not what it should be, and the message names the
// file, the tensor, what was expected and what is there.
Status load_weights(const char* path, std::span<float> weights,
                    std::span<const Parameter> parameters) noexcept;

} // namespace lamina
