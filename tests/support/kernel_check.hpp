// One kernel against the reference.
#pragma once

#include "schedules/family.hpp"
#include "tests/support/random.hpp"

namespace lamina::testing {

// A problem with everything else that its kernel depends on.
struct KernelCase {
    Problem problem;
    const TargetFacts* target = nullptr;
    std::string schedule; // "" for the default
};

// Compiles the kernel and runs it on the problem's random operands, flush to either guard page, on one thread
// and on two, and in place where it may be. Returns what is wrong, or "": an error, a difference from the
// reference, or bits that depend on the threads or on where the operands lie.
std::string what_is_wrong(const KernelCase& kernel_case);

// A shell command that runs exactly this case again, in this program.
std::string replay_line(const KernelCase& kernel_case);

// Legal knobs of the family: each its smallest, its largest or a random value where the others allow it. The
// default where no draw was legal.
std::string corner_schedule(const Family& family, const Situation& situation, Random& random);

} // namespace lamina::testing
