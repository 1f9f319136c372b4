// What every operator's Halide generator shares: params from dsl's key table, operands from dsl's operand
// list, the choice of a schedule. An operator adds its algorithm alone.
#pragma once

#include "generators/operands.hpp"
#include "schedules/choice.hpp"

#include <optional>

namespace lamina {

// The operands' Funcs by name, and where weights come from.
struct OperatorInputs {
    std::vector<std::pair<std::string, Halide::Func>> funcs;
    AlgorithmRequest request;
    bool is_kernel_packed = false; // the kernel arrives as `packed_kernel`, one-dimensional
    Halide::Expr batch;            // images of the call

    const Halide::Func& operator[](std::string_view name) const;
};

// The operand's name within its generator, of which Halide has a param `target`.
std::string halide_name(const Operand& operand);

// Builds an operator's unscheduled algorithm.
using BuildAlgorithm = Stages (*)(const Problem&, const OperatorInputs&);

// Values that the packed kernel has under this request.
std::int64_t packed_kernel_size(const Problem& problem, const AlgorithmRequest& request);

// Halide finds the params of a generator by their addresses inside it, hence the array of optionals.
class ProblemParams {
public:
    explicit ProblemParams(Operator op);
    // The problem that the params describe; throws Halide::CompileError with the parser's reason.
    Problem problem() const;

private:
    Operator op_;
    std::array<std::optional<Halide::GeneratorParam<std::string>>, key_count> params_;
};

// The part of an OperatorGenerator that does not depend on its operator.
class ProblemGeneratorState {
public:
    using Input = Halide::GeneratorInput<Halide::Buffer<>>;
    using Output = Halide::GeneratorOutput<Halide::Func>;

    Situation situation;
    Choice choice;
    bool is_kernel_packed = false;
    std::vector<std::pair<Operand, Input*>> inputs;
    Output* output = nullptr;

    AlgorithmRequest request() const;
    OperatorInputs operator_inputs() const;
    // Fixes every buffer's shape and dense strides, and gives the autoschedulers their estimates.
    void constrain_call();
    void constrain_packing();
};

// The kernel as the schedule wants it, one-dimensional: flipped and blocked.
Stages pack_kernel(const Problem& problem, const AlgorithmRequest& request, const Halide::Func& kernel);

// The generator of an operator: its row in dsl and its algorithm.
template <Operator op, BuildAlgorithm build>
class OperatorGenerator : public Halide::Generator<OperatorGenerator<op, build>> {
    using Text = Halide::GeneratorParam<std::string>;

public:
    ProblemParams params{op};
    // family,knob:value,...; "" looks one up in the folder of records, or takes the default
    Text schedule{"schedule", ""};
    Text records{"records", ""};
    // plain: the kernel's element (d, c, x, y); packed: as part=pack makes it
    Text kernel_form{"kernel_form", "plain"};
    // call: the operator; pack: its kernel's packing
    Text part{"part", "call"};

    void configure() {
        const Problem problem = params.problem();
        state_.situation = {problem, &facts_for(this->get_target())};
        state_.choice = choose_schedule(state_.situation, schedule, records);
        if (!state_.choice.error.empty())
            throw Halide::CompileError(state_.choice.error);
        state_.is_kernel_packed = kernel_form.value() == "packed";
        if (part.value() == "pack")
            configure_pack(problem);
        else
            configure_call(problem);
    }

    void generate() {
        const bool is_pack = part.value() == "pack";
        const OperatorInputs inputs = state_.operator_inputs();
        Stages algorithm = is_pack ? pack_kernel(state_.situation.problem, inputs.request, inputs["kernel"])
                                   : build(state_.situation.problem, inputs);
        *state_.output = algorithm.output;
        if (is_pack)
            state_.constrain_packing();
        else
            state_.constrain_call();
        if (this->using_autoscheduler())
            return;
        if (is_pack)
            schedule_packing(algorithm, state_.situation);
        else
            apply_schedule(state_.choice, algorithm, state_.situation);
    }

private:
    ProblemGeneratorState state_;

    void add_operand(const Operand& operand) {
        const Halide::Type type = operand.type == Type::i32 ? Halide::Int(32) : Halide::Float(32);
        state_.inputs.emplace_back(
            operand, this->template add_input<Halide::Buffer<>>(halide_name(operand), type, operand.rank));
    }

    void configure_call(const Problem& problem) {
        std::vector<Halide::Type> outputs;
        const Operands list = state_.is_kernel_packed
                                  ? call_operands(problem, packed_kernel_size(problem, state_.request()))
                                  : operands(problem);
        for (const Operand& operand : list)
            if (operand.direction == Direction::out)
                outputs.push_back(operand.type == Type::i32 ? Halide::Int(32) : Halide::Float(32));
            else
                add_operand(operand);
        state_.output = this->template add_output<Halide::Func>(std::string(main_result(problem).name),
                                                                outputs, main_result(problem).rank);
    }

    void configure_pack(const Problem& problem) {
        add_operand(kernel_operand(problem));
        state_.output = this->template add_output<Halide::Func>("packed_kernel", Halide::Float(32), 1);
    }
};

} // namespace lamina
