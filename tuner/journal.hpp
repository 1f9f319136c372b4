// Which problems were tuned to the end: for those whose default was not beaten there is no record to tell.
#pragma once

#include "schedules/family.hpp"

namespace lamina {

// A line each in the file TARGET.tuned beside the records, with the versions that it was tuned with.
class Journal {
public:
    Journal(std::string records, const TargetFacts& target);

    bool holds(const Problem& problem) const;
    // Returns "", or why nothing was changed, which names the path.
    [[nodiscard]] std::string add(const Problem& problem) const;

private:
    std::string folder_, path_;
};

} // namespace lamina
