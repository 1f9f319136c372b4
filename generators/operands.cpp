#include "generators/operands.hpp"

namespace lamina {

namespace {

Operand packed_kernel(Direction direction, std::int64_t size) {
    return {"packed_kernel", direction, Type::f32, 1, {static_cast<int>(size)}};
}

} // namespace

Operands call_operands(const Problem& problem, std::int64_t packed_kernel_size) {
    Operands list;
    for (const Operand& operand : operands(problem))
        list.add(operand.name == "kernel" ? packed_kernel(Direction::in, packed_kernel_size) : operand);
    return list;
}

Operands pack_operands(const Problem& problem, std::int64_t packed_kernel_size) {
    Operands list;
    list.add(kernel_operand(problem));
    list.add(packed_kernel(Direction::out, packed_kernel_size));
    return list;
}

CpuFeatures feature_bits(const Halide::Target& target) {
    CpuFeatures bits{};
    for (int i = 0; i < Halide::Target::FeatureEnd; ++i)
        if (target.has_feature(static_cast<Halide::Target::Feature>(i)))
            bits[static_cast<std::size_t>(i) / 64] |= std::uint64_t{1} << (i % 64);
    return bits;
}

CpuFeatures cpu_features(const TargetFacts& target) {
    return feature_bits(Halide::Target(std::string(target.halide)).without_feature(Halide::Target::OpenCL));
}

} // namespace lamina
