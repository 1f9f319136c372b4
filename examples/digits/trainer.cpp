#include "trainer.hpp"

#include "distort.hpp"

#include "digits_inference.h"
#include "digits_training.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace digits {
namespace {

constexpr float first_learning_rate = 0.002F;

constexpr bool same_place(const lamina::Parameter& a, const lamina::Parameter& b) {
    return a.name == b.name && a.shape == b.shape && a.offset == b.offset;
}

// The test during training reads the weights where they lie.
static_assert(digits_training::weight_count == digits_inference::weight_count &&
              std::ranges::equal(digits_training::parameters, digits_inference::parameters, same_place));

} // namespace

Trainer::Trainer(const LabelledImages& images, const TrainingOptions& options)
    : images_(images), options_(options), random_(options.seed),
      context_(lamina::ContextOptions{.threads = options.threads}), weights_({digits_training::weight_count}),
      gradients_({digits_training::weight_count}), state_({digits_training::state_count}),
      input_({training_batch, side, side, 1}), labels_({training_batch, 1, 1, 1}),
      arena_({digits_training::training_arena_size}),
      order_(images.size() / training_batch * training_batch) {
    lamina::initialise(weights_.values(), parameters(), lamina::Initialisation::he, options.seed);
    std::iota(order_.begin(), order_.end(), std::size_t{0});
}

std::span<const lamina::Parameter> Trainer::parameters() {
    return digits_training::parameters;
}

void Trainer::begin_epoch() {
    random_.shuffle(std::span(order_));
    score_ = {};
}

void Trainer::fill_batch() {
    for (std::size_t i = 0; i < training_batch; ++i) {
        const std::size_t image = order_[static_cast<std::size_t>(score_.images) + i];
        distort(images_.image(image), random_, input_.values().subspan(i * pixel_count).first<pixel_count>());
        labels_.values()[i] = images_.labels[image];
    }
}

void Trainer::count_right() {
    const lamina::View<const float> scores = digits_training::forward_output(arena_.values());
    for (std::size_t i = 0; i < training_batch; ++i) {
        const float* first = scores.data() + i * class_count;
        score_.right += std::max_element(first, first + class_count) - first == labels_.values()[i];
    }
}

// Half a period of the cosine: Loshchilov and Hutter, "SGDR", 2017.
float Trainer::learning_rate() const {
    const std::size_t all = order_.size() / training_batch * static_cast<std::size_t>(options_.epochs);
    const double done = static_cast<double>(steps_) / static_cast<double>(all);
    return first_learning_rate * static_cast<float>((1 + std::cos(std::numbers::pi * done)) / 2);
}

lamina::Status Trainer::step() {
    fill_batch();
    float loss = 0;
    lamina::Status status =
        digits_training::forward(context_, input_, labels_, weights_.values(), arena_.values(), loss);
    if (!status)
        return status;
    count_right();
    score_.images += training_batch;
    score_.loss_sum += training_batch * static_cast<double>(loss);
    status = digits_training::backward(context_, input_, labels_, weights_.values(), arena_.values(),
                                       gradients_.values());
    if (!status)
        return status;
    const lamina::Adam rule{.step = steps_ + 1, .learning_rate = learning_rate()};
    ++steps_;
    return digits_training::update(context_, weights_.values(), gradients_.values(), state_.values(), rule);
}

} // namespace digits
