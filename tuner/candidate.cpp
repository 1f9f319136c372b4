#include "tuner/candidate.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>

namespace lamina {

namespace {

using nlohmann::json;

// Much longer than any real kernel takes, and short enough to lose.
constexpr double seconds_for_a_candidate = 60;

KernelRequest request_of(const Situation& situation, const Point& point) {
    return {"lamina_kernel", situation.problem, to_text(point.family->name, point.knobs)};
}

json to_json(const CompiledFunction& function) {
    return {{"name", function.name},
            {"serial", function.scratch_serial},
            {"thread", function.scratch_per_thread},
            {"objects", function.objects}};
}

CompiledFunction function_from(const json& object) {
    return {object.at("name"), object.at("serial"), object.at("thread"), object.at("objects")};
}

} // namespace

ReadyKernel::ReadyKernel(CompiledKernel compiled, const TargetFacts& target)
    : loaded_(load_compiled(std::move(compiled), target)), error_(loaded_.error()) {
    if (!error_.empty())
        return;
    context_.threads = 1;
    data_ = std::make_unique<OperandData>(loaded_, 1);
    error_ = data_->error();
    if (error_.empty() && !run())
        error_ = context_.message;
}

ReadyKernel::~ReadyKernel() {
    lamina_context_release(&context_);
}

bool ReadyKernel::run() {
    const std::vector<lamina_view>& views = data_->views();
    return lamina_call(&loaded_.call(), &context_, views.data(), static_cast<std::int32_t>(views.size())) ==
           LAMINA_OK;
}

ExpectedOutputs ReadyKernel::outputs() const {
    ExpectedOutputs expected;
    for (int i = 0; i < loaded_.call().operand_count; ++i) {
        const lamina_view& view = data_->views()[static_cast<std::size_t>(i)];
        if (!loaded_.call().operands[i].is_output)
            continue;
        std::size_t elements = 1;
        for (int axis = 0; axis < view.rank; ++axis)
            elements *= static_cast<std::size_t>(view.shape[axis]);
        const auto* data = static_cast<const float*>(view.data);
        expected.outputs.emplace_back(elements);
        std::memcpy(expected.outputs.back().data(), data, elements * sizeof(float));
    }
    return expected;
}

std::string why_different(const ExpectedOutputs& got, const ExpectedOutputs& expected) {
    for (std::size_t o = 0; o < expected.outputs.size(); ++o) {
        const std::vector<float>&a = got.outputs[o], &b = expected.outputs[o];
        if (std::memcmp(a.data(), b.data(), b.size() * sizeof(float)) == 0)
            continue;
        float largest = 0, difference = 0;
        for (std::size_t i = 0; i < b.size(); ++i) {
            largest = std::max(largest, std::abs(b[i]));
            // Not a number is never close.
            difference = std::abs(a[i] - b[i]) >= 0 ? std::max(difference, std::abs(a[i] - b[i])) : INFINITY;
        }
        if (!(difference <= 5e-5F * largest))
            return fmt::format("wrong results: an output is off by {} where the largest is {}", difference,
                               largest);
    }
    return "";
}

ChildTask start_candidate(const Situation& situation, const Point& point, const std::string& folder,
                          const ExpectedOutputs& expected, const std::vector<int>& cores) {
    return ChildTask(
        [&] {
            CompiledKernel kernel =
                compile_kernel(request_of(situation, point), {{situation.target}, "", folder, false});
            const json compiled = kernel.error.empty() ? json{{"call", to_json(kernel.call)},
                                                              {"pack", to_json(kernel.pack)},
                                                              {"packed", kernel.packed_kernel_size}}
                                                       : json{{"error", kernel.error}};
            if (!kernel.error.empty() || expected.outputs.empty())
                return compiled.dump();
            const ReadyKernel ready(std::move(kernel), *situation.target);
            const std::string wrong =
                ready.error().empty() ? why_different(ready.outputs(), expected) : ready.error();
            return wrong.empty() ? compiled.dump() : json{{"error", wrong}}.dump();
        },
        seconds_for_a_candidate, cores);
}

CompiledKernel finish_candidate(const Situation& situation, const Point& point, const ChildTask& task) {
    CompiledKernel kernel;
    kernel.request = request_of(situation, point);
    kernel.choices = {{point.family, point.knobs, "tried by the tuner", ""}};
    kernel.error = task.error();
    const json result = json::parse(task.text(), nullptr, false);
    if (!kernel.error.empty() || !result.is_object())
        kernel.error = kernel.error.empty() ? "ended without a result" : kernel.error;
    else if (result.contains("error"))
        kernel.error = result.at("error");
    else {
        kernel.call = function_from(result.at("call"));
        kernel.pack = function_from(result.at("pack"));
        kernel.packed_kernel_size = result.at("packed");
    }
    return kernel;
}

} // namespace lamina
