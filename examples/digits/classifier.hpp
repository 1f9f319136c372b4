// Images to digits, with the inference kernels alone.
#pragma once

#include "dataset.hpp"

#include "lamina/runtime.hpp"
#include "lamina/weights.hpp"

#include <vector>

namespace digits {

struct Answer {
    int digit = 0;
    float probability = 0; // by softmax
};

class Classifier {
public:
    explicit Classifier(int threads);

    // Takes a network's weights over: from a file that save_weights wrote, or as they lie in memory while it
    // is trained, parameters() saying where.
    lamina::Status load(const char* path);
    lamina::Status use(std::span<const float> weights);
    static std::span<const lamina::Parameter> parameters();

    // An answer for each image, whose labels are not looked at.
    lamina::Status classify(const LabelledImages& images, std::vector<Answer>& answers);

private:
    lamina::Status classify_batch(const LabelledImages& images, std::size_t first, std::size_t count);

    lamina::Context context_;
    lamina::Tensor<float> packed_weights_, input_, output_;
    lamina::Tensor<std::byte> arena_;
};

} // namespace digits
