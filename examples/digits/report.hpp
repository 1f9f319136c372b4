// What the programs print of answers and images.
#pragma once

#include "classifier.hpp"

#include <string>

namespace digits {

int count_right(const LabelledImages& images, std::span<const Answer> answers);

// "98.60 % (986 of 1000)"
std::string accuracy_text(int right, std::size_t count);

// How many images of each digit, a row each, were taken for which, a column each.
std::string confusion_table(const LabelledImages& images, std::span<const Answer> answers);

// Those images side by side in characters, with `titles` above them; a line has two rows of pixels.
std::string drawn(const LabelledImages& images, std::span<const std::size_t> places,
                  std::span<const std::string> titles);

} // namespace digits
