// Which input element stands at each position of a padded axis.
#pragma once

#include "tests/reference/tensor.hpp"

namespace lamina::testing {

class PaddedAxis {
public:
    static constexpr int nothing = -1;

    // Lays the axis out position by position: `begin` padded ones, the input's, `end` padded ones.
    PaddedAxis(int size, int begin, int end, PaddingMode mode);

    // The input index at `position`, counted from the first padded one; `nothing` in zeros and behind the
    // end.
    int at(int position) const {
        return position < static_cast<int>(sources_.size()) ? sources_[static_cast<std::size_t>(position)]
                                                            : nothing;
    }
    int length() const { return static_cast<int>(sources_.size()); }

private:
    std::vector<int> sources_;
};

PaddedAxis padded_rows(const Problem& problem);
PaddedAxis padded_columns(const Problem& problem);

} // namespace lamina::testing
