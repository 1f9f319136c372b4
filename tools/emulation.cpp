#include "tools/emulation.hpp"

#include "generators/operands.hpp"
#include "generators/temporary_folder.hpp"
#include "generators/whole_file.hpp"
#include "tools/child_process.hpp"
#include "tools/command.hpp"
#include "tools/compiler.hpp"
#include "tuner/cpu_models.hpp"

#include <fmt/format.h>

#include <cstring>
#include <fstream>

namespace lamina::tools {

namespace {

struct Emulator {
    Architecture architecture;
    const char *compiler, *runner;
};
constexpr Emulator emulators[] = {
    {Architecture::arm_64, "aarch64-linux-gnu-g++", "qemu-aarch64"},
};

const Emulator* emulator_of(const TargetFacts& target) {
    for (const Emulator& emulator : emulators)
        if (!target.is_gpu && emulator.architecture == architecture_of(target))
            return &emulator;
    return nullptr;
}

// The program's part that is the same for all kernels: what Halide's runtime would give them, and a call
// whose inputs are read from NAME.bin and whose outputs are written there. Shapes are in memory order, the
// last index contiguous, and Halide's in the opposite one.
constexpr std::string_view program_head = R"(#include <HalideRuntime.h>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>
extern "C" {
void* halide_malloc(void*, size_t bytes) { return aligned_alloc(128, (bytes + 255) / 128 * 128); }
void halide_free(void*, void* block) { free(block); }
void halide_error(void*, const char* text) { fputs(text, stderr); exit(3); }
int halide_do_par_for(void* context, halide_task_t task, int min, int size, uint8_t* closure) {
    int status = 0;
    for (int i = min; i < min + size && status == 0; ++i)
        status = task(context, i, closure);
    return status;
}
}
struct Operand {
    const char* name;
    bool is_output, is_integer;
    std::vector<int> shape;
};
static void transfer(const Operand& operand, std::vector<float>& data) {
    FILE* file = fopen((std::string(operand.name) + ".bin").c_str(), operand.is_output ? "wb" : "rb");
    const size_t count = !file ? 0 : operand.is_output ? fwrite(data.data(), 4, data.size(), file)
                                                       : fread(data.data(), 4, data.size(), file);
    if (count != data.size() || fclose(file) != 0) {
        fprintf(stderr, "%s.bin: cannot be transferred\n", operand.name);
        exit(2);
    }
}
static void call(int (*function)(void**), const std::vector<Operand>& operands) {
    void* context = nullptr;
    std::vector<std::vector<float>> data(operands.size());
    std::vector<std::vector<halide_dimension_t>> dimensions(operands.size());
    std::vector<halide_buffer_t> buffers(operands.size());
    std::vector<void*> arguments{&context};
    for (size_t i = 0; i < operands.size(); ++i) {
        int32_t stride = 1;
        for (size_t axis = operands[i].shape.size(); axis-- > 0; stride *= operands[i].shape[axis])
            dimensions[i].push_back({0, operands[i].shape[axis], stride, 0});
        data[i].resize(stride);
        if (!operands[i].is_output)
            transfer(operands[i], data[i]);
        buffers[i] = halide_buffer_t{};
        buffers[i].host = reinterpret_cast<uint8_t*>(data[i].data());
        buffers[i].type = operands[i].is_integer ? halide_type_t(halide_type_int, 32) : halide_type_t(halide_type_float, 32);
        buffers[i].dimensions = static_cast<int32_t>(dimensions[i].size());
        buffers[i].dim = dimensions[i].data();
        arguments.push_back(&buffers[i]);
    }
    if (const int status = function(arguments.data())) {
        fprintf(stderr, "the kernel returns %d\n", status);
        exit(1);
    }
    for (size_t i = 0; i < operands.size(); ++i)
        if (operands[i].is_output)
            transfer(operands[i], data[i]);
}
)";

int extent_of(const Operand& operand, int axis) {
    const int extent = operand.shape[static_cast<std::size_t>(axis)];
    return extent == open_batch ? 1 : extent;
}

std::string call_text(const CompiledFunction& function, const Operands& operands) {
    std::string list;
    for (const Operand& operand : operands) {
        std::string shape;
        for (int axis = 0; axis < operand.rank; ++axis)
            shape += fmt::format("{}{}", axis > 0 ? ", " : "", extent_of(operand, axis));
        list += fmt::format("        {{\"{}\", {}, {}, {{{}}}}},\n", operand.name,
                            operand.direction == Direction::out, operand.type == Type::i32, shape);
    }
    return fmt::format("    call({}_argv, {{\n{}    }});\n", function.name, list);
}

std::string program_text(const CompiledKernel& kernel) {
    const Problem& p = kernel.request.problem;
    std::string declarations, calls;
    const auto add = [&](const CompiledFunction& function, const Operands& operands) {
        declarations += fmt::format("extern \"C\" int {}_argv(void**);\n", function.name);
        calls += call_text(function, operands);
    };
    if (!kernel.pack.name.empty())
        add(kernel.pack, pack_operands(p, kernel.packed_kernel_size));
    add(kernel.call, call_operands(p, kernel.packed_kernel_size));
    return fmt::format("{}{}int main() {{\n{}}}\n", program_head, declarations, calls);
}

std::string write(const std::string& path, std::string_view bytes) {
    return write_whole_file(path, std::as_bytes(std::span(bytes)));
}

std::string write_inputs(const Problem& problem, const std::string& folder) {
    for (const Operand& operand : operands(problem))
        if (operand.direction == Direction::in) {
            const std::vector<float> values = operand_values(described(operand), 1);
            const std::string_view bytes{reinterpret_cast<const char*>(values.data()), 4 * values.size()};
            if (std::string error = write(fmt::format("{}/{}.bin", folder, operand.name), bytes);
                !error.empty())
                return error;
        }
    return "";
}

ExpectedOutputs read_outputs(const Problem& problem, const std::string& folder) {
    ExpectedOutputs outputs;
    for (const Operand& operand : operands(problem))
        if (operand.direction == Direction::out) {
            const std::string bytes = file_bytes(fmt::format("{}/{}.bin", folder, operand.name));
            std::memcpy(outputs.outputs.emplace_back(bytes.size() / 4).data(), bytes.data(),
                        bytes.size() / 4 * 4);
        }
    return outputs;
}

} // namespace

std::string why_not_emulated(const TargetFacts& target) {
    const Emulator* emulator = emulator_of(target);
    if (!emulator)
        return fmt::format("target: this machine can neither run nor emulate kernels for {}", target.name);
    for (const char* program : {emulator->compiler, emulator->runner})
        if (run_child({program, "--version"}).status != 0)
            return fmt::format("target {}: there is no {} to check results with", target.name, program);
    return "";
}

EmulationReference emulation_reference(const Problem& problem) {
    const TargetFacts& host = *find_target(host_target_name());
    const TemporaryFolder folder;
    if (!folder.error().empty())
        return {{}, folder.error()};
    const ReadyKernel kernel(compile_kernel({"reference", problem, ""}, {{&host}, "", folder.path()}), host);
    return kernel.error().empty() ? EmulationReference{kernel.outputs(), ""}
                                  : EmulationReference{{}, kernel.error()};
}

std::string why_wrong_emulated(const CompiledKernel& kernel, const TargetFacts& target,
                               const ExpectedOutputs& expected) {
    const Emulator* emulator = emulator_of(target);
    const TemporaryFolder folder;
    if (!emulator || !folder.error().empty())
        return emulator ? folder.error() : why_not_emulated(target);
    std::string error = write_inputs(kernel.request.problem, folder.path());
    const std::string source = folder.path() + "/program.cpp", program = folder.path() + "/program";
    if (error.empty())
        error = write(source, program_text(kernel));
    if (!error.empty())
        return error;
    std::vector<std::string> command{
        emulator->compiler, "-std=c++17", "-O1", "-static", source, "-o", program};
    for (const std::string& option : halide_options())
        command.push_back(option);
    for (const CompiledFunction* function : {&kernel.call, &kernel.pack})
        command.insert(command.end(), function->objects.begin(), function->objects.end());
    if (const Finished built = run_child(command); built.status != 0)
        return fmt::format("{}: {}", emulator->compiler, shortened(built.output));
    const Finished ran = run_child({"env", "-C", folder.path(), emulator->runner, program});
    if (ran.status != 0)
        return fmt::format("{}: {}", emulator->runner,
                           ran.output.empty() ? fmt::format("ended with {}", ran.status)
                                              : shortened(ran.output));
    return why_different(read_outputs(kernel.request.problem, folder.path()), expected);
}

} // namespace lamina::tools
