// Writes records: whole files, one writer at a time, nothing lost that was there.
#pragma once

#include "schedules/records.hpp"

namespace lamina {

// Puts `record` into the folder's file for that target, in the place of the one of its problem. Entries that
// this version cannot read stay as they are. Where another tuner has meanwhile stored a schedule other than
// `compared_with` for the problem, the higher fraction of the peak stays. The folder is made where it is
// missing. Returns "", or why nothing was changed, which names the path.
[[nodiscard]] std::string store_record(const std::string& folder, const TargetFacts& target,
                                       const Record& record, const std::string& compared_with);

// Why the folder's file cannot take records because of what is in it now, or "": for asking before long work.
[[nodiscard]] std::string why_not_storable(const std::string& folder, const TargetFacts& target);

} // namespace lamina
