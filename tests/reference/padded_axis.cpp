#include "tests/reference/padded_axis.hpp"

#include <algorithm>

namespace lamina::testing {

namespace {

// Source of the k-th position (from 1) before the input, and of the k-th one behind it.
int before(int size, int k, PaddingMode mode) {
    switch (mode) {
    case PaddingMode::reflect:
        return k;
    case PaddingMode::replicate:
        return 0;
    case PaddingMode::circular:
        return size - k;
    case PaddingMode::zeros:
        break;
    }
    return PaddedAxis::nothing;
}

int behind(int size, int k, PaddingMode mode) {
    switch (mode) {
    case PaddingMode::reflect:
        return size - 1 - k;
    case PaddingMode::replicate:
        return size - 1;
    case PaddingMode::circular:
        return k - 1;
    case PaddingMode::zeros:
        break;
    }
    return PaddedAxis::nothing;
}

} // namespace

PaddedAxis::PaddedAxis(int size, int begin, int end, PaddingMode mode) {
    for (int k = begin; k >= 1; --k)
        sources_.push_back(before(size, k, mode));
    for (int i = 0; i < size; ++i)
        sources_.push_back(i);
    for (int k = 1; k <= end; ++k)
        sources_.push_back(behind(size, k, mode));
}

PaddedAxis padded_rows(const Problem& p) {
    const Padding padding = resolved_padding(p);
    return {p.in.height, padding.top, padding.bottom, p.padding_mode};
}

PaddedAxis padded_columns(const Problem& p) {
    const Padding padding = resolved_padding(p);
    return {p.in.width, padding.left, padding.right, p.padding_mode};
}

} // namespace lamina::testing
