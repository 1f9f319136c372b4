#include "classifier.hpp"

#include "digits_inference.h"

#include <algorithm>
#include <cmath>

namespace digits {
namespace {

// So few at once that the maps between the layers, 45 KiB an image, stay in a second-level cache of 512 KiB.
constexpr std::size_t batch = 8;

Answer best(std::span<const float> scores) {
    const auto largest = std::ranges::max_element(scores);
    float sum = 0;
    for (const float score : scores)
        sum += std::exp(score - *largest);
    return {static_cast<int>(largest - scores.begin()), 1 / sum};
}

} // namespace

Classifier::Classifier(int threads)
    : context_(lamina::ContextOptions{.threads = threads}),
      packed_weights_({digits_inference::packed_weight_count}), input_({batch, side, side, 1}),
      output_({batch, 1, 1, class_count}), arena_({digits_inference::infer_arena_size(batch)}) {}

std::span<const lamina::Parameter> Classifier::parameters() {
    return digits_inference::parameters;
}

lamina::Status Classifier::load(const char* path) {
    lamina::Tensor<float> weights({digits_inference::weight_count});
    const lamina::Status status = lamina::load_weights(path, weights.values(), parameters());
    return status ? use(weights.values()) : status;
}

lamina::Status Classifier::use(std::span<const float> weights) {
    return digits_inference::pack(context_, weights, packed_weights_.values());
}

lamina::Status Classifier::classify_batch(const LabelledImages& images, std::size_t first,
                                          std::size_t count) {
    const auto pixels = std::span(images.pixels).subspan(first * pixel_count, count * pixel_count);
    std::ranges::transform(pixels, input_.data(),
                           [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255.0F; });
    const auto n = static_cast<std::int64_t>(count);
    return digits_inference::infer(context_, lamina::View<const float>(input_.data(), {n, side, side, 1}),
                                   packed_weights_.values(), arena_.values(),
                                   lamina::View<float>(output_.data(), {n, 1, 1, class_count}));
}

lamina::Status Classifier::classify(const LabelledImages& images, std::vector<Answer>& answers) {
    answers.clear();
    for (std::size_t first = 0; first < images.size(); first += batch) {
        const std::size_t count = std::min(batch, images.size() - first);
        if (const lamina::Status status = classify_batch(images, first, count); !status)
            return status;
        for (std::size_t i = 0; i < count; ++i)
            answers.push_back(best(output_.values().subspan(i * class_count, class_count)));
    }
    return {};
}

} // namespace digits
