// The course of a training: its lines on the terminal, its pictures.
#pragma once

#include "trainer.hpp"

#include "common/image.hpp"

#include <chrono>

namespace digits {

struct Epoch {
    double loss = 0, training_accuracy = 0, test_accuracy = 0; // 0 to 1
    double seconds = 0;                                        // since the training began
};

// Prints a line for each epoch. On a terminal, the line of the epoch that runs is written again and again.
class Progress {
public:
    Progress();

    void show(std::size_t number, const TrainingScore& score);
    void finish(std::size_t number, const Epoch& epoch);

private:
    bool is_terminal_;
    std::chrono::steady_clock::time_point last_shown_;
};

// The loss and the test accuracy over the epochs.
pictures::Image learning_curve(std::span<const Epoch> epochs);

// The kernels of the first layer, magnified; grey is zero, white the largest weight of all.
pictures::Image first_kernels(std::span<const float> weights, std::span<const lamina::Parameter> parameters);

} // namespace digits
