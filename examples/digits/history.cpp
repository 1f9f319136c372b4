#include "history.hpp"

#include "plot.hpp"

#include "common/arrange.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <unistd.h>

namespace digits {
namespace {

using Clock = std::chrono::steady_clock;

Curve curve(std::string name, const Colour& colour, double factor, std::span<const Epoch> epochs,
            double Epoch::*value) {
    Curve result{std::move(name), colour, {}};
    for (const Epoch& epoch : epochs)
        result.values.push_back(factor * epoch.*value);
    return result;
}

} // namespace

Progress::Progress() : is_terminal_(isatty(STDOUT_FILENO) == 1), last_shown_(Clock::now()) {
    std::printf("epoch     loss  training %%  test %%  seconds\n");
    std::fflush(stdout);
}

void Progress::show(std::size_t number, const TrainingScore& score) {
    if (!is_terminal_ || Clock::now() - last_shown_ < std::chrono::milliseconds(100))
        return;
    last_shown_ = Clock::now();
    std::printf("\r%5zu %8.4f  %10.2f  image %-10d", number, score.loss(), 100 * score.accuracy(),
                score.images);
    std::fflush(stdout);
}

void Progress::finish(std::size_t number, const Epoch& epoch) {
    std::printf("%s%5zu %8.4f  %10.2f  %6.2f  %7.1f\n", is_terminal_ ? "\r" : "", number, epoch.loss,
                100 * epoch.training_accuracy, 100 * epoch.test_accuracy, epoch.seconds);
    std::fflush(stdout);
}

pictures::Image learning_curve(std::span<const Epoch> epochs) {
    const Curve loss[] = {curve("loss", {0.8F, 0.2F, 0.15F}, 1, epochs, &Epoch::loss)};
    const Curve accuracy[] = {
        curve("test accuracy %", {0.1F, 0.35F, 0.75F}, 100, epochs, &Epoch::test_accuracy)};
    const pictures::Image both[] = {plotted(loss), plotted(accuracy)};
    return pictures::grid(both, 2);
}

pictures::Image first_kernels(std::span<const float> weights, std::span<const lamina::Parameter> parameters) {
    const lamina::Parameter& kernels = parameters[0]; // {height, width, 1, out channels}
    const auto size = static_cast<int>(kernels.shape[0]), count = static_cast<int>(kernels.shape[3]);
    const auto values = weights.subspan(kernels.offset, static_cast<std::size_t>(kernels.shape.product()));
    float largest = 0;
    for (const float value : values)
        largest = std::max(largest, std::abs(value));
    std::vector<pictures::Image> images;
    for (int d = 0; d < count; ++d) {
        pictures::Image image = pictures::blank(size, size, 1, 0);
        for (std::size_t i = 0; i < image.pixels.size(); ++i)
            image.pixels[i] =
                0.5F +
                0.5F * values[i * static_cast<std::size_t>(count) + static_cast<std::size_t>(d)] / largest;
        images.push_back(magnified(image, 12));
    }
    return pictures::grid(images, 8);
}

} // namespace digits
