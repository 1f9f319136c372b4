// lamina_photo: a photograph through a stack of layers, and what cross-correlation and true convolution make
// of the same kernel.
#include "filters.hpp"
#include "gallery.hpp"
#include "photo.hpp"
#include "pictures.hpp"
#include "stack.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace photo {
namespace {

constexpr int exit_failed = 1, exit_usage = 2;

constexpr char help[] =
    "usage: lamina_photo [--threads N] [IMAGE] [OUTPUT-FOLDER]\n"
    "\n"
    "Smooths a picture, looks for eight small patterns in it and pools what it finds; the patterns once by\n"
    "cross-correlation and once by true convolution. Prints each layer's time and writes what it sees as PNG "
    "files.\n"
    "\n"
    "  IMAGE          a PNG or JPEG file; default: the photograph that comes with the example\n"
    "  OUTPUT-FOLDER  where the pictures go; default: photo-out in the current directory\n"
    "  --threads N    threads of a call, 1 to 64; default 1\n"
    "\n"
    "exit status: 0 done, 1 a picture could not be read, computed or written, 2 wrong usage\n";

struct Options {
    std::filesystem::path image, folder = "photo-out";
    int threads = 1;
    bool wants_help = false;
    std::string error;
};

// Beside the program, as in an install tree: bin/lamina_photo, share/lamina/photo.
std::filesystem::path shipped_image() {
    std::error_code problem;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", problem);
    return program.parent_path().parent_path() / "share/lamina/photo/grace_hopper.jpg";
}

bool parse_threads(const char* text, int& threads) {
    const char* end = text + std::strlen(text);
    const auto [stop, error] = std::from_chars(text, end, threads);
    return error == std::errc() && stop == end && threads >= 1 && threads <= 64;
}

Options parse(std::span<char*> arguments) {
    Options options;
    options.image = shipped_image();
    int files = 0;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        const std::string argument = arguments[i];
        if (argument == "-h" || argument == "--help") {
            options.wants_help = true;
        } else if (argument == "--threads") {
            if (++i == arguments.size() || !parse_threads(arguments[i], options.threads))
                options.error = "--threads: expected a number from 1 to 64";
        } else if (argument.size() > 1 && argument[0] == '-') {
            options.error = "unknown option '" + argument + "'";
        } else if (files == 2) {
            options.error = "at most an image and a folder, not also '" + argument + "'";
        } else {
            (files++ == 0 ? options.image : options.folder) = argument;
        }
    }
    return options;
}

int fail(int code, std::string_view message) {
    std::fprintf(stderr, "lamina_photo: %.*s\n", static_cast<int>(message.size()), message.data());
    return code;
}

void print_layers(const auto& network, const StackResult& result) {
    std::printf("\n%-10s %-18s %-12s %5s %9s %9s\n", std::string(network.name()).c_str(), "operator",
                "output", "field", "ms", "GFLOP/s");
    for (std::size_t i = 0; i < network.size(); ++i) {
        const lamina::Node& node = network.layer(i);
        const lamina::Shape out = node.output();
        const std::string shape =
            std::to_string(out.height) + "x" + std::to_string(out.width) + "x" + std::to_string(out.channels);
        std::printf("%-10s %-18s %-12s %5.0f %9.3f %9.2f\n", std::string(std::string_view(node.name)).c_str(),
                    std::string(lamina::facts(node.problem.op).name).c_str(), shape.c_str(),
                    node.receptive_field.height.size.value(), result.seconds[i] * 1e3,
                    static_cast<double>(node.operation_count()) / result.seconds[i] / 1e9);
    }
}

// The largest difference between the two edge maps of each filter.
void print_filters(Map correlation, Map convolution) {
    constexpr const char* half_turns[] = {"the opposite sign", "no difference", "another pattern"};
    std::printf("\n%-6s %-37s %-20s %s\n", "map", "filter", "turned by 180 deg", "largest difference");
    for (int d = 0; d < filter_count; ++d) {
        const Filter& filter = filters()[static_cast<std::size_t>(d)];
        float largest = 0;
        for (std::int64_t i = d; i < correlation.size(); i += filter_count)
            largest = std::max(largest, std::abs(correlation.data()[i] - convolution.data()[i]));
        std::printf("%-6d %-37s %-20s %.3f\n", d, std::string(filter.name).c_str(),
                    half_turns[static_cast<std::size_t>(filter.half_turn)], static_cast<double>(largest));
    }
}

int run(const Options& options) {
    pictures::LoadedImage loaded = pictures::load_image(options.image);
    if (!loaded.image)
        return fail(exit_failed, loaded.error);
    constexpr lamina::Shape in = input.shape();
    if (loaded.image->height != in.height || loaded.image->width != in.width) {
        std::printf(
            "%s is %d x %d pixels; its middle part is resized to the %d x %d that the kernels are made for\n",
            options.image.c_str(), loaded.image->width, loaded.image->height, in.width, in.height);
        *loaded.image = fitted(*loaded.image, in.height, in.width);
    }
    const Map picture(loaded.image->pixels.data(), in);
    const StackResult correlation = run_correlated(picture, options.threads);
    const StackResult convolution =
        correlation.status ? run_convolved(picture, options.threads) : StackResult();
    for (const StackResult* result : {&correlation, &convolution})
        if (!result->status)
            return fail(exit_failed, result->status.message());
    print_layers(correlated, correlation);
    print_layers(convolved, convolution);
    print_filters(correlation.edges, convolution.edges);
    const std::string error = write_gallery(options.folder, picture, correlation, convolution);
    return error.empty() ? 0 : fail(exit_failed, error);
}

} // namespace
} // namespace photo

int main(int argc, char** argv) {
    const photo::Options options = photo::parse({argv, static_cast<std::size_t>(argc)});
    if (options.wants_help) {
        std::fputs(photo::help, stdout);
        return 0;
    }
    if (!options.error.empty())
        return photo::fail(photo::exit_usage, options.error + "; --help says more");
    return photo::run(options);
}
