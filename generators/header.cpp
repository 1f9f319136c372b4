#include "generators/header.hpp"

#include "generators/operands.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace lamina {

namespace {

// One of a kernel's two functions as the header needs it.
struct Function {
    std::string c_name;   // library_layer or library_layer_pack
    std::string symbol;   // the same, or another layer's with which it shares its code
    std::string cpp_name; // in namespace library
    const CompiledKernel* kernel;
    const CompiledFunction* compiled;
    Operands operands;
    std::string meaning;
};

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

std::string shape_list(const Operand& operand) {
    return fmt::format("{}", fmt::join(operand.shape.begin(), operand.shape.begin() + operand.rank, ", "));
}

std::string shape_text(const Operand& operand) {
    std::string text;
    for (int i = 0; i < operand.rank; ++i) {
        const int extent = operand.shape[static_cast<std::size_t>(i)];
        text += (i > 0 ? " x " : "") + (extent == open_batch ? "batch" : std::to_string(extent));
    }
    return text;
}

std::vector<Function> functions(const std::string& library, const std::vector<CompiledKernel>& kernels) {
    std::vector<Function> list;
    for (const CompiledKernel& kernel : kernels) {
        const Problem& p = kernel.request.problem;
        const std::string short_name = kernel.request.name.substr(library.size() + 1);
        list.push_back({kernel.request.name, kernel.call.name, short_name, &kernel, &kernel.call,
                        call_operands(p, kernel.packed_kernel_size), std::string(to_text(p).view())});
        if (!kernel.pack.name.empty())
            list.push_back({kernel.request.name + "_pack", kernel.pack.name, short_name + "_pack", &kernel,
                            &kernel.pack, pack_operands(p, kernel.packed_kernel_size),
                            fmt::format("packs the kernel of {} for it, once before its calls", short_name)});
    }
    return list;
}

std::string description(const Function& f, const std::vector<const TargetFacts*>& targets) {
    if (f.symbol != f.c_name)
        return fmt::format("/* {}: as {} */\n", f.meaning, f.symbol);
    std::string text = fmt::format("/* {}\n", f.meaning);
    for (const Operand& operand : f.operands)
        text += fmt::format(
            " *   {:<13} {}  {} {}{}\n", operand.name, operand.direction == Direction::in ? "in " : "out",
            name_of(operand.type), shape_text(operand),
            operand.in_place_of.empty() ? "" : fmt::format(", may be the memory of {}", operand.in_place_of));
    for (std::size_t i = 0; i < targets.size() && f.compiled == &f.kernel->call; ++i) {
        const Choice& choice = f.kernel->choices[i];
        text += fmt::format(" *   {}: {} ({})\n", targets[i]->name,
                            to_text(choice.family->name, choice.knobs), choice.reason);
    }
    return text + " */\n";
}

// Declares Halide's function and describes it as the runtime wants it; once for those that share it.
std::string kernel_constant(const Function& f, const std::vector<const TargetFacts*>& targets) {
    if (f.symbol != f.c_name)
        return "";
    std::string text =
        fmt::format("extern int {}_argv(void** arguments);\nstatic const lamina_operand {}_operands[] = {{\n",
                    f.c_name, f.c_name);
    for (const Operand& operand : f.operands)
        text += fmt::format("    {{\"{}\", {}, {}, {}, {{{}}}, {}}},\n", operand.name,
                            operand.type == Type::i32 ? "LAMINA_I32" : "LAMINA_F32",
                            operand.direction == Direction::out ? 1 : 0, operand.rank, shape_list(operand),
                            f.operands.in_place_of(operand));
    const CpuFeatures features = cpu_features(*targets.back());
    text += fmt::format(
        "}};\nstatic const lamina_kernel {}_kernel = {{\n    \"{}\",\n    \"{}\",\n    {}, {}_operands, "
        "{}_argv,\n"
        "    {}u, {}u, /* bytes of scratch, and for each thread */\n    {{{:#x}u, {:#x}u}}, {}}};\n",
        f.c_name, f.c_name, to_text(f.kernel->request.problem).view(), f.operands.count, f.c_name, f.c_name,
        f.compiled->scratch_serial, f.compiled->scratch_per_thread, features[0], features[1],
        targets.back()->is_gpu && f.compiled == &f.kernel->call ? 1 : 0); // packing runs on the CPU
    return text;
}

std::string c_function(const Function& f) {
    std::string parameters, arguments;
    for (const Operand& operand : f.operands) {
        parameters += fmt::format(", lamina_view {}", operand.name);
        arguments += fmt::format("{}{}", arguments.empty() ? "" : ", ", operand.name);
    }
    return fmt::format("static inline lamina_code {}(lamina_context* context{}) {{\n    const lamina_view "
                       "operands[] = {{{}}};\n"
                       "    return lamina_call(&{}_kernel, context, operands, {});\n}}\n",
                       f.c_name, parameters, arguments, f.symbol, f.operands.count);
}

std::string cpp_function(const Function& f) {
    std::string parameters, arguments, shapes;
    for (const Operand& operand : f.operands) {
        parameters +=
            fmt::format(", lamina::View<{}{}> {}", operand.direction == Direction::in ? "const " : "",
                        operand.type == Type::i32 ? "std::int32_t" : "float", operand.name);
        arguments += fmt::format(", {}", operand.name);
        const bool is_open = operand.shape[0] == open_batch;
        shapes +=
            is_open
                ? fmt::format(
                      "constexpr lamina::Extents {}_{}_shape(std::int64_t batch) {{ return {{batch{}}}; }}\n",
                      f.cpp_name, operand.name, shape_list(operand).substr(1))
                : fmt::format("inline constexpr lamina::Extents {}_{}_shape{{{}}};\n", f.cpp_name,
                              operand.name, shape_list(operand));
    }
    return fmt::format("{}inline std::size_t {}_scratch_size(int threads) {{ return "
                       "lamina_scratch_size(&{}_kernel, threads); }}\n"
                       "[[nodiscard]] inline lamina::Status {}(lamina::Context& context{}) {{\n"
                       "    return lamina::call({}_kernel, context{});\n}}\n\n",
                       shapes, f.cpp_name, f.symbol, f.cpp_name, parameters, f.symbol, arguments);
}

// The variants behind kernels[first], as a table; "" where it has none.
std::string variant_table(const std::string& library, const std::vector<CompiledKernel>& kernels,
                          std::size_t first) {
    const std::string kernel = kernels[first].request.name.substr(library.size() + 1);
    const bool is_packed = !kernels[first].pack.name.empty();
    std::string rows;
    std::size_t next = first;
    for (; next < kernels.size() && (next == first || !kernels[next].request.variant.empty()); ++next) {
        const KernelRequest& request = kernels[next].request;
        const std::string name = request.name.substr(library.size() + 1);
        rows += fmt::format("    {{\"{}\", \"{}\", {}, {}_scratch_size",
                            next == first ? kernel : request.variant, request.schedule, name, name);
        rows += is_packed ? fmt::format(", {0}_pack, {0}_packed_kernel_shape}},\n", name) : "},\n";
    }
    if (next == first + 1)
        return "";
    return fmt::format("// One problem with several schedules: {0}, and its variants.\n"
                       "struct {0}_variant {{\n"
                       "    const char* name;     // {0} itself has its own\n"
                       "    const char* schedule; // as it was given; \"\" where it was looked up\n"
                       "    decltype(&{0}) call;\n"
                       "    decltype(&{0}_scratch_size) scratch_size;\n"
                       "{1}"
                       "}};\n"
                       "inline constexpr {0}_variant {0}_variants[] = {{\n{2}}};\n\n",
                       kernel,
                       is_packed ? fmt::format("    decltype(&{}_pack) pack;\n"
                                               "    lamina::Extents packed_kernel_shape;\n",
                                               kernel)
                                 : "",
                       rows);
}

} // namespace

std::string header_text(const std::string& library, const std::vector<CompiledKernel>& kernels,
                        const std::vector<const TargetFacts*>& targets, const FurtherCode& further) {
    const std::vector<Function> list = functions(library, kernels);
    const std::string guard = fmt::format("LAMINA_GENERATED_{}_H", upper(library));
    std::string text = fmt::format(
        "/* Generated by lamina; do not edit. Shapes are in memory order, the last index contiguous. */\n"
        "#ifndef {}\n#define {}\n\n#include <lamina/runtime.h>\n\n#ifdef __cplusplus\nextern \"C\" {{\n"
        "#endif\n\n",
        guard, guard);
    for (const Function& f : list) {
        text += description(f, targets) + kernel_constant(f, targets);
        if (f.compiled == &f.kernel->call && f.kernel->packed_kernel_size > 0)
            text += fmt::format("#define {}_PACKED_KERNEL_SIZE {} /* floats */\n", upper(f.c_name),
                                f.kernel->packed_kernel_size);
        text += c_function(f) + "\n";
    }
    text += fmt::format("#ifdef __cplusplus\n}}\n\n#include <lamina/runtime.hpp>\n{}\nnamespace {} {{\n\n",
                        further.includes, library);
    for (const Function& f : list)
        text += cpp_function(f);
    for (std::size_t i = 0; i < kernels.size(); ++i)
        if (kernels[i].request.variant.empty())
            text += variant_table(library, kernels, i);
    return text + further.text + fmt::format("}} // namespace {}\n#endif\n#endif\n", library);
}

} // namespace lamina
