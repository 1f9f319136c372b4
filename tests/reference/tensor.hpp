// Tensors of doubles, in which every value of an f32 or i32 operand is exact.
#pragma once

#include "lamina/problem_text.hpp"

#include <map>
#include <string>
#include <vector>

namespace lamina::testing {

struct TestTensor {
    std::vector<int> shape; // memory order, the last index contiguous
    std::vector<double> data;

    TestTensor() = default;
    explicit TestTensor(std::vector<int> extents, double value = 0)
        : shape(std::move(extents)), data(count(shape), value) {}

    static std::size_t count(const std::vector<int>& shape) {
        std::size_t product = 1;
        for (int extent : shape)
            product *= static_cast<std::size_t>(extent);
        return product;
    }
};

using Tensors = std::map<std::string, TestTensor>; // by operand name

// A tensor of zeros of an operand's shape, an open batch settled as `batch`.
inline TestTensor tensor_for(const Operand& operand, int batch) {
    std::vector<int> shape(operand.shape.begin(), operand.shape.begin() + operand.rank);
    if (operand.rank == 4 && shape[0] == open_batch)
        shape[0] = batch;
    return TestTensor(std::move(shape));
}

// Access to a batch of maps by [image, row, column, channel], whatever its layout.
template <class Tensor>
class MapView {
public:
    MapView(Tensor& tensor, Layout layout) : tensor_(&tensor), is_nchw_(layout == Layout::nchw) {}

    int batch() const { return tensor_->shape[0]; }
    int height() const { return tensor_->shape[is_nchw_ ? 2 : 1]; }
    int width() const { return tensor_->shape[is_nchw_ ? 3 : 2]; }
    int channels() const { return tensor_->shape[is_nchw_ ? 1 : 3]; }
    auto& operator()(int n, int i, int j, int c) const {
        const int index = is_nchw_ ? ((n * channels() + c) * height() + i) * width() + j
                                   : ((n * height() + i) * width() + j) * channels() + c;
        return tensor_->data.at(static_cast<std::size_t>(index));
    }

private:
    Tensor* tensor_;
    bool is_nchw_;
};

// Calls `visit(n, i, j, c)` for every element of a map.
template <class Map, class Visit>
void for_each_element(const Map& map, Visit visit) {
    for (int n = 0; n < map.batch(); ++n)
        for (int i = 0; i < map.height(); ++i)
            for (int j = 0; j < map.width(); ++j)
                for (int c = 0; c < map.channels(); ++c)
                    visit(n, i, j, c);
}

} // namespace lamina::testing
