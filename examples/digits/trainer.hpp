// Trains the network, an epoch at a time.
#pragma once

#include "dataset.hpp"
#include "random.hpp"

#include "lamina/runtime.hpp"
#include "lamina/weights.hpp"

#include <vector>

namespace digits {

struct TrainingOptions {
    int epochs = 0; // the learning rate falls to nothing over so many
    std::uint64_t seed = 0;
    int threads = 1;
};

// Of the images of an epoch so far, each as it was distorted and before the step that learns from it.
struct TrainingScore {
    int images = 0, right = 0;
    double loss_sum = 0;

    double loss() const { return loss_sum / images; }
    double accuracy() const { return 1.0 * right / images; }
};

class Trainer {
public:
    // The images outlive it.
    Trainer(const LabelledImages& images, const TrainingOptions& options);

    // Begins an epoch: all images in a new order.
    void begin_epoch();
    // Learns from the next batch of the epoch; is called while has_next().
    lamina::Status step();
    bool has_next() const { return static_cast<std::size_t>(score_.images) < order_.size(); }
    const TrainingScore& score() const { return score_; }

    std::span<const float> weights() const { return weights_.values(); }
    static std::span<const lamina::Parameter> parameters();

private:
    void fill_batch();
    void count_right();
    float learning_rate() const;

    const LabelledImages& images_;
    TrainingOptions options_;
    Random random_;
    lamina::Context context_;
    lamina::Tensor<float> weights_, gradients_, state_, input_;
    lamina::Tensor<std::int32_t> labels_;
    lamina::Tensor<std::byte> arena_;
    std::vector<std::size_t> order_;
    TrainingScore score_;
    std::int64_t steps_ = 0;
};

} // namespace digits
