#include "generators/network_plan.hpp"

#include "generators/operands.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina {

namespace {

constexpr std::int64_t float_alignment = 32; // floats; every tensor begins a cache line

std::int64_t aligned_floats(std::int64_t count) {
    return (count + float_alignment - 1) / float_alignment * float_alignment;
}

bool has_bias(const Problem& p) {
    return facts(p.op).has_kernel && p.epilogue.has(Step::bias);
}

// The gradient's problem of a layer, where its operator has one.
std::optional<Problem> gradient_of(Problem p, std::string_view kind) {
    const std::optional<Operator> op = operator_named(fmt::format("{}_{}", facts(p.op).name, kind));
    if (!op)
        return {};
    p.op = *op;
    p.indices = p.preactivation = false;
    return p;
}

// A layer as training computes it forward: with all that its gradients ask for.
Problem trained_forward(Problem p) {
    if (p.op == Operator::max_pool || p.op == Operator::global_max_pool)
        p.indices = true;
    if (activation_of(p.epilogue) && slope_operand(p.epilogue) == "preactivation")
        p.preactivation = true;
    return p;
}

// An elementwise operator, or a loss, on maps of that shape.
std::optional<Problem> problem_on(std::string_view op, Shape shape, Layout layout) {
    const std::optional<Operator> known = operator_named(op);
    if (!known)
        return {};
    Problem p = default_problem(*known);
    p.in = shape;
    p.layout = layout;
    return p;
}

class Planner {
public:
    explicit Planner(NetworkPlan& plan) : plan_(plan), layers_(plan.request.layers) {}

    void plan_inference();
    void plan_training();

private:
    NetworkPlan& plan_;
    const std::vector<NetworkLayer>& layers_;
    PlannedRun* run_ = nullptr;
    std::vector<bool> needs_gradient_, has_gradient_; // of each layer's output

    const NetworkLayer& layer(int index) const { return layers_[static_cast<std::size_t>(index)]; }
    bool is_needed(int source) const {
        return source >= 0 && needs_gradient_[static_cast<std::size_t>(source)];
    }

    std::string kernel(const std::string& name, const Problem& problem);
    void call(const std::string& kernel, const Problem& problem,
              const std::function<std::string(const Operand&)>& argument);
    std::string buffer(const std::string& variable, const Operand& operand,
                       const std::string& packed_by = "");
    std::string read(int source);
    void call_layer(int index, const Problem& problem, const std::string& kernel);
    void call_gradient(int index, std::string_view kind);
    void add_gradient(int source, const std::string& consumer,
                      const std::function<void(const std::string& result)>& compute);
    void find_needed_gradients();
    void plan_loss();
    void go_backward(int index);
};

// Asks for the kernel of that problem; returns the name of one that computes it.
std::string Planner::kernel(const std::string& name, const Problem& problem) {
    for (const KernelRequest& known : plan_.kernels)
        if (known.name == name && known.problem == problem)
            return name;
    plan_.kernels.push_back({name, problem, ""});
    return name;
}

std::string Planner::buffer(const std::string& variable, const Operand& operand,
                            const std::string& packed_by) {
    const int now = static_cast<int>(run_->calls.size());
    PlannedBuffer& planned = run_->buffers.try_emplace(variable).first->second;
    if (planned.operand.name.empty()) {
        planned.operand = operand;
        planned.packed_by = packed_by;
        planned.is_per_image = plan_.has_open_batch && packed_by.empty();
        planned.place.first = now;
    }
    planned.place.last = now;
    return variable;
}

// What a layer gives, or the caller's input.
std::string Planner::read(int source) {
    std::string variable = plan_.value(source);
    return source < 0 ? variable : buffer(variable, {});
}

// A call of a kernel; `argument` gives the variable for an operand. Training packs weights before each call,
// since they have changed.
void Planner::call(const std::string& kernel, const Problem& problem,
                   const std::function<std::string(const Operand&)>& argument) {
    const bool packs = reads_kernel(problem.op) && run_ == &plan_.training;
    const std::string packed = kernel + "_packed";
    if (packs) {
        std::ranges::find(plan_.kernels, kernel, &KernelRequest::name)->is_packed_in_calls = true;
        buffer(packed, {"packed_kernel", Direction::out, Type::f32, 1, {0}}, kernel);
        run_->calls.push_back({kernel + "_pack", {argument(kernel_operand(problem)), packed}});
    }
    PlannedCall planned{kernel, {}};
    for (const Operand& operand : operands(problem))
        planned.arguments.push_back(operand.name == "kernel" && packs ? buffer(packed, operand)
                                                                      : argument(operand));
    run_->calls.push_back(std::move(planned));
}

void Planner::call_layer(int index, const Problem& problem, const std::string& kernel) {
    const NetworkLayer& own = layer(index);
    call(kernel, problem, [&](const Operand& operand) {
        if (operand.name == "input")
            return read(own.from);
        if (operand.name == "residual")
            return read(own.residual);
        if (operand.name == "indices" && operand.direction == Direction::in)
            return buffer(layer(own.indices).name + "_indices", operand);
        std::string variable = fmt::format("{}_{}", own.name, operand.name);
        if (is_weight(operand))
            return variable;
        const bool is_result = operand.name == "output" && run_ == &plan_.inference &&
                               index + 1 == static_cast<int>(layers_.size());
        return is_result ? std::string("output") : buffer(variable, operand);
    });
}

void Planner::plan_inference() {
    run_ = &plan_.inference;
    for (std::size_t i = 0; i < layers_.size(); ++i)
        call_layer(static_cast<int>(i), layers_[i].problem, kernel(layers_[i].name, layers_[i].problem));
}

// Weights are trained where they are, and everything behind them passes gradients on.
void Planner::find_needed_gradients() {
    needs_gradient_.assign(layers_.size(), false);
    has_gradient_.assign(layers_.size(), false);
    for (std::size_t i = 0; i < layers_.size(); ++i)
        needs_gradient_[i] = facts(layers_[i].problem.op).has_kernel || is_needed(layers_[i].from) ||
                             is_needed(layers_[i].residual);
}

// The gradient of layer `index` with respect to what `kind` says; the result's variable is given for it.
void Planner::call_gradient(int index, std::string_view kind) {
    const NetworkLayer& own = layer(index);
    const std::optional<Problem> problem = gradient_of(own.problem, kind);
    const std::string name = fmt::format("{}_{}", own.name, kind);
    const auto compute = [&](const std::string& result) {
        call(kernel(name, *problem), *problem, [&](const Operand& operand) -> std::string {
            if (operand.direction == Direction::out)
                return result;
            if (operand.name == "kernel")
                return own.name + "_kernel";
            if (operand.name == "input")
                return read(own.from);
            const int from = operand.name == "indices" && own.indices >= 0 ? own.indices : index;
            return buffer(fmt::format("{}_{}", layer(from).name, operand.name), operand);
        });
    };
    if (kind == "kernel_gradient" || kind == "bias_gradient")
        compute(name);
    else
        add_gradient(kind == "residual_gradient" ? own.residual : own.from, name, compute);
}

// Computes a part of the gradient of what `source` gives: the first part in its place, a further one beside
// it, and then their sum.
void Planner::add_gradient(int source, const std::string& consumer,
                           const std::function<void(const std::string&)>& compute) {
    const NetworkLayer& producer = layer(source);
    const Shape shape = output_shape(producer.problem);
    const Layout layout = producer.problem.layout;
    const std::string whole = producer.name + "_output_gradient";
    const Operand form{"output_gradient", Direction::out, Type::f32, 4, in_memory_order(shape, layout)};
    if (!has_gradient_[static_cast<std::size_t>(source)]) {
        has_gradient_[static_cast<std::size_t>(source)] = true;
        buffer(whole, form);
        compute(whole);
        return;
    }
    buffer(consumer, form);
    compute(consumer);
    const std::optional<Problem> sum = problem_on("add", shape, layout);
    call(kernel(producer.name + "_add", *sum), *sum, [&](const Operand& operand) {
        return buffer(operand.name == "residual" ? consumer : whole, operand);
    });
}

void Planner::plan_loss() {
    call(kernel("loss", plan_.loss), plan_.loss, [&](const Operand& operand) -> std::string {
        if (operand.name == "input")
            return read(static_cast<int>(layers_.size()) - 1);
        return operand.name == "output" ? buffer("losses", operand) : std::string(operand.name);
    });
    plan_.forward_calls = run_->calls.size();
    const Problem gradient = *gradient_of(plan_.loss, "input_gradient");
    const int last = static_cast<int>(layers_.size()) - 1;
    has_gradient_.back() = true;
    call(kernel("loss_input_gradient", gradient), gradient, [&](const Operand& operand) -> std::string {
        if (operand.name == "input")
            return read(last);
        if (operand.name == "output_gradient")
            return buffer("loss_gradient", operand);
        return operand.direction == Direction::out ? buffer(layer(last).name + "_output_gradient", operand)
                                                   : std::string(operand.name);
    });
}

// The bias's and the kernel's gradients come before those that are passed on, which need the most room.
void Planner::go_backward(int index) {
    const NetworkLayer& own = layer(index);
    if (!is_needed(index))
        return;
    if (has_bias(own.problem))
        call_gradient(index, "bias_gradient");
    if (facts(own.problem.op).has_kernel)
        call_gradient(index, "kernel_gradient");
    if (is_needed(own.residual))
        call_gradient(index, "residual_gradient");
    if (is_needed(own.from))
        call_gradient(index, "input_gradient");
}

void Planner::plan_training() {
    run_ = &plan_.training;
    find_needed_gradients();
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        const Problem problem = trained_forward(layers_[i].problem);
        const std::string& name = layers_[i].name;
        call_layer(static_cast<int>(i), problem,
                   problem == layers_[i].problem ? name : kernel(name + "_forward", problem));
    }
    plan_loss();
    for (int i = static_cast<int>(layers_.size()) - 1; i >= 0; --i)
        go_backward(i);
    kernel(plan_.request.optimiser, plan_.update);
}

// "a or b", of the operators of one kind.
std::string names_of(bool (*is_kind)(Operator)) {
    std::string names;
    for (const OperatorFacts& row : operator_table)
        if (is_kind(row.op) && !is_gradient(row.op))
            names += fmt::format("{}{}", names.empty() ? "" : " or ", row.name);
    return names;
}

bool is_of_kind(const std::string& name, bool (*is_kind)(Operator)) {
    const std::optional<Operator> op = operator_named(name);
    return op && is_kind(*op) && !is_gradient(*op);
}

// What stands against training, or "".
std::string why_not_trainable(const NetworkRequest& request) {
    const auto is_a_loss = [](Operator op) { return is_loss(op); };
    const auto is_an_update = [](Operator op) { return is_update(op); };
    if (!is_of_kind(request.loss, is_a_loss))
        return fmt::format("loss {}: expected {}", in_quotes(request.loss).view(), names_of(is_a_loss));
    if (!is_of_kind(request.optimiser, is_an_update))
        return fmt::format("optimiser {}: expected {}", in_quotes(request.optimiser).view(),
                           names_of(is_an_update));
    for (const NetworkLayer& layer : request.layers)
        if (!has_gradients(layer.problem.op))
            return fmt::format(
                "loss {}: layer {} is a {}, which has no gradients; a network that is trained has "
                "the layers that it consists of instead",
                request.loss, layer.name, facts(layer.problem.op).name);
    if (request.loss == "softmax_cross_entropy" && request.layers.back().problem.op == Operator::softmax)
        return "loss softmax_cross_entropy: contains a softmax, and the network's last layer is one already";
    return "";
}

void plan_parameters(NetworkPlan& plan) {
    for (const NetworkLayer& layer : plan.request.layers) {
        const Problem& p = layer.problem;
        for (const Operand& operand : operands(p)) {
            if (!is_weight(operand))
                continue;
            plan.parameters.push_back({layer.name, std::string(operand.name), operand, plan.weight_count});
            plan.weight_count += aligned_floats(operand.elements());
        }
    }
}

} // namespace

std::string NetworkPlan::value(int source) const {
    return source < 0 ? std::string(input_name)
                      : request.layers[static_cast<std::size_t>(source)].name + "_output";
}

NetworkPlan plan_network(const NetworkRequest& request) {
    NetworkPlan plan;
    plan.request = request;
    plan.has_open_batch = request.layers.front().problem.in.batch == open_batch;
    plan_parameters(plan);
    if (plan.is_trained()) {
        const Problem& last = request.layers.back().problem;
        plan.error = why_not_trainable(request);
        if (plan.error.empty() && plan.parameters.empty())
            plan.error = fmt::format("loss {}: the network has no weights to train", request.loss);
        if (!plan.error.empty())
            return plan;
        plan.loss = *problem_on(request.loss, output_shape(last), last.layout);
        plan.update =
            *problem_on(request.optimiser, {1, 1, 1, static_cast<int>(plan.weight_count)}, Layout::nhwc);
    }
    Planner planner(plan);
    planner.plan_inference();
    if (plan.is_trained())
        planner.plan_training();
    return plan;
}

namespace {

void place(PlannedRun& run, const PackedSizes& packed_sizes) {
    std::vector<ArenaBuffer*> fixed, per_image;
    for (auto& [variable, buffer] : run.buffers) {
        if (!buffer.packed_by.empty())
            buffer.operand.shape[0] = static_cast<int>(packed_sizes.at(buffer.packed_by));
        buffer.place.bytes = detail::saturating_product(4, buffer.operand.elements());
        (buffer.is_per_image ? per_image : fixed).push_back(&buffer.place);
    }
    run.bytes = place_in_arena(fixed);
    run.bytes_per_image = place_in_arena(per_image);
}

} // namespace

void place_buffers(NetworkPlan& plan, const PackedSizes& packed_sizes) {
    for (PlannedParameter& parameter : plan.parameters) {
        parameter.packed_offset = plan.packed_weight_count;
        parameter.packed_size =
            parameter.role == "kernel" ? packed_sizes.at(parameter.layer) : parameter.operand.elements();
        plan.packed_weight_count += aligned_floats(parameter.packed_size);
    }
    place(plan.inference, packed_sizes);
    place(plan.training, packed_sizes);
}

} // namespace lamina
