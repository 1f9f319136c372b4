#include "benchmarks/versus_onednn/peer_execution.hpp"

namespace lamina::versus {

using dnnl::memory;

Bindings bindings_of(const Problem& p) {
    const PeerOperands operands = peer_operands(p);
    Bindings all;
    switch (facts(p.op).gradient) {
    case Gradient::input:
        all.inputs = {{DNNL_ARG_DIFF_DST, "output_gradient", operands.dst}};
        all.result = {DNNL_ARG_DIFF_SRC, "input_gradient", operands.src};
        if (!is_pooling(p))
            all.inputs.push_back({DNNL_ARG_WEIGHTS, "kernel", operands.weights});
        return all;
    case Gradient::kernel:
        all.inputs = {{DNNL_ARG_SRC, "input", operands.src},
                      {DNNL_ARG_DIFF_DST, "output_gradient", operands.dst}};
        all.result = {DNNL_ARG_DIFF_WEIGHTS, "kernel_gradient", operands.weights};
        return all;
    default:
        break;
    }
    all.inputs = {{DNNL_ARG_SRC, "input", operands.src}};
    if (!is_pooling(p))
        all.inputs.push_back({DNNL_ARG_WEIGHTS, "kernel", operands.weights});
    if (p.epilogue.has(Step::bias))
        all.inputs.push_back({DNNL_ARG_BIAS, "bias", operands.bias});
    all.result = {DNNL_ARG_DST, "output", operands.dst};
    return all;
}

Execution::Execution(const Problem& p, const PeerPrimitive& made, const SharedData& data, dnnl::engine engine,
                     Bindings bindings, const memory& source)
    : engine_(std::move(engine)), stream_(engine_), primitive_(made.asked), bindings_(std::move(bindings)) {
    if (source)
        arguments_[DNNL_ARG_SRC] = source;
    for (const Binding& binding : bindings_.inputs)
        fill(made_for(made.asked, binding.argument), binding, data);
    made_for(made.asked, bindings_.result.argument);
    if (p.epilogue.has(Step::residual))
        residual_ = data.find("residual");
    if (is_max_pooling(p) && is_gradient(p.op))
        fill_workspace(p, made, data);
    else if (made.asked.query_md(dnnl::query::workspace_md))
        made_for(made.asked, DNNL_ARG_WORKSPACE);
    stream_.wait();
    for (const auto& [argument, own] : arguments_)
        listed_.push_back({argument, own.get()});
}

// Through the interface in C: that in C++ would make a list of the arguments for every call.
void Execution::run() {
    dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive_.get(), stream_.get(),
                                                   static_cast<int>(listed_.size()), listed_.data()),
                            "could not execute a primitive");
    stream_.wait();
}

std::vector<float> Execution::result() {
    memory& own = arguments_.at(bindings_.result.argument);
    const memory::desc& lies = bindings_.result.lies;
    // A sum is added to what lies in the result's memory.
    if (residual_)
        copy(memory(lies, engine_, const_cast<float*>(residual_)), own);
    run();
    std::vector<float> values(lies.get_size() / sizeof(float));
    copy(own, memory(lies, engine_, values.data()));
    return values;
}

memory& Execution::made_for(const dnnl::primitive_desc& primitive, int argument) {
    return arguments_[argument] = memory(primitive.query_md(dnnl::query::exec_arg_md, argument), engine_);
}

void Execution::copy(memory from, memory to) {
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
}

void Execution::fill(const memory& own, const Binding& binding, const SharedData& data) {
    // oneDNN's memory objects are for reading and writing alike; a reorder reads its source.
    copy(memory(binding.lies, engine_, const_cast<float*>(data.find(binding.operand))), own);
}

// A maximum's gradient finds the maxima in what the forward call left.
void Execution::fill_workspace(const Problem& p, const PeerPrimitive& made, const SharedData& data) {
    memory src(made.forward.query_md(dnnl::query::exec_arg_md, DNNL_ARG_SRC), engine_);
    fill(src, {DNNL_ARG_SRC, "input", peer_operands(p).src}, data);
    const memory dst(made.forward.query_md(dnnl::query::exec_arg_md, DNNL_ARG_DST), engine_);
    const memory workspace(made.forward.query_md(dnnl::query::workspace_md), engine_);
    dnnl::primitive(made.forward)
        .execute(stream_, {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, dst}, {DNNL_ARG_WORKSPACE, workspace}});
    arguments_[DNNL_ARG_WORKSPACE] = workspace;
}

} // namespace lamina::versus
