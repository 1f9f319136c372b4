#include "tuner/hot_loop.hpp"

#include "tuner/disassembler.hpp"
#include "tuner/instruction_kind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace lamina {

namespace {

// Longer ones are no innermost loop of a kernel.
constexpr std::size_t longest_loop = 1 << 16;

struct Range {
    std::size_t first, last; // instructions, both included
};

struct Function {
    const Disassembler& disassembler;
    std::vector<DecodedInstruction> instructions;
    std::unordered_map<std::size_t, std::size_t> at_offset; // the instruction that begins there

    Function(const Disassembler& d, const CodeFunction& code)
        : disassembler(d), instructions(d.decode(code.code)) {
        for (std::size_t i = 0; i < instructions.size(); ++i)
            at_offset[instructions[i].offset] = i;
    }

    // The instruction that a jump leads to, or none.
    std::optional<std::size_t> target(std::size_t number) const {
        const DecodedInstruction& from = instructions[number];
        const llvm::MCInstrAnalysis& analysis = disassembler.analysis();
        std::uint64_t address = 0;
        if (!from.is_known || !analysis.isBranch(from.inst) || analysis.isCall(from.inst) ||
            !analysis.evaluateBranch(from.inst, from.offset, from.size, address))
            return {};
        const auto to = at_offset.find(address);
        return to == at_offset.end() ? std::nullopt : std::optional(to->second);
    }

    bool falls_through(std::size_t number) const {
        const llvm::MCInst& inst = instructions[number].inst;
        const llvm::MCInstrAnalysis& analysis = disassembler.analysis();
        return instructions[number].is_known && !analysis.isUnconditionalBranch(inst) &&
               !analysis.isReturn(inst) && !analysis.isIndirectBranch(inst);
    }
};

// Whether control flow leads from the range's first instruction to its last one inside the range. A jump back
// from code that was moved out of the way is no loop.
bool is_loop(const Function& function, Range range) {
    std::vector<bool> seen(range.last - range.first + 1, false);
    std::vector<std::size_t> open{range.first};
    const auto visit = [&](std::size_t number) {
        if (number < range.first || number > range.last || seen[number - range.first])
            return;
        seen[number - range.first] = true;
        open.push_back(number);
    };
    while (!open.empty() && !seen.back()) {
        const std::size_t number = open.back();
        open.pop_back();
        if (function.falls_through(number))
            visit(number + 1);
        if (const auto target = function.target(number))
            visit(*target);
    }
    return seen.back();
}

// Loops that hold no other loop, by the jumps back that close them.
std::vector<Range> innermost_loops(const Function& function) {
    std::vector<Range> result;
    for (std::size_t last = 0; last < function.instructions.size(); ++last) {
        const auto first = function.target(last);
        if (!first || *first >= last || last - *first > longest_loop)
            continue;
        // Ends ascend, so only a loop found before can lie within this one.
        const bool holds_another = !result.empty() && result.back().first >= *first;
        if (!holds_another && is_loop(function, {*first, last}))
            result.push_back({*first, last});
    }
    return result;
}

// Whether the function keeps a frame pointer; it is set up before anything else is done.
bool has_frame_pointer(const Function& function) {
    const std::size_t prologue = std::min<std::size_t>(function.instructions.size(), 32);
    for (std::size_t i = 0; i < prologue; ++i)
        if (function.instructions[i].is_known &&
            sets_frame_pointer(function.disassembler.text(function.instructions[i])))
            return true;
    return false;
}

class Counter {
public:
    explicit Counter(bool has_frame_pointer) : has_frame_pointer_(has_frame_pointer) {}

    void add(const std::string& text, const llvm::MCInstrDesc& description) {
        const InstructionKind kind = instruction_kind(text);
        counts_.multiply_adds += kind.products > 0;
        counts_.products += kind.products;
        factors_.add(kind.factors);
        terms_.add(kind.terms);
        counts_.arithmetic += kind.arithmetic_elements > 0;
        counts_.arithmetic_elements += kind.arithmetic_elements;
        counts_.broadcasts += kind.is_broadcast;
        const bool is_prefetch = text.starts_with("prefetch") || text.starts_with("prf");
        const int accesses = is_prefetch ? 0 : description.mayLoad() + description.mayStore();
        counts_.loads += !is_prefetch && description.mayLoad();
        counts_.stores += !is_prefetch && description.mayStore();
        const bool is_spill = is_on_stack(text, has_frame_pointer_);
        counts_.spills += is_spill ? accesses : 0;
        counts_.plain_stores += !is_prefetch && description.mayStore() && !is_spill;
    }

    LoopCounts counts() const {
        LoopCounts result = counts_;
        if (result.multiply_adds == 0) {
            result.multiply_adds = std::min(factors_.instructions, terms_.instructions);
            result.products = std::min(factors_.elements, terms_.elements);
        }
        return result;
    }

private:
    struct Sum {
        int instructions = 0, elements = 0;
        void add(int of_one) {
            instructions += of_one > 0;
            elements += of_one;
        }
    };
    bool has_frame_pointer_;
    LoopCounts counts_;
    Sum factors_, terms_;
};

HotLoop describe(const CodeFunction& code, const Function& function, Range range, bool has_frame_pointer) {
    HotLoop loop;
    loop.function = code.name;
    Counter counter(has_frame_pointer);
    for (std::size_t i = range.first; i <= range.last; ++i) {
        const DecodedInstruction& instruction = function.instructions[i];
        std::string text = instruction.is_known ? function.disassembler.text(instruction) : "(unknown)";
        if (instruction.is_known)
            counter.add(text, function.disassembler.description(instruction.inst));
        loop.lines.push_back({instruction.offset, std::move(text)});
    }
    const auto begin = code.code.begin();
    const DecodedInstruction& last = function.instructions[range.last];
    loop.code.assign(begin + static_cast<std::ptrdiff_t>(function.instructions[range.first].offset),
                     begin + static_cast<std::ptrdiff_t>(last.offset + last.size));
    loop.counts = counter.counts();
    return loop;
}

// Whether sums stay in registers from turn to turn; what goes between is no inner loop of a layer's sum.
bool is_sum(const LoopCounts& counts) {
    return counts.products > 0 && counts.plain_stores == 0;
}

bool is_hotter(const LoopCounts& a, const LoopCounts& b) {
    return std::tuple(is_sum(a), a.products, a.arithmetic_elements) >
           std::tuple(is_sum(b), b.products, b.arithmetic_elements);
}

bool is_wanted(std::string_view name, std::string_view wanted) {
    return wanted.empty() || name == wanted ||
           (name.starts_with(wanted) && name.substr(wanted.size()).starts_with("_par_for_"));
}

} // namespace

HotLoopSearch find_hot_loop(std::string_view object, std::string_view function) {
    const ObjectCode code = read_object_code(object);
    if (!code.error.empty())
        return {{}, code.error};
    const Disassembler disassembler(code.architecture);
    if (!disassembler.error().empty())
        return {{}, disassembler.error()};
    HotLoopSearch result;
    bool is_there = false;
    for (const CodeFunction& candidate : code.functions) {
        if (!is_wanted(candidate.name, function))
            continue;
        is_there = true;
        const Function decoded(disassembler, candidate);
        const bool keeps_frame = has_frame_pointer(decoded);
        for (const Range range : innermost_loops(decoded)) {
            HotLoop loop = describe(candidate, decoded, range, keeps_frame);
            loop.architecture = code.architecture;
            if (loop.counts.arithmetic > 0 && (!result.loop || is_hotter(loop.counts, result.loop->counts)))
                result.loop = std::move(loop);
        }
    }
    if (!is_there)
        result.reason = fmt::format("no function '{}'", function);
    else if (!result.loop)
        result.reason = "no loop does arithmetic on floats or vectors";
    return result;
}

} // namespace lamina
