#include "generators/network_driver.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace lamina {

namespace {

constexpr std::string_view driver_names[] = {"parameters",
                                             "weight_count",
                                             "packed_weight_count",
                                             "state_count",
                                             "pack",
                                             "infer",
                                             "infer_arena_size",
                                             "infer_scratch_size",
                                             "training_arena_size",
                                             "training_scratch_size",
                                             "forward",
                                             "forward_output",
                                             "backward",
                                             "update"};

std::string extents(const Operand& operand) {
    const bool is_open = operand.rank == 4 && operand.shape[0] == open_batch;
    return fmt::format(
        "{{{}{}}}", is_open ? "batch, " : "",
        fmt::join(operand.shape.begin() + (is_open ? 1 : 0), operand.shape.begin() + operand.rank, ", "));
}

std::string_view element(const Operand& operand) {
    return operand.type == Type::i32 ? "std::int32_t" : "float";
}

std::string declared(std::string_view variable, const Operand& operand, bool is_const,
                     const std::string& data) {
    return fmt::format("    const lamina::View<{}{}> {}({}, {});\n", is_const ? "const " : "",
                       element(operand), variable, data, extents(operand));
}

// One of the generated functions.
struct Function {
    const PlannedRun* run;
    std::size_t first, last; // calls of the run, the last one not included

    std::set<std::string> variables() const {
        std::set<std::string> used;
        for (std::size_t i = first; i < last; ++i)
            used.insert(run->calls[i].arguments.begin(), run->calls[i].arguments.end());
        return used;
    }
};

class Driver {
public:
    Driver(const std::string& library, const NetworkPlan& plan) : library_(library), plan_(plan) {}

    std::string text() const;

private:
    const std::string& library_;
    const NetworkPlan& plan_;

    std::string arena_size(const PlannedRun& run) const;
    std::string arena_check(const PlannedRun& run) const;
    std::string place(const PlannedRun& run, const PlannedBuffer& buffer) const;
    std::string weight_views(const Function& function) const;
    std::string views(const Function& function) const;
    std::string calls(const Function& function) const;
    std::string batch() const;
    std::string check(std::string_view function, const std::vector<std::string>& memory) const;
    std::string scratch(std::string_view name, const PlannedRun& run) const;
    std::string constants() const;
    std::string pack() const;
    std::string infer() const;
    std::string forward() const;
    std::string backward() const;
    std::string update() const;
};

std::string Driver::batch() const {
    return plan_.has_open_batch ? "    const std::int64_t batch = std::max<std::int64_t>(input.shape()[0], "
                                  "0); // the layers refuse 0\n"
                                : "";
}

std::string floats(std::string_view name, std::string_view count) {
    return fmt::format("{{\"{0}\", \"floats\", {0}.size(), {1}}}", name, count);
}

std::string Driver::check(std::string_view function, const std::vector<std::string>& memory) const {
    return fmt::format("    if (lamina::Status status = lamina::detail::check_memory(\"{}::{}\", {{{}}}); "
                       "!status)\n        return status;\n",
                       library_, function, fmt::join(memory, ", "));
}

std::string Driver::arena_check(const PlannedRun& run) const {
    return fmt::format("{{\"arena\", \"bytes\", arena.size(), {}_arena_size{}}}",
                       &run == &plan_.inference ? "infer" : "training",
                       plan_.has_open_batch ? "(batch)" : "");
}

// Inference reads packed weights, training and its gradients the trained ones.
std::string Driver::weight_views(const Function& function) const {
    const std::set<std::string> used = function.variables();
    const bool is_packed = function.run == &plan_.inference;
    std::string text;
    for (const PlannedParameter& p : plan_.parameters) {
        const std::string variable = fmt::format("{}_{}", p.layer, p.role), gradient = variable + "_gradient";
        if (used.contains(variable)) {
            Operand form = p.operand;
            if (is_packed && p.role == "kernel")
                form = {"packed_kernel", Direction::in, Type::f32, 1, {static_cast<int>(p.packed_size)}};
            text += declared(variable, form, true,
                             is_packed ? fmt::format("packed_weights.data() + {}", p.packed_offset)
                                       : fmt::format("weights.data() + {}", p.offset));
        }
        if (used.contains(gradient))
            text += declared(gradient, p.operand, false, fmt::format("gradients.data() + {}", p.offset));
    }
    return text;
}

// In bytes.
std::string Driver::place(const PlannedRun& run, const PlannedBuffer& buffer) const {
    if (!plan_.has_open_batch)
        return std::to_string(buffer.place.offset);
    return buffer.is_per_image ? fmt::format("batch * {}", buffer.place.offset)
                               : fmt::format("batch * {} + {}", run.bytes_per_image, buffer.place.offset);
}

std::string Driver::views(const Function& function) const {
    const std::set<std::string> used = function.variables();
    std::string text = weight_views(function);
    for (const auto& [variable, buffer] : function.run->buffers)
        if (used.contains(variable))
            text += declared(variable, buffer.operand, false,
                             fmt::format("reinterpret_cast<{}*>(arena.data() + {})", element(buffer.operand),
                                         place(*function.run, buffer)));
    return text;
}

// Qualified, since a layer's buffers may have the name of another one's kernel.
std::string Driver::calls(const Function& function) const {
    std::string text = "    lamina::Status status;\n";
    for (std::size_t i = function.first; i < function.last; ++i) {
        const PlannedCall& call = function.run->calls[i];
        text += fmt::format("    {}status = {}::{}(context, {});\n",
                            i == function.first ? "" : "if (status)\n        ", library_, call.function,
                            fmt::join(call.arguments, ", "));
    }
    return text;
}

std::string Driver::arena_size(const PlannedRun& run) const {
    return plan_.has_open_batch
               ? fmt::format("(std::int64_t batch) {{\n    return lamina::detail::saturating_sum("
                             "lamina::detail::saturating_product(batch, {}), {});\n}}\n",
                             run.bytes_per_image, run.bytes)
               : fmt::format(" = {};\n", run.bytes);
}

std::string Driver::scratch(std::string_view name, const PlannedRun& run) const {
    std::set<std::string> kernels;
    for (const PlannedCall& call : run.calls)
        kernels.insert(call.function);
    if (&run == &plan_.inference)
        for (const PlannedParameter& p : plan_.parameters)
            kernels.insert(p.role == "kernel" ? p.layer + "_pack" : p.layer);
    else
        kernels.insert(plan_.request.optimiser);
    std::string sizes;
    for (const std::string& kernel : kernels)
        sizes += fmt::format("{}{}_scratch_size(threads)", sizes.empty() ? "" : ",\n                     ",
                             kernel);
    return fmt::format("inline std::size_t {}(int threads) {{\n    return std::max({{{}}});\n}}\n", name,
                       sizes);
}

std::string Driver::constants() const {
    std::string rows;
    for (const PlannedParameter& p : plan_.parameters)
        rows += fmt::format("    {{\"{}.{}\", {}, {}}},\n", p.layer, p.role, extents(p.operand), p.offset);
    const std::string_view kind = plan_.has_open_batch ? "constexpr" : "inline constexpr";
    std::string text = fmt::format(
        "// The trained tensors in a buffer of `weight_count` floats: name, shape, offset. Gradients lie in "
        "another one\n// in the same way.\n"
        "inline constexpr std::array<lamina::Parameter, {}> parameters{{{{\n{}}}}};\n"
        "inline constexpr std::int64_t weight_count = {};\n"
        "// Floats of the weights as infer() takes them.\n"
        "inline constexpr std::int64_t packed_weight_count = {};\n"
        "// Bytes of the memory in which the maps between the layers lie, and of all scratch that calls "
        "take.\n"
        "{} std::int64_t infer_arena_size{}{}",
        plan_.parameters.size(), rows, plan_.weight_count, plan_.packed_weight_count, kind,
        arena_size(plan_.inference), scratch("infer_scratch_size", plan_.inference));
    if (plan_.is_trained())
        text +=
            fmt::format("// The same for forward(), backward() and update().\n"
                        "{} std::int64_t training_arena_size{}{}"
                        "// Floats that the optimiser keeps from one update to the next; zeros at first.\n"
                        "inline constexpr std::int64_t state_count = {};\n",
                        kind, arena_size(plan_.training), scratch("training_scratch_size", plan_.training),
                        plan_.weight_count * (plan_.request.optimiser == "adam" ? 2 : 1));
    return text + "\n";
}

std::string Driver::pack() const {
    std::string text = "// Packs weights for infer(), once after they are loaded or trained.\n"
                       "[[nodiscard]] inline lamina::Status pack(lamina::Context& context, std::span<const "
                       "float> weights, std::span<float> packed_weights) {\n";
    text +=
        check("pack", {floats("weights", "weight_count"), floats("packed_weights", "packed_weight_count")});
    text += "    lamina::Status status;\n";
    for (const PlannedParameter& p : plan_.parameters)
        text += p.role == "kernel"
                    ? fmt::format("    if (status)\n        status = {0}::{1}_pack(context, "
                                  "lamina::View<const float>(weights.data() + {2}, {3}), "
                                  "lamina::View<float>(packed_weights.data() + {4}, "
                                  "{1}_packed_kernel_shape));\n",
                                  library_, p.layer, p.offset, extents(p.operand), p.packed_offset)
                    : fmt::format("    std::copy_n(weights.data() + {}, {}, packed_weights.data() + {});\n",
                                  p.offset, p.operand.elements(), p.packed_offset);
    return text + "    return status;\n}\n\n";
}

std::string Driver::infer() const {
    const Function function{&plan_.inference, 0, plan_.inference.calls.size()};
    return fmt::format(
        "// The network's output. `arena` holds nothing from one call to the next.\n"
        "[[nodiscard]] inline lamina::Status infer(lamina::Context& context, lamina::View<const float> "
        "input,\n    std::span<const float> packed_weights, std::span<std::byte> arena, "
        "lamina::View<float> output) {{\n{}{}{}{}    return status;\n}}\n\n",
        batch(),
        check("infer", {floats("packed_weights", "packed_weight_count"), arena_check(plan_.inference)}),
        views(function), calls(function));
}

// What the loss compares the network's output with, as a parameter: its second operand.
std::string goal_of(const NetworkPlan& plan) {
    const Operand goal = operands(plan.loss).list[1];
    return fmt::format("lamina::View<const {}> {}", element(goal), goal.name);
}

std::string Driver::forward() const {
    const Function function{&plan_.training, 0, plan_.forward_calls};
    const std::string result = plan_.value(static_cast<int>(plan_.request.layers.size()) - 1);
    const PlannedBuffer& output = plan_.training.buffers.at(result);
    return fmt::format(
        "// The mean loss, and in `arena` all that backward() needs.\n"
        "[[nodiscard]] inline lamina::Status forward(lamina::Context& context, lamina::View<const float> "
        "input,\n    {}, std::span<const float> weights, std::span<std::byte> arena, float& mean_loss) "
        "{{\n{}{}{}{}    if (status)\n        mean_loss = lamina::detail::mean({{losses.data(), "
        "static_cast<std::size_t>(losses.size())}});\n    return status;\n}}\n\n"
        "// The network's output, between a call of forward() and the next of backward().\n"
        "inline lamina::View<const float> forward_output(std::span<std::byte> arena{}) {{\n    return "
        "lamina::View<float>(reinterpret_cast<float*>(arena.data() + {}), {});\n}}\n\n",
        goal_of(plan_), batch(),
        check("forward", {floats("weights", "weight_count"), arena_check(plan_.training)}), views(function),
        calls(function), plan_.has_open_batch ? ", std::int64_t batch" : "", place(plan_.training, output),
        extents(output.operand));
}

std::string Driver::backward() const {
    const Function function{&plan_.training, plan_.forward_calls, plan_.training.calls.size()};
    return fmt::format(
        "// The gradients of the mean loss in all weights, behind a call of forward() with the same "
        "arguments.\n"
        "[[nodiscard]] inline lamina::Status backward(lamina::Context& context,\n    [[maybe_unused]] "
        "lamina::View<const float> input, {}, std::span<const float> weights,\n    std::span<std::byte> "
        "arena, std::span<float> gradients) {{\n{}{}{}"
        "    std::fill_n(loss_gradient.data(), loss_gradient.size(), 1.0f / "
        "static_cast<float>(loss_gradient.size()));\n{}    return status;\n}}\n\n",
        goal_of(plan_), batch(),
        check("backward", {floats("weights", "weight_count"), floats("gradients", "weight_count"),
                           arena_check(plan_.training)}),
        views(function), calls(function));
}

// Every operand of the optimiser has a value for each of the weights, but for the rates.
std::string Driver::update() const {
    std::string arguments, results = ", all_weights", views;
    int states = 0;
    for (const Operand& operand : operands(plan_.update)) {
        if (operand.direction == Direction::out)
            continue;
        if (operand.name == "weights") {
            arguments += ", all_weights";
        } else if (operand.name == "gradient") {
            arguments += ", lamina::View<const float>(gradients.data(), {weight_count})";
        } else if (operand.name == "rates") {
            arguments += fmt::format(", lamina::View<const float>(rates.data(), {})", extents(operand));
        } else {
            arguments += fmt::format(", {}", operand.name);
            results += fmt::format(", {}", operand.name);
            views += fmt::format(
                "    const lamina::View<float> {}(state.data() + {} * weight_count, {{weight_count}});\n",
                operand.name, states++);
        }
    }
    return fmt::format(
        "// Takes one step: changes the weights and the optimiser's state.\n"
        "[[nodiscard]] inline lamina::Status update(lamina::Context& context, std::span<float> weights,\n"
        "    std::span<const float> gradients, std::span<float> state, const lamina::{}& rule) {{\n{}"
        "    const auto rates = rule.rates();\n"
        "    const lamina::View<float> all_weights(weights.data(), {{weight_count}});\n{}"
        "    return {}::{}(context{}{});\n}}\n\n",
        plan_.request.optimiser == "adam" ? "Adam" : "Sgd",
        check("update", {floats("weights", "weight_count"), floats("gradients", "weight_count"),
                         floats("state", "state_count")}),
        views, library_, plan_.request.optimiser, arguments, results);
}

std::string Driver::text() const {
    std::string text = constants() + pack() + infer();
    if (plan_.is_trained())
        text += forward() + backward() + update();
    return text;
}

} // namespace

std::string driver_text(const std::string& library, const NetworkPlan& plan) {
    return Driver(library, plan).text();
}

bool is_driver_name(std::string_view name) {
    return std::ranges::find(driver_names, name) != std::end(driver_names);
}

} // namespace lamina
